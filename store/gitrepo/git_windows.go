package gitrepo

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

func detach(*exec.Cmd) {}

// writerLock only opens the file: here a git process cannot inherit a lock, so the data directory's own lock has to do.
func writerLock(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "muster-writer"), os.O_RDWR|os.O_CREATE, 0o600)
}

func inherit(*exec.Cmd, *os.File) {}

// syncDirs does nothing: directories cannot be synced here.
func syncDirs(...string) error { return nil }

// isPipe tells whether writing failed because the reader is gone.
func isPipe(err error) bool {
	const noData, brokenPipe = syscall.Errno(232), syscall.Errno(109)
	return errors.Is(err, noData) || errors.Is(err, brokenPipe)
}
