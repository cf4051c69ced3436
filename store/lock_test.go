package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/store"
)

const holderEnv = "MUSTER_TEST_STORE_HOLDER"

// holdLock is the other process: it holds the lock until its input ends.
func holdLock(dir string) int {
	lock, err := store.LockDir(context.Background(), dir, "muster backup")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer lock.Unlock()
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// startHolder starts a process that holds the lock of dir. Closing the writer ends it.
func startHolder(t *testing.T, dir string) (*exec.Cmd, io.WriteCloser) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), holderEnv+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder said %q, %v", line, err)
	}
	return cmd, stdin
}

func TestLockNamesTheProcessThatHoldsIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	holder, stdin := startHolder(t, dir)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := store.LockDir(t.Context(), dir, "muster status")
		var locked *store.LockedError
		if !errors.As(err, &locked) {
			t.Fatalf("got %v, want a LockedError", err)
		}
		if locked.PID != holder.Process.Pid || locked.Command != "muster backup" || locked.Dir != dir {
			t.Errorf("got %+v, want process %d", locked, holder.Process.Pid)
		}
		if want := fmt.Sprintf("%s is being written by process %d (muster backup)", dir, locked.PID); err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("it waited %v, want 5s", took)
		}
	})
	stdin.Close()
	if err := holder.Wait(); err != nil {
		t.Fatal(err)
	}
	lock, err := store.LockDir(t.Context(), dir, "muster status")
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockOfAKilledProcessIsFree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	holder, stdin := startHolder(t, dir)
	defer stdin.Close()
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // killed
	lock, err := store.LockDir(t.Context(), dir, "muster backup")
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockWaitsForAShortHolder(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		first, err := store.LockDir(t.Context(), dir, "muster backup")
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(2*time.Second, func() { first.Unlock() })
		second, err := store.LockDir(t.Context(), dir, "muster backup")
		if err != nil {
			t.Fatal(err)
		}
		second.Unlock()
	})
}

func TestLockEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	first, err := store.LockDir(t.Context(), dir, "muster backup")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Unlock()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := store.LockDir(ctx, dir, "muster backup"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's end", err)
		}
	})
}
