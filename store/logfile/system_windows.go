package logfile

import (
	"errors"
	"syscall"
)

const (
	handleDiskFull = syscall.Errno(39)
	diskFull       = syscall.Errno(112)
)

// syncDir does nothing: the file system keeps its names itself.
func syncDir(string) error { return nil }

// noSpace tells whether err is the system's word for a full disk.
func noSpace(err error) bool { return errors.Is(err, diskFull) || errors.Is(err, handleDiskFull) }
