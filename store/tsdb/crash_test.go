package tsdb_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store/tsdb"
)

// perBatch is how many series the child writes at a time; some of them are new in each batch.
const perBatch = 40

func batch(n int) []muster.Sample {
	some := make([]muster.Sample, perBatch)
	for i := range some {
		some[i] = rtt("r"+strconv.Itoa(i), at.Add(time.Duration(n)*time.Second), float64(n))
	}
	some[0].Labels["device"] = "new" + strconv.Itoa(n)
	some[1].Time = some[1].Time.Add(-time.Minute) // late ones have a log of their own
	return some
}

// writeForEver is the process that is killed. It says which batches were written, and goes on where the last one ended.
func writeForEver(dir string) {
	d, err := tsdb.Open(dir, tsdb.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	first, _ := strconv.Atoi(os.Getenv(childDir + "_FIRST"))
	for n := first; ; n++ {
		if err := d.Write(context.Background(), batch(n)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// writeAndKill returns the last batch that the child said it had written.
func writeAndKill(t *testing.T, dir string, first int, after time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprintf("%s_FIRST=%d", childDir, first))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := first - 1
	lines := bufio.NewScanner(out)
	var kill *time.Timer
	for lines.Scan() {
		if kill == nil {
			kill = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait() // it was killed
	if kill == nil {
		t.Fatalf("the child wrote nothing: %s", stderr.String())
	}
	return last
}

func TestAKilledProcessLosesNothingThatWasWritten(t *testing.T) {
	t.Parallel()
	rounds := 12
	if *long {
		rounds = 50
	}
	dir := t.TempDir()
	next, cut := 0, make(map[int]bool)
	for range rounds {
		last := writeAndKill(t, dir, next, time.Duration(rand.IntN(120))*time.Millisecond)
		verifyBatches(t, dir, last, cut)
		cut[last+1] = true // it may or may not be there
		next = last + 2
	}
	t.Logf("%d rounds, %d batches", rounds, next)
}

// verifyBatches checks every acknowledged sample; those of batches that were cut short may be there.
func verifyBatches(t *testing.T, dir string, last int, cut map[int]bool) {
	t.Helper()
	d, err := tsdb.Open(dir, tsdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	expr := fmt.Sprintf("muster_probe_rtt_seconds[%ds]", last+200)
	got, err := d.Query(t.Context(), expr, at.Add(time.Duration(last+10)*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]map[time.Time]float64)
	for _, s := range got {
		points := make(map[time.Time]float64)
		for _, p := range s.Points {
			points[p.Time] = p.Value
		}
		have[s.Labels["device"]] = points
	}
	for n := range last + 1 {
		if cut[n] {
			continue
		}
		for _, s := range batch(n) {
			if v, ok := have[s.Labels["device"]][s.Time]; !ok || v != s.Value {
				t.Fatalf("batch %d of %d: %s at %v is %v (there: %v)", n, last, s.Labels["device"], s.Time, v, ok)
			}
		}
	}
}

// heard is a log that a test reads.
type heard struct{ bytes.Buffer }

func (h *heard) log() *slog.Logger { return slog.New(slog.NewTextHandler(&h.Buffer, nil)) }

// written is how many samples of one device filled writes.
const written = (2*24 + 1) * 60

// filled is a directory with blocks, a checkpoint, chunks and a log, closed.
func filled(t *testing.T) (dir string, last time.Time) {
	t.Helper()
	dir = t.TempDir()
	halfDays(t, dir, 4, tsdb.Options{})
	d := open(t, dir, tsdb.Options{})
	last = hours(t, d, 48, 1)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, last
}

func one(t *testing.T, pattern ...string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(found) == 0 {
		t.Fatalf("%v: nothing is there (%v)", pattern, err)
	}
	for i, file := range slices.Backward(found) {
		if i == 0 || size(t, file) > 0 {
			return file
		}
	}
	return ""
}

func damage(t *testing.T, file string, at int64, with string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(with), at); err != nil {
		t.Fatal(err)
	}
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func truncate(t *testing.T, file string, size int64) {
	t.Helper()
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
}

func TestWhatACrashLeftIsRepairedAndSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damaged func(t *testing.T, dir string)
		least   int // samples that are left
		said    string
	}{
		"an end of the log that is torn": {func(t *testing.T, dir string) {
			log := one(t, dir, "wal", "0*")
			truncate(t, log, 4007)
		}, written - 60, ""},
		"an end of the log that is noise": {func(t *testing.T, dir string) {
			log := one(t, dir, "wal", "0*")
			damage(t, log, 4007, strings.Repeat("\xa5", 100))
		}, written - 60, "Encountered WAL read error"},
		"a checkpoint that is noise": {func(t *testing.T, dir string) {
			damage(t, one(t, dir, "wal", "checkpoint.*", "0*"), 200, strings.Repeat("\xa5", 100))
		}, written / 2, "a checkpoint of the log is damaged"},
		"a block with half an index": {func(t *testing.T, dir string) {
			index := one(t, dir, "0*", "index")
			truncate(t, index, size(t, index)/2)
		}, written / 6, "is put aside"},
		"a block without chunks": {func(t *testing.T, dir string) {
			if err := os.RemoveAll(one(t, dir, "0*", "chunks")); err != nil {
				t.Fatal(err)
			}
		}, written / 6, "is put aside"},
		"a block that was only begun": {func(t *testing.T, dir string) {
			if err := os.Remove(one(t, dir, "0*", "meta.json")); err != nil {
				t.Fatal(err)
			}
		}, written / 6, "is put aside"},
		"chunks that are noise": {func(t *testing.T, dir string) {
			damage(t, one(t, dir, "chunks_head", "0*"), 40, strings.Repeat("\xa5", 60))
		}, written, "Loading on-disk chunks failed"},
		"chunks without a head": {func(t *testing.T, dir string) {
			damage(t, one(t, dir, "chunks_head", "0*"), 0, "\xa5\xa5\xa5\xa5\xa5\xa5")
		}, written, "is put aside"},
		"chunks with a gap": {func(t *testing.T, dir string) {
			head := filepath.Join(dir, "chunks_head")
			if err := os.Rename(one(t, head, "0*"), filepath.Join(head, "000001")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(head, "000007"), []byte("noise"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, written, "is put aside"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, last := filled(t)
			c.damaged(t, dir)
			var said heard
			d, err := tsdb.Open(dir, tsdb.Options{Log: said.log()})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if !strings.Contains(said.String(), c.said) {
				t.Errorf("it was not said that %q:\n%s", c.said, said.String())
			}
			next := last.Add(time.Minute)
			write(t, d, rtt("r1", next, -1))
			if got := value(t, d, `muster_probe_rtt_seconds{device="r1"}`, next); got != -1 {
				t.Errorf("got %v, want what was written since", got)
			}
			kept := value(t, d, `count_over_time(muster_probe_rtt_seconds{device="r1"}[3d])`, next)
			if int(kept) < c.least {
				t.Errorf("%v of %d samples are left, want %d:\n%s", kept, written+1, c.least, said.String())
			}
		})
	}
}

func TestADirectoryThatCannotBeWrittenIsOneSentence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := tsdb.Open(file, tsdb.Options{})
	if err == nil || !strings.HasPrefix(err.Error(), "open sample history: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}
