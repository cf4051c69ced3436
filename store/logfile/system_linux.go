package logfile

import (
	"errors"
	"os"
	"syscall"
)

// datasync makes what was written to a file durable, and of what is known of the file what it takes to read that.
func datasync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "sync", Path: f.Name(), Err: err}
		}
		return nil
	}
}

// diskSize returns how large the disk is that a directory lies on; 0: the system does not say.
func diskSize(dir string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0
	}
	return int64(s.Blocks) * s.Bsize
}
