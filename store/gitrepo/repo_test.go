package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/gitrepo"
)

func one(device, text string) []store.Commit {
	return []store.Commit{{Device: device, Path: "g/" + device + ".cfg", Text: []byte(text), Time: time.Unix(1700000000, 0),
		Author: "Ada", Run: "run1", Trigger: "syslog", New: true, Added: 1}}
}

func appendOne(t *testing.T, r *gitrepo.Repo, text string) {
	t.Helper()
	if _, err := r.Append(t.Context(), one("r1", text)); err != nil {
		t.Fatal(err)
	}
}

func gitOut(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"--git-dir=" + dir}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestForeignDirectoriesAreRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(dir string) error{
		"a directory with files": func(dir string) error { return os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600) },
		"a repository on another branch": func(dir string) error {
			return exec.Command("git", "init", "-q", "--bare", "--initial-branch=trunk", dir).Run()
		},
		"a repository without objects": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "HEAD"), []byte("ref: refs/heads/main\n"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := make(dir); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadDir(dir)
			for _, open := range []func() (*gitrepo.Repo, error){
				func() (*gitrepo.Repo, error) { return gitrepo.Open(t.Context(), dir) },
				func() (*gitrepo.Repo, error) { return gitrepo.OpenExisting(dir) },
			} {
				if _, err := open(); err == nil || !strings.Contains(err.Error(), dir) {
					t.Errorf("got %v, want an error that names the directory", err)
				}
			}
			if after, _ := os.ReadDir(dir); len(after) != len(before) {
				t.Errorf("the directory held %d entries and now %d", len(before), len(after))
			}
		})
	}
	if _, err := gitrepo.OpenExisting(filepath.Join(t.TempDir(), "none")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestTheCallersGitSettingsDoNotMatter(t *testing.T) {
	home := t.TempDir()
	config := "[fastimport]\n\tunpackLimit = 1000\n[user]\n\tname = Mallory\n[init]\n\tdefaultBranch = trunk\n[log]\n\tshowSignature = true\n[core]\n\tbare = nonsense\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"HOME": home, "GIT_DIR": "/nonexistent", "GIT_WORK_TREE": "/", "GIT_INDEX_FILE": "/x",
		"GIT_OBJECT_DIRECTORY": "/x", "GIT_AUTHOR_NAME": "Mallory", "GIT_TRACE": "1", "LC_ALL": "de_DE.UTF-8", "GIT_DEFAULT_HASH": "sha256"} {
		t.Setenv(k, v)
	}
	r := open(t, filepath.Join(t.TempDir(), "configs.git"))
	appendOne(t, r, "one\n")
	for rev, err := range r.Newest(t.Context()) {
		if err != nil || rev.Author != "Ada" || rev.Device != "r1" {
			t.Errorf("got %+v, %v", rev, err)
		}
	}
}

func TestGitLogShowsWhoWhatAndWhy(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "configs.git")
	r := open(t, dir)
	appendOne(t, r, "one\n")
	c := one("r1", "two\n")
	c[0].New, c[0].Added, c[0].Removed = false, 3, 2
	if _, err := r.Append(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	const format = "--format=%an <%ae> / %cn <%ce> / %s / %(trailers:key=Muster-Run,valueonly,separator=%x2C) %(trailers:key=Muster-Device,valueonly,separator=%x2C) %(trailers:key=Muster-Trigger,valueonly,separator=%x2C)"
	want := "Ada <Ada@localhost> / muster <muster@localhost> / r1: +3 -2 lines / run1 r1 syslog\n" +
		"Ada <Ada@localhost> / muster <muster@localhost> / r1: new, 1 lines / run1 r1 syslog\n"
	if got := gitOut(t, dir, "log", format); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTheRepositoryStaysPacked(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "configs.git")
	r := open(t, dir)
	for i := range 70 {
		appendOne(t, r, fmt.Sprintf("text %d\n", i))
		if i%5 == 4 {
			if err := r.Maintain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	packs, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
	if err != nil || len(packs) > 20 {
		t.Errorf("there are %d packs, %v", len(packs), err)
	}
	if loose, _ := filepath.Glob(filepath.Join(dir, "objects", "[0-9a-f][0-9a-f]")); len(loose) > 0 {
		t.Errorf("there are loose objects in %d directories", len(loose))
	}
	if out := gitOut(t, dir, "fsck", "--full", "--strict", "--no-progress"); out != "" {
		t.Errorf("git fsck says %s", out)
	}
	if n := strings.TrimSpace(gitOut(t, dir, "rev-list", "--count", "main")); n != "70" {
		t.Errorf("there are %s commits", n)
	}
}

func TestRecoverClearsWhatAKilledGitLeft(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "configs.git")
	r := open(t, dir)
	appendOne(t, r, "one\n")
	if err := r.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := []string{"refs/heads/main.lock", "HEAD.lock", "packed-refs.lock", "config.lock", "fast_import_crash_123",
		"objects/pack/tmp_pack_x", "objects/pack/tmp_idx_x", "objects/pack/.tmp-1-pack-x.pack", "objects/pack/pack-x.pack"}
	old := time.Now().Add(-time.Hour)
	for _, name := range left {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	fresh := filepath.Join(dir, "packed-refs.lock") // perhaps of a person's git gc that runs now
	if err := os.Chtimes(fresh, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := r.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) != (path != fresh) {
			t.Errorf("%s: %v", name, err)
		}
	}
	appendOne(t, r, "two\n")
}

func TestRecoverGivesAYoungLockItsSecond(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "configs.git")
	r := open(t, dir)
	lock := filepath.Join(dir, "refs", "heads", "main.lock")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := r.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 500*time.Millisecond {
		t.Errorf("a lock that may be alive was removed after %v", took)
	}
	appendOne(t, r, "one\n")
}

func TestAPersonsGitMayPackTheBranch(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "configs.git")
	r := open(t, dir)
	appendOne(t, r, "one\n")
	if err := r.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	gitOut(t, dir, "gc", "--quiet")
	want := strings.TrimSpace(gitOut(t, dir, "rev-parse", "main"))
	if head, err := r.Head(t.Context()); err != nil || head != want {
		t.Errorf("got %q, %v, want %q", head, err, want)
	}
	appendOne(t, r, "two\n")
	if n := strings.TrimSpace(gitOut(t, dir, "rev-list", "--count", "main")); n != "2" {
		t.Errorf("there are %s commits", n)
	}
}

func TestTextsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	r := open(t, filepath.Join(t.TempDir(), "configs.git"))
	appendOne(t, r, "one\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	blob, n := store.BlobID([]byte("one\n")), 0
	endless := func(yield func(string) bool) {
		for yield(blob) {
		}
	}
	for _, err := range r.Texts(ctx, endless) {
		if n++; n == 3 {
			cancel()
		}
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the context's error", err)
			}
			return
		}
	}
	t.Error("an endless reading ended without an error")
}
