package store_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

const (
	writerEnv = "MUSTER_TEST_STORE_WRITER"
	fleet     = 300
)

var long = flag.Bool("long", false, "kill a writer 100 times instead of 20")

// writeUntilKilled is the other process: it keeps random changes of a fleet for ever and prints each result that was
// reported to it.
func writeUntilKilled(dir string) int {
	ctx := context.Background()
	lock, err := store.LockDir(ctx, dir, "test writer")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer lock.Unlock()
	s, err := openStore(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var out sync.Mutex
	report := func(r muster.Result) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf("%s %s %s\n", r.Device.Name, r.Status, r.Revision)
	}
	for {
		run := fmt.Sprintf("%d-%d", time.Now().UnixNano(), os.Getpid())
		if err := writeRun(ctx, s, run, report); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}

func writeRun(ctx context.Context, s *store.Store, run string, report func(muster.Result)) error {
	devices := rand.Perm(fleet)[:1+rand.IntN(fleet)]
	b, err := s.Begin(ctx, job(run), len(devices))
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for i, d := range devices {
		wg.Go(func() {
			group := fmt.Sprintf("g%d", (d+rand.IntN(20)/19)%3) // one in twenty moves
			k := kept(i, group, fmt.Sprintf("r%d", d), randomText())
			if i%7 == 0 {
				report(b.Fail(ctx, store.Outcome{Result: muster.Result{Index: i, Device: k.Result.Device,
					Failure: &muster.Failure{Stage: muster.StageConnect, Code: "refused", Err: errors.New("refused")}}}))
				return
			}
			report(b.Keep(ctx, k))
		})
	}
	wg.Wait()
	return b.End(ctx)
}

// randomText ends in a digest of itself: a half written one cannot pass for whole.
func randomText() string { return randomLines(1 + rand.IntN(100)) }

func randomLines(n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "interface eth%d\n description %x\n", rand.IntN(40), rand.Uint64())
	}
	return fmt.Sprintf("%s! %x\n", b.String(), sha256.Sum256([]byte(b.String())))
}

func whole(text []byte) bool {
	body, digest, ok := bytes.Cut(text, []byte("! "))
	return ok && string(digest) == fmt.Sprintf("%x\n", sha256.Sum256(body))
}

func TestKilledWriterLosesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short: kills many processes")
	}
	rounds := 20
	if *long {
		rounds = 100
	}
	dir := t.TempDir()
	reported := make(map[string]string) // revision to device
	for range rounds {
		runAndKill(t, dir, rand.IntN(60), time.Duration(rand.IntN(20_000))*time.Microsecond, reported)
		// Readers always work: the repository is sound before anything was mended and while an orphan may still write.
		if _, err := os.Stat(filepath.Join(dir, "configs.git")); err == nil {
			fsck(t, dir)
		}
		s, err := openStore(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		o := opened{s, dir}
		if err := s.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		verify(t, o, reported)
		for i, r := range o.keepAll(t, fmt.Sprintf("next%d", rand.Uint64()), kept(0, "g0", "r0", randomText()), kept(1, "g1", "r1", randomText())) {
			if r.Status == muster.StatusFailed {
				t.Fatalf("the next run failed at device %d: %v", i, r.Failure)
			}
			reported[r.Revision] = r.Device.Name
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d revisions were reported in %d rounds", len(reported), rounds)
	if len(reported) < rounds*10 {
		t.Error("the writers hardly wrote: the test shows nothing")
	}
}

// runAndKill runs a writer, kills it with SIGKILL a moment after it reported so many devices, and adds what it reported. With none it is
// killed while it starts.
func runAndKill(t *testing.T, dir string, devices int, after time.Duration, reported map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), writerEnv+"="+dir)
	var said bytes.Buffer
	cmd.Stderr = &said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(stdout)
	for n := 0; ; n++ {
		if n == devices {
			time.AfterFunc(after, cancel)
		}
		line, err := in.ReadString('\n')
		if err != nil {
			break // a last line without its end was not reported
		}
		var device, status, revision string
		fmt.Sscan(line, &device, &status, &revision)
		if muster.Status(status) == muster.StatusFailed {
			continue
		}
		if len(revision) != 40 {
			t.Fatalf("the writer reported %q", line)
		}
		reported[revision] = device
	}
	if err := cmd.Wait(); !errors.Is(ctx.Err(), context.Canceled) {
		t.Fatalf("the writer ended by itself, or wrote nothing for minutes: %v\n%s", err, said.String())
	}
}

func fsck(t *testing.T, dir string) {
	t.Helper()
	out := runGit(t, filepath.Join(dir, "configs.git"), "fsck", "--full", "--strict", "--no-dangling", "--no-progress")
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "notice: ") { // it takes notice of a branch without a commit
			t.Fatalf("git fsck says: %s", out)
		}
	}
}

// verify checks everything that must hold after a recovery.
func verify(t *testing.T, s opened, reported map[string]string) {
	t.Helper()
	fsck(t, s.dir)
	commits := strings.Fields(gitCommits(t, s))
	rows := rowsOf(t, s)
	if len(rows) != len(commits) {
		t.Fatalf("%d commits and %d rows", len(commits), len(rows))
	}
	for _, id := range commits {
		if _, ok := rows[id]; !ok {
			t.Fatalf("commit %s has no row", id)
		}
	}
	for id, device := range reported {
		if r, ok := rows[id]; !ok || r.Device != device {
			t.Fatalf("revision %s of %s was reported and is not there", id, device)
		}
	}
	verifyTexts(t, s, slices.Collect(mapValues(rows)))
	verifyLatest(t, s)
	for _, pattern := range []string{"*.lock", "refs/heads/*.lock", "objects/pack/tmp_*", "objects/pack/.tmp-*", "fast_import_crash_*"} {
		if left, _ := filepath.Glob(filepath.Join(s.git(), pattern)); len(left) > 0 {
			t.Fatalf("left behind: %v", left)
		}
	}
}

func gitCommits(t *testing.T, s opened) string {
	t.Helper()
	if head, err := s.History.Head(t.Context()); err != nil || head == "" {
		return ""
	}
	return runGit(t, s.git(), "rev-list", "main")
}

func rowsOf(t *testing.T, s opened) map[string]muster.Revision {
	t.Helper()
	revs, err := s.Index.RevisionsSince(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]muster.Revision, len(revs))
	for _, r := range revs {
		rows[r.ID] = r
	}
	return rows
}

func mapValues(m map[string]muster.Revision) iter.Seq[muster.Revision] {
	return func(yield func(muster.Revision) bool) {
		for _, r := range m {
			if !yield(r) {
				return
			}
		}
	}
}

func verifyTexts(t *testing.T, s opened, revs []muster.Revision) {
	t.Helper()
	blobs := func(yield func(string) bool) {
		for _, r := range revs {
			if !yield(r.Blob) {
				return
			}
		}
	}
	i := 0
	for text, err := range s.History.Texts(t.Context(), blobs) {
		if err != nil {
			t.Fatal(err)
		}
		if r := revs[i]; !whole(text) || len(text) != r.Bytes || store.BlobID(text) != r.Blob {
			t.Fatalf("revision %s of %s is not whole", r.ID, r.Device)
		}
		i++
	}
	if i != len(revs) {
		t.Fatalf("%d texts came for %d revisions", i, len(revs))
	}
}

// verifyLatest compares the files with git's own newest tree and with the rows' newest revisions.
func verifyLatest(t *testing.T, s opened) {
	t.Helper()
	revs, err := s.Index.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for _, r := range revs {
		want[r.Path] = r.Blob
	}
	if len(revs) > 0 {
		var tree int
		for line := range strings.Lines(runGit(t, s.git(), "ls-tree", "-r", "main")) {
			var mode, kind, blob, path string
			fmt.Sscan(line, &mode, &kind, &blob, &path)
			if want[path] != blob {
				t.Fatalf("git has blob %s at %s, the rows say %q", blob, path, want[path])
			}
			tree++
		}
		if tree != len(want) {
			t.Fatalf("git's tree holds %d files, the rows say %d", tree, len(want))
		}
	}
	for path, blob := range want {
		f, err := os.Open(filepath.Join(s.dir, "configs", path))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil || store.BlobID(text) != blob {
			t.Fatalf("the file of the latest text at %s is not the latest: %v", path, err)
		}
	}
}
