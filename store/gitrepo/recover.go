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
	lockAge    = time.Second
	foreignAge = 10 * time.Minute
)

// ownLocks are the locks that moving the branch takes.
var ownLocks = []string{"HEAD.lock", branch + ".lock"}

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
	for _, name := range ownLocks {
		if err := clearLock(ctx, filepath.Join(r.dir, filepath.FromSlash(name))); err != nil {
			return fmt.Errorf("clear history: %w", err)
		}
	}
	for _, sub := range []string{"", "refs", "refs/heads", "objects", "objects/info", "objects/pack"} {
		if err := clear(filepath.Join(r.dir, filepath.FromSlash(sub))); err != nil {
			return fmt.Errorf("clear history: %w", err)
		}
	}
	return nil
}

// clearLock removes a lock that would stop us. A living git holds one of these for milliseconds, so one that is younger
// than a second gets that second.
func clearLock(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if age := time.Since(info.ModTime()); age >= 0 && age < lockAge {
		wait := time.NewTimer(lockAge - age)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-wait.C:
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
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
		if e.IsDir() || !leftover(dir, e) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// leftover tells whether a file is one that a killed git left. What our own git makes goes at once: it is known to be
// gone. Locks of others, such as a person's git gc, go when no living one holds them so long.
func leftover(dir string, e os.DirEntry) bool {
	name := e.Name()
	for _, prefix := range []string{"tmp_", ".tmp-", "fast_import_crash_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	if !strings.HasSuffix(name, ".lock") && !headless(dir, name) {
		return false
	}
	info, err := e.Info()
	return err == nil && time.Since(info.ModTime()) > foreignAge
}

// headless tells whether a pack has no index. An index is the last to come and the first to go, so such a pack is
// about to come, or it is one that nobody will ever look at or remove.
func headless(dir, name string) bool {
	stem, ok := strings.CutSuffix(name, ".pack")
	if !ok {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, stem+".idx"))
	return errors.Is(err, os.ErrNotExist)
}
