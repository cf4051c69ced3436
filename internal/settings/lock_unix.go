//go:build linux || darwin || freebsd || netbsd || openbsd

package settings

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// lockWait bounds the wait for another process that edits the same file; an edit takes milliseconds.
const lockWait = 5 * time.Second

// lock keeps other processes from editing in a directory. The lock is on the directory itself, so that nothing is left
// over by a process that was killed.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(lockWait); ; time.Sleep(5 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) || time.Now().After(end) {
			f.Close()
			return nil, errors.New("another process is editing it")
		}
	}
}
