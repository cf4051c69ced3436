package tsdb

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

func diskSpace(dir string) (free, total uint64, err error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, 0, err
	}
	err = windows.GetDiskFreeSpaceEx(name, &free, &total, nil)
	return free, total, err
}

// noSpace tells whether err is the system's word for a full disk.
func noSpace(err error) bool {
	return errors.Is(err, syscall.Errno(windows.ERROR_DISK_FULL)) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
