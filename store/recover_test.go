package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/storetest"
)

func TestRecoverWritesRowsThatAFailureSkipped(t *testing.T) {
	t.Parallel()
	m := inMemory(t)
	defer m.Close()
	lost := m.begin(t, 2)
	m.index.Fault = func(context.Context, []store.Outcome) error { return errors.New("it broke") }
	keepSome(t.Context(), lost, 0, 2)() // commits without rows
	m.index.Fault = nil
	// Rows of a later commit, written by somebody who did not recover first.
	later, err := m.history.Append(t.Context(), []store.Commit{{Device: "r9", Path: "default/r9.cfg", Text: []byte("x\n"), Run: "run9"}})
	if err != nil {
		t.Fatal(err)
	}
	rev := muster.Revision{ID: later[0], Blob: store.BlobID([]byte("x\n")), Device: "r9", Path: "default/r9.cfg", Run: "run9", Author: "muster", Bytes: 2}
	if err := m.index.AddRevisions(t.Context(), []muster.Revision{rev}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.index.RetainRevisions(t.Context(), func(string) bool { return true }); err != nil { // forgets the head
		t.Fatal(err)
	}
	if err := m.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	for want, err := range m.history.Newest(t.Context()) {
		if ok, e := m.index.HasRevision(t.Context(), want.ID); !ok || err != nil || e != nil {
			t.Errorf("commit %s of %s has no row", want.ID, want.Device)
		}
	}
}

// settled is a data directory with three revisions of r1 and one of r2.
func settled(t *testing.T) (s opened, reported map[string]string) {
	t.Helper()
	s = open(t, t.TempDir())
	reported = make(map[string]string)
	for run := range 3 {
		ks := []store.Kept{kept(0, "core", "r1", randomText())}
		if run == 0 {
			ks = append(ks, kept(1, "edge", "r2", randomText()))
		}
		for _, r := range s.keepAll(t, fmt.Sprintf("run%d", run), ks...) {
			reported[r.Revision] = r.Device.Name
		}
	}
	return s, reported
}

func TestRecoverRebuildsLostRows(t *testing.T) {
	t.Parallel()
	s, reported := settled(t)
	before := rowsOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"muster.db", "muster.db-wal", "muster.db-shm"} {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	again := open(t, s.dir)
	if err := again.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	verify(t, again, reported)
	for id, r := range rowsOf(t, again) {
		if r != before[id] {
			t.Errorf("rebuilt %+v\nwas     %+v", r, before[id])
		}
	}
}

func TestRecoverDropsRowsWithoutCommits(t *testing.T) {
	t.Parallel()
	s, reported := settled(t)
	old := filepath.Join(s.dir, "restored.git") // an older state of the repository, as from a copy
	if out, err := exec.Command("git", "clone", "--quiet", "--mirror", s.git(), old).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	runGit(t, old, "update-ref", "refs/heads/main", "main~1")
	newest := strings.TrimSpace(runGit(t, s.git(), "rev-parse", "main"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(s.git()), os.Rename(old, s.git())); err != nil {
		t.Fatal(err)
	}
	again := open(t, s.dir)
	r := again.keepAll(t, "next", kept(0, "edge", "r2", randomText()))
	delete(reported, newest)
	reported[r[0].Revision] = "r2"
	verify(t, again, reported)
	if ok, _ := again.Index.HasRevision(t.Context(), newest); ok {
		t.Error("a row points at a commit that is gone")
	}
	if d, err := again.Index.Device(t.Context(), "r1"); err != nil || !strings.Contains(gitCommits(t, again), d.Revision) {
		t.Errorf("r1 points at %q, %v", d.Revision, err)
	}
}

func TestCommitsOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	s, reported := settled(t)
	tree := strings.TrimSpace(runGit(t, s.git(), "rev-parse", "main^{tree}"))
	theirs := strings.TrimSpace(runGit(t, s.git(), "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", "-p", "main", "-m", "a note", tree))
	runGit(t, s.git(), "update-ref", "refs/heads/main", theirs)
	r := s.keepAll(t, "next", kept(0, "edge", "r2", randomText()), kept(1, "core", "r1", randomText()))
	for _, r := range r {
		if r.Failure != nil {
			t.Fatal(r.Failure)
		}
		reported[r.Revision] = r.Device.Name
	}
	rows := rowsOf(t, s)
	if _, ok := rows[theirs]; ok || len(rows) != len(reported) {
		t.Errorf("got %d rows, want those of muster's %d commits", len(rows), len(reported))
	}
	fsck(t, s.dir)
	if !strings.Contains(gitCommits(t, s), theirs) {
		t.Error("the commit of somebody else is gone")
	}
}

func TestBranchMovedDuringARunFailsTheWrite(t *testing.T) {
	t.Parallel()
	s, _ := settled(t)
	b, err := s.Begin(t.Context(), job("next"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if r := b.Keep(t.Context(), kept(0, "core", "r1", randomText())); r.Failure != nil {
		t.Fatal(r.Failure)
	}
	tree := strings.TrimSpace(runGit(t, s.git(), "rev-parse", "main^{tree}"))
	theirs := strings.TrimSpace(runGit(t, s.git(), "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", "-p", "main", "-m", "a note", tree))
	runGit(t, s.git(), "update-ref", "refs/heads/main", theirs)
	r := b.Keep(t.Context(), kept(0, "core", "r1", randomText()))
	if r.Status != muster.StatusFailed || !strings.Contains(r.Failure.Error(), "moved by somebody else") {
		t.Fatalf("got %s %v", r.Status, r.Failure)
	}
	if r := b.Keep(t.Context(), kept(0, "core", "r1", randomText())); r.Failure != nil {
		t.Fatal(r.Failure)
	}
	fsck(t, s.dir)
}

func TestRecoverRestoresLatestTexts(t *testing.T) {
	t.Parallel()
	s, reported := settled(t)
	core := filepath.Join(s.dir, "configs", "core")
	if _, err := s.Begin(t.Context(), job("cut short"), 1); err != nil { // never ended: what follows was a crash
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(core, "r1.cfg"), nil, 0o600),
		os.WriteFile(filepath.Join(core, ".new-r1.cfg"), []byte("half"), 0o600), os.RemoveAll(filepath.Join(s.dir, "configs", "edge"))); err != nil {
		t.Fatal(err)
	}
	if err := s.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	verify(t, s, reported)
	if _, err := os.Stat(filepath.Join(core, ".new-r1.cfg")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a half written file was left")
	}
}

func TestUnchangedDeviceGetsItsFileBack(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	s.keepAll(t, "run1", kept(0, "core", "r1", "one\n"))
	file := filepath.Join(s.dir, "configs", "core", "r1.cfg")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if r := s.keepAll(t, "run2", kept(0, "core", "r1", "one\n")); r[0].Status != muster.StatusUnchanged {
		t.Errorf("got %s", r[0].Status)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "one\n" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestDeviceThatMovesTakesItsFileAlong(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	s.keepAll(t, "run1", kept(0, "core", "r1", "one\n"))
	s.keepAll(t, "run2", kept(0, "edge", "r1", "two\n"))
	if got := runGit(t, s.git(), "ls-tree", "-r", "--name-only", "main"); got != "edge/r1.cfg\n" {
		t.Errorf("git's tree holds %q", got)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "configs", "*", "*"))
	if err != nil || len(files) != 1 || filepath.Base(filepath.Dir(files[0])) != "edge" {
		t.Errorf("the latest texts are %v, %v", files, err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "configs", "core")); !errors.Is(err, os.ErrNotExist) {
		t.Error("the empty directory of the group was left")
	}
}

func TestEverythingIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	s, _ := settled(t)
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == s.dir {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", strings.TrimPrefix(path, s.dir), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLatestTextsCannotEscape(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	dir := t.TempDir()
	s, err := store.New(new(storetest.History), new(storetest.Index), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Symlink(outside, filepath.Join(dir, "core")); err != nil {
		t.Fatal(err)
	}
	b, err := s.Begin(t.Context(), job("run1"), 1)
	if err != nil {
		t.Fatal(err)
	}
	r := b.Keep(t.Context(), kept(0, "core", "r1", "one\n"))
	if r.Status != muster.StatusNew || r.Warning == "" {
		t.Errorf("got %s %q, want it stored with a warning", r.Status, r.Warning)
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("%d files were written through a link", len(left))
	}
}
