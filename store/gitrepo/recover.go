package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	orphanWait = 30 * time.Second
	orphanPoll = 20 * time.Millisecond
)

// errBusy says that a git process of another muster still writes.
var errBusy = errors.New("another git process still writes the history")

// Recover ends what is left of the last writing and removes the files that a killed git left: locks, half written
// packs, crash reports. It waits for a git process whose muster was killed.
func (r *Repo) Recover(ctx context.Context) error {
	if err := r.acquire(ctx); err != nil {
		return err
	}
	defer r.release()
	if r.in != nil {
		return nil // our own writer is well: a failed one is dropped at once
	}
	lock, err := waitWriterLock(ctx, r.dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, sub := range []string{"", "refs", "refs/heads", "objects", "objects/info", "objects/pack"} {
		if err := clear(filepath.Join(r.dir, filepath.FromSlash(sub))); err != nil {
			return fmt.Errorf("clear history: %w", err)
		}
	}
	return nil
}

// waitWriterLock waits, bounded, for the end of a writer whose muster is gone.
func waitWriterLock(ctx context.Context, dir string) (*os.File, error) {
	deadline := time.NewTimer(orphanWait)
	defer deadline.Stop()
	poll := time.NewTicker(orphanPoll)
	defer poll.Stop()
	for {
		lock, err := writerLock(dir)
		if !errors.Is(err, errBusy) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-deadline.C:
			return nil, err
		case <-poll.C:
		}
	}
}

func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() || !leftover(e.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// leftover tells whether only a git process that is gone can have wanted a file.
func leftover(name string) bool {
	for _, prefix := range []string{"tmp_", ".tmp-", "fast_import_crash_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.HasSuffix(name, ".lock") || name == "gc.pid"
}
