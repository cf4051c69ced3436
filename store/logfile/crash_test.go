package logfile_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
)

const writerEnv = "MUSTER_TEST_LOGFILE_WRITER"

// writeUntilKilled is the other process: it appends numbered lines at full rate for ever, and prints how many of them are durable.
func writeUntilKilled(dir string) int {
	if err := writeForEver(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 1
}

func writeForEver(ctx context.Context, dir string) error {
	a, err := logfile.Open(dir, logfile.Options{SegmentBytes: 1 << 20, Sync: 5 * time.Millisecond, Buffer: 8 << 20})
	if err != nil {
		return err
	}
	begun := 0
	for l, err := range logfile.Search(ctx, dir, store.LogQuery{Newest: true, Limit: 1}) {
		if err != nil {
			return err
		}
		begun = int(l.Sequence)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.Run(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	})
	running.Go(func() {
		for range time.Tick(time.Millisecond) {
			fmt.Println(begun + int(a.Counts().Durable))
		}
	})
	for n := begun + 1; ; n++ {
		text := fmt.Appendf(nil, `{"received":"2026-01-02T03:04:05Z","source":"198.18.0.1","device":"r1","severity":"info","sequence":%d,"raw":"%0400d"}`+"\n", n, n)
		if err := a.Append(ctx, text, at); err != nil {
			return err
		}
	}
}

func TestAKilledWriterLosesNothingThatIsDurable(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short: kills many processes")
	}
	dir := t.TempDir()
	all, torn, packed := 0, 0, 0
	for range 10 {
		durable := runAndKill(t, dir, all+rand.IntN(3000), time.Duration(rand.IntN(50))*time.Millisecond)
		found := search(t, dir, store.LogQuery{}) // readers always work, before anything was mended
		if len(found) < durable || len(found) < all {
			t.Fatalf("%d lines are there, %d were durable", len(found), max(durable, all))
		}
		all = len(found)
		if diff := cmp.Diff(count(1, all), found); diff != "" {
			t.Fatal("lines are missing or there twice")
		}
		a := open(t, dir, logfile.Options{})
		if a.Counts().Torn > 0 {
			torn++
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		packed = max(packed, len(glob(t, dir, "*.zst")))
	}
	t.Logf("%d lines, %d compressed segments, %d torn lines", all, packed, torn)
	if all < 5000 || packed == 0 {
		t.Error("the writers hardly wrote: the test shows nothing")
	}
	a := open(t, dir, logfile.Options{})
	tidy(t, a)
	verifyTidy(t, dir)
	if got := search(t, dir, store.LogQuery{}); len(got) != all {
		t.Errorf("%d lines are left of %d", len(got), all)
	}
}

// runAndKill runs a writer, kills it with SIGKILL a moment after it said that so many lines are durable, and returns how many it
// said are.
func runAndKill(t *testing.T, dir string, lines int, after time.Duration) (durable int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
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
	enough := false
	for in := bufio.NewReader(stdout); ; {
		text, err := in.ReadString('\n')
		if err != nil {
			break // a last line without its end was not said
		}
		if _, err := fmt.Sscan(text, &durable); err != nil {
			t.Fatal(err)
		}
		if !enough && durable >= lines {
			enough = true
			defer time.AfterFunc(after, cancel).Stop()
		}
	}
	if err := cmd.Wait(); ctx.Err() == nil {
		t.Fatalf("the writer ended by itself: %v\n%s", err, said.String())
	}
	return durable
}

// verifyTidy checks that all closed segments are compressed, have an index, and that nothing else is there.
func verifyTidy(t *testing.T, dir string) {
	t.Helper()
	if left := glob(t, dir, "*.tmp"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, file := range glob(t, dir, "*.jsonl") {
		if info, err := os.Stat(file); err != nil || info.Size() > 0 {
			t.Errorf("%s is not compressed", filepath.Base(file))
		}
	}
	for _, file := range glob(t, dir, "*.zst") {
		if _, err := os.Stat(strings.TrimSuffix(file, ".jsonl.zst") + ".index.json"); err != nil {
			t.Error(err)
		}
	}
	if a, b := len(glob(t, dir, "*.zst")), len(glob(t, dir, "*.index.json")); a != b {
		t.Errorf("%d segments and %d indexes", a, b)
	}
}

func TestACrashWhileCompressingLeavesEachLineOnce(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"begun", "written", "indexed", "renamed"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a := open(t, dir, logfile.Options{})
			add(t, a, 1, 3000)
			if err := errors.Join(a.Commit(), a.Turn()); err != nil {
				t.Fatal(err)
			}
			add(t, a, 3001, 3010)
			if err := a.Commit(); err != nil {
				t.Fatal(err)
			}
			text := textOf(t, dir)
			a.CrashAt(step)
			if err := a.Tidy(t.Context()); !errors.Is(err, logfile.ErrCrash) {
				t.Fatalf("it did not come to a crash: %v", err)
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			check := func(when string) {
				t.Helper()
				if diff := cmp.Diff(count(1, 3010), search(t, dir, store.LogQuery{})); diff != "" {
					t.Errorf("%s:\n%s", when, diff)
				}
				if got := search(t, dir, store.LogQuery{Since: at.Add(time.Hour), Devices: []string{"none"}}); len(got) > 0 {
					t.Errorf("%s: %v", when, got)
				}
			}
			check("after the crash")
			b := open(t, dir, logfile.Options{})
			check("opened again")
			tidy(t, b)
			check("mended")
			verifyTidy(t, dir)
			if textOf(t, dir) != text {
				t.Error("the text is another one")
			}
		})
	}
}

func TestATornLineIsCutOff(t *testing.T) {
	t.Parallel()
	whole := `{"received":"2026-01-02T03:04:05Z","sequence":1}` + "\n"
	for name, c := range map[string]struct {
		text string
		left string
	}{
		"nothing is torn":                 {whole, whole},
		"half a line":                     {whole + `{"received":`, whole},
		"nothing but half a line":         {`{"received":`, ""},
		"a long half of a line":           {whole + strings.Repeat("x", 200_000), whole},
		"a hole that a power loss left":   {whole + strings.Repeat("\x00", 8192), whole},
		"an empty file":                   {"", ""},
		"half a line of several megabyte": {strings.Repeat(whole, 1000) + strings.Repeat("x", 3<<20), strings.Repeat(whole, 1000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "0000000007-20260102T030405Z.jsonl")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			had := strings.Count(c.left, "\n")
			if got := search(t, dir, store.LogQuery{}); len(got) != had {
				t.Errorf("before it is mended %d lines are found, want %d", len(got), had)
			}
			var said heard
			a := open(t, dir, logfile.Options{Log: said.log()})
			text, err := os.ReadFile(file)
			if err != nil || string(text) != c.left {
				t.Errorf("%d bytes are left, want %d: %v", len(text), len(c.left), err)
			}
			torn := int64(len(c.text) - len(c.left))
			if got := a.Counts().Torn; got != torn || strings.Contains(said.String(), fmt.Sprintf("bytes=%d", torn)) != (torn > 0) {
				t.Errorf("counted %d, want %d:\n%s", got, torn, said.String())
			}
			add(t, a, 2, 2)
			if err := a.Commit(); err != nil {
				t.Fatal(err)
			}
			if got := search(t, dir, store.LogQuery{}); len(got) != had+1 {
				t.Errorf("with one line more %d are found", len(got))
			}
			if c.left == "" && len(glob(t, dir, "*.jsonl")) != 1 {
				t.Error("an empty segment was not gone on with")
			}
		})
	}
}
