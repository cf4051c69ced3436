//go:build linux

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/gitrepo"
)

// child finds the git process that this process started for a repository.
func child(t *testing.T, repo, command string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		line, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(line, []byte(repo)) || !bytes.Contains(line, []byte(command)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	t.Fatalf("no git %s runs on %s", command, repo)
	return 0
}

func TestKilledGitFailsOneWriteAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	reported := make(map[string]string)
	b, err := s.Begin(t.Context(), job("run1"), 1)
	if err != nil {
		t.Fatal(err)
	}
	keep := func(i int, name string) muster.Result {
		r := b.Keep(t.Context(), kept(i, "", name, randomText()))
		if r.Status != muster.StatusFailed {
			reported[r.Revision] = name
		}
		return r
	}
	for i := range 10 {
		if r := keep(i, "r1"); r.Failure != nil {
			t.Fatal(r.Failure)
		}
		pid := child(t, s.git(), "fast-import")
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		r := keep(i, "r2")
		if r.Status != muster.StatusFailed || r.Failure.Stage != muster.StageStore || r.Failure.Code != "store-failed" {
			t.Fatalf("got %s %v, want failed in the stage store", r.Status, r.Failure)
		}
		if !strings.Contains(r.Failure.Error(), "git fast-import: signal: killed") {
			t.Errorf("the failure does not say what happened: %v", r.Failure)
		}
	}
	if err := b.End(t.Context()); err == nil {
		t.Error("End hides that writes failed")
	}
	s.keepAll(t, "run2", kept(0, "", "r2", randomText()))
	verify(t, s, reported)
}

// smallDisk mounts a file system of few megabytes.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", megabytes))
	if err != nil {
		t.Skipf("a full disk is made with a small tmpfs, which takes root: %v", err)
	}
	t.Cleanup(func() { // detached: a process that another test is just starting holds all files for a moment
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	for _, megabytes := range []int{3, 4, 6} {
		t.Run(fmt.Sprintf("of %d MB", megabytes), func(t *testing.T) {
			t.Parallel()
			dir := smallDisk(t, megabytes)
			o := open(t, dir)
			reported := make(map[string]string)
			ballast := filepath.Join(dir, "ballast")
			if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			if failed := fillDisk(t, o, reported); failed != "disk-full" {
				t.Errorf("the disk is full and devices fail with %q", failed)
			}
			fsck(t, dir)
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			for _, r := range o.keepAll(t, "after", kept(0, "", "r0", randomText()), kept(1, "", "new", randomText())) {
				if r.Failure != nil {
					t.Fatalf("there is space again: %v", r.Failure)
				}
				reported[r.Revision] = r.Device.Name
			}
			verify(t, o, reported)
		})
	}
}

// fillDisk keeps changes until the disk is full, and returns the code with which a device failed then.
func fillDisk(t *testing.T, s opened, reported map[string]string) string {
	t.Helper()
	for run := range 1000 {
		b, err := s.Begin(t.Context(), job(fmt.Sprintf("run%d", run)), 4)
		if errors.Is(err, store.ErrDiskFull) {
			return "disk-full"
		}
		if err != nil {
			t.Fatal(err)
		}
		var failed string
		for _, r := range keepSomeTexts(t, b, run) {
			if r.Failure != nil {
				failed = r.Failure.Code
				t.Log(r.Failure)
				continue
			}
			reported[r.Revision] = r.Device.Name
		}
		err = b.End(t.Context())
		if failed != "" {
			return failed
		}
		if errors.Is(err, store.ErrDiskFull) {
			return "disk-full"
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the disk did not fill")
	return ""
}

func keepSomeTexts(t *testing.T, b *store.Batch, run int) []muster.Result {
	results := make([]muster.Result, 4)
	done := make(chan struct{})
	for i := range results {
		go func() {
			defer func() { done <- struct{}{} }()
			results[i] = b.Keep(t.Context(), kept(i, "", fmt.Sprintf("r%d", (run+i)%12), randomLines(1500)))
		}()
	}
	for range results {
		<-done
	}
	return results
}

func TestWithoutGitOneSentenceSaysSo(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	first := s.keepAll(t, "run1", kept(0, "", "r1", "one\n"))
	t.Setenv("PATH", t.TempDir())
	if _, err := gitrepo.Open(t.Context(), filepath.Join(dir, "other.git")); !errors.Is(err, gitrepo.ErrNoGit) {
		t.Errorf("a new history: got %v, want ErrNoGit", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*other*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	again := open(t, dir) // what needs no git goes on
	revs, err := again.Index.Revisions(t.Context(), "r1", 0)
	if err != nil || len(revs) != 1 || revs[0].ID != first[0].Revision {
		t.Errorf("history of r1: %v, %v", revs, err)
	}
	if _, err := again.History.Text(t.Context(), revs[0].Blob); !errors.Is(err, gitrepo.ErrNoGit) {
		t.Errorf("reading a text: got %v, want ErrNoGit", err)
	}
	b, err := again.Begin(t.Context(), job("run2"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if r := b.Keep(t.Context(), kept(0, "", "r1", "two\n")); !errors.Is(r.Failure, gitrepo.ErrNoGit) {
		t.Errorf("keeping: got %s %v, want ErrNoGit", r.Status, r.Failure)
	}
}
