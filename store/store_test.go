package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/gitrepo"
	"github.com/musternet/muster/store/sqlite"
	"github.com/musternet/muster/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		os.Exit(writeUntilKilled(dir))
	}
	if dir := os.Getenv(holderEnv); dir != "" {
		os.Exit(holdLock(dir))
	}
	goleak.VerifyTestMain(m)
}

// opened is a data directory with its Store.
type opened struct {
	*store.Store
	dir string
}

func (o opened) git() string { return filepath.Join(o.dir, "configs.git") }

func open(t testing.TB, dir string) opened {
	t.Helper()
	s, err := openStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return opened{s, dir}
}

func openStore(ctx context.Context, dir string) (*store.Store, error) {
	history, err := gitrepo.Open(ctx, filepath.Join(dir, "configs.git"))
	if err != nil {
		return nil, err
	}
	index, err := sqlite.Open(ctx, filepath.Join(dir, "muster.db"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	return store.New(history, index, filepath.Join(dir, "configs"))
}

func job(run string) muster.Job {
	return muster.Job{Run: run, Kind: "backup", Trigger: "manual", Started: time.Now()}
}

func kept(i int, group, name, text string) store.Kept {
	dev := muster.Device{Name: name, Address: "198.18.0.1", Group: group}
	return store.Kept{
		Result: muster.Result{Index: i, Device: dev, Attempts: 1},
		Config: muster.Config{Device: name, Platform: "frr", Text: []byte(text)},
	}
}

// keepAll keeps all at once, as a run does, and returns the results in order.
func (o opened) keepAll(t testing.TB, run string, ks ...store.Kept) []muster.Result {
	t.Helper()
	b, err := o.Begin(t.Context(), job(run), len(ks))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]muster.Result, len(ks))
	var wg sync.WaitGroup
	for i, k := range ks {
		wg.Go(func() { out[i] = b.Keep(t.Context(), k) })
	}
	wg.Wait()
	if err := b.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out
}

// run runs git as a person would, with none of the settings that muster uses.
func runGit(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"--git-dir=" + dir}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.RunStore(t, func(t *testing.T) *store.Store { return open(t, t.TempDir()).Store })
}

func TestKeepTellsNewChangedAndUnchanged(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	start := time.Now()
	first := s.keepAll(t, "run1", kept(0, "", "r1", "a\nb\nc\n"), kept(1, "core", "r2", "x\n"))
	if took := time.Since(start); took > 900*time.Millisecond {
		t.Errorf("a run whose devices have all come waited for company: %v", took)
	}
	second := s.keepAll(t, "run2", kept(0, "", "r1", "a\nB\nc\nd\n"), kept(1, "core", "r2", "x\n"))
	want := []string{"new +3 -0", "new +1 -0", "changed +2 -1", "unchanged +0 -0"}
	for i, r := range append(first, second...) {
		if r.Failure != nil {
			t.Fatal(r.Failure)
		}
		if got := fmt.Sprintf("%s +%d -%d", r.Status, r.Added, r.Removed); got != want[i] {
			t.Errorf("result %d: got %s, want %s", i, got, want[i])
		}
	}
	if first[1].Revision != second[1].Revision || first[1].Revision == "" {
		t.Errorf("an unchanged device has revision %q, want the one before, %q", second[1].Revision, first[1].Revision)
	}
	runGit(t, s.git(), "fsck", "--full", "--strict")
	if got := runGit(t, s.git(), "show", "main:default/r1.cfg"); got != "a\nB\nc\nd\n" {
		t.Errorf("git show prints %q", got)
	}
	if got := runGit(t, s.git(), "rev-list", "--count", "main"); got != "3\n" {
		t.Errorf("there are %s commits, want 3", got)
	}
	latest, err := os.ReadFile(filepath.Join(s.dir, "configs", "default", "r1.cfg"))
	if err != nil || string(latest) != "a\nB\nc\nd\n" {
		t.Errorf("the file of the latest text holds %q, %v", latest, err)
	}
}
