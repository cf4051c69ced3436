package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	lockWait = 5 * time.Second       // how long Lock waits for another process
	lockPoll = 50 * time.Millisecond // how often it looks
)

// errHeld says that another open file holds the lock.
var errHeld = errors.New("lock is held")

// LockedError says which process holds the data directory.
type LockedError struct {
	Dir     string
	PID     int    // 0: unknown
	Command string // what the process said it was doing
}

// Error names the holder in one sentence.
func (e *LockedError) Error() string {
	who := "another process"
	if e.PID > 0 {
		who = "process " + strconv.Itoa(e.PID)
	}
	if e.Command != "" {
		who += " (" + e.Command + ")"
	}
	return fmt.Sprintf("%s is being written by %s", e.Dir, who)
}

// Lock is the right to write a data directory. The kernel takes it back when the process ends, however it ends.
type Lock struct{ file *os.File }

// LockDir takes the one writer's lock of a data directory and makes the directory if need be. It waits up to 5 s for
// another holder, then returns a *LockedError that names it. command is what others are told: "muster backup".
func LockDir(ctx context.Context, dir, command string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	path := filepath.Join(dir, "lock")
	deadline := time.NewTimer(lockWait)
	defer deadline.Stop()
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for {
		f, err := openLocked(path)
		if err == nil {
			return newLock(f, command)
		}
		if !errors.Is(err, errHeld) {
			return nil, fmt.Errorf("lock data directory: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-deadline.C:
			return nil, lockedError(dir, path)
		case <-poll.C:
		}
	}
}

func newLock(f *os.File, command string) (*Lock, error) {
	text := strconv.Itoa(os.Getpid()) + " " + strings.Join(strings.Fields(command), " ") + "\n"
	if err := errors.Join(f.Truncate(0), writeAt(f, text)); err != nil {
		return nil, errors.Join(fmt.Errorf("lock data directory: %w", full(err)), f.Close())
	}
	return &Lock{file: f}, nil
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// lockedError reads who holds the lock. The holder may be writing its name at this moment: what cannot be read is left
// empty.
func lockedError(dir, path string) error {
	e := &LockedError{Dir: dir}
	text, err := os.ReadFile(path)
	if err != nil {
		return e
	}
	pid, command, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	e.PID, _ = strconv.Atoi(pid)
	e.Command = command
	return e
}

// Unlock gives the lock back. The file stays: removing it would let two processes hold two files of one name.
func (l *Lock) Unlock() error {
	return l.file.Close()
}
