//go:build unix

package gitrepo

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// writerLock takes the lock that a git process inherits, so that it outlives a killed muster: nobody recovers while the
// orphan still writes. errBusy if another holds it.
func writerLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "muster-writer"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errBusy
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// inherit hands the lock to a process about to be started.
func inherit(cmd *exec.Cmd, lock *os.File) { cmd.ExtraFiles = append(cmd.ExtraFiles, lock) }

// syncDirs makes the names in directories durable: git syncs the files alone.
func syncDirs(dirs ...string) error {
	for _, dir := range dirs {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// isPipe tells whether writing failed because the reader is gone.
func isPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
