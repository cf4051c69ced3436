package logfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
)

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// days appends a line at noon of each of the days with these numbers.
func days(t *testing.T, a *logfile.Archive, c *clock, some ...int) {
	t.Helper()
	for _, n := range some {
		c.set(at.AddDate(0, 0, n))
		l := line(n)
		l.Received = c.Now()
		if err := a.Append(t.Context(), encode(t, l), l.Received); err != nil {
			t.Fatal(err)
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, dir, pattern string) (all []string) {
	for _, file := range glob(t, dir, pattern) {
		all = append(all, filepath.Base(file))
	}
	return all
}

func TestEachDayBeginsASegment(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &clock{now: at}
	a := open(t, dir, logfile.Options{Now: c.Now})
	days(t, a, c, 0, 0, 1, 1, 3)
	tidy(t, a)
	want := []string{"0000000001-20260102T030405Z.jsonl.zst", "0000000002-20260103T030405Z.jsonl.zst", "0000000003-20260105T030405Z.jsonl"}
	if diff := cmp.Diff(want, names(t, dir, "*.jsonl*")); diff != "" {
		t.Error(diff)
	}
}

func TestAnEmptySegmentIsNotTurned(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &clock{now: at}
	if err := os.WriteFile(filepath.Join(dir, "0000000001-20260102T030405Z.jsonl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := open(t, dir, logfile.Options{Now: c.Now})
	days(t, a, c, 1)
	if got := names(t, dir, "*.jsonl*"); len(got) != 1 {
		t.Errorf("there are %v", got)
	}
}

func TestASegmentThatGetsNoLinesIsClosedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a, stop := run(t, dir, logfile.Options{SegmentAge: time.Hour})
		add(t, a, 1, 1)
		flush(t, a)
		time.Sleep(59 * time.Minute)
		if got := len(glob(t, dir, "*.zst")); got != 0 {
			t.Errorf("%d segments are closed before their time", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		stop()
		if got := len(glob(t, dir, "*.zst")); got != 1 {
			t.Errorf("%d segments are closed and compressed, want 1", got)
		}
	})
}

func TestAClockThatJumpsBreaksNothing(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &clock{now: at}
	a := open(t, dir, logfile.Options{Now: c.Now})
	days(t, a, c, 10, 11, 3, 2, 12, 1) // and back, and back again
	tidy(t, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, dir, logfile.Options{Now: c.Now})
	days(t, a, c, 0, 13)
	if diff := cmp.Diff([]int{10, 11, 3, 2, 12, 1, 0, 13}, search(t, dir, store.LogQuery{})); diff != "" {
		t.Errorf("the order is that of arrival:\n%s", diff)
	}
	if diff := cmp.Diff([]int{13, 0, 1}, search(t, dir, store.LogQuery{Newest: true, Limit: 3})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{3, 2, 1}, search(t, dir, store.LogQuery{Since: at.AddDate(0, 0, 1), Until: at.AddDate(0, 0, 4)})); diff != "" {
		t.Errorf("by time:\n%s", diff)
	}
	seen := map[string]bool{}
	for _, name := range names(t, dir, "*.jsonl*") {
		number, _, _ := strings.Cut(name, "-")
		if seen[number] {
			t.Errorf("the number %s is there twice", number)
		}
		seen[number] = true
	}
}

func TestOldSegmentsAreForgotten(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &clock{now: at}
	a := open(t, dir, logfile.Options{Now: c.Now, Retention: 5 * 24 * time.Hour})
	days(t, a, c, 0, 1, 2, 3, 4, 5)
	tidy(t, a)
	if got := search(t, dir, store.LogQuery{}); len(got) != 6 {
		t.Errorf("too early: got %v", got)
	}
	c.set(at.AddDate(0, 0, 7))
	tidy(t, a)
	if diff := cmp.Diff([]int{2, 3, 4, 5}, search(t, dir, store.LogQuery{})); diff != "" {
		t.Error(diff)
	}
	if got := a.Counts().Segments; got != 4 || len(glob(t, dir, "*.index.json")) != 3 {
		t.Errorf("%d segments are counted, there are indexes of %v", got, names(t, dir, "*.index.json"))
	}
	c.set(at.AddDate(1, 0, 0))
	tidy(t, a)
	if diff := cmp.Diff([]int{5}, search(t, dir, store.LogQuery{})); diff != "" {
		t.Errorf("the one that is written stays:\n%s", diff)
	}
}

func TestSegmentsWithoutAnIndexAreForgottenByTheirFiles(t *testing.T) {
	t.Parallel()
	dir := filled(t, 1000)
	for _, file := range glob(t, dir, "*.zst") {
		if err := errors.Join(os.WriteFile(file, []byte("noise"), 0o600), os.Chtimes(file, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range glob(t, dir, "*.index.json") {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	c := &clock{now: at.Add(time.Hour)}
	a := open(t, dir, logfile.Options{Now: c.Now, Retention: 24 * time.Hour})
	tidy(t, a)
	had := len(glob(t, dir, "*.zst"))
	c.set(at.Add(24*time.Hour + 10*time.Minute)) // the last one was whole and has lines of the first 16 minutes
	tidy(t, a)
	if left := len(glob(t, dir, "*.zst")); had < 3 || left != 1 {
		t.Errorf("%d of %d segments are left, want the last one", left, had)
	}
}

func TestAnArchiveThatIsTooLargeForgetsTheOldest(t *testing.T) {
	t.Parallel()
	dir := filled(t, 8000)
	a := open(t, dir, logfile.Options{})
	tidy(t, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	size := func() (n int64) {
		for _, file := range glob(t, dir, "*-*") {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			n += info.Size()
		}
		return n
	}
	most := size() / 3
	a = open(t, dir, logfile.Options{MaxBytes: most})
	tidy(t, a)
	got := search(t, dir, store.LogQuery{})
	if len(got) < 1000 || len(got) > 4000 || got[len(got)-1] != 8000 || got[0] != 8001-len(got) {
		t.Errorf("%d lines are left, from %d to %d", len(got), got[0], got[len(got)-1])
	}
	if c := a.Counts(); size() > most || size() < most/2 || c.Bytes != size() || c.Segments != len(glob(t, dir, "*.zst")) {
		t.Errorf("%d bytes are left of %d, counts: %+v", size(), most, c)
	}
}

func TestIndexesAreMadeAnew(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3000)
	want := map[string]string{}
	for i, file := range glob(t, dir, "*.index.json") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if want[file] = string(text); i%2 == 0 {
			err = os.Remove(file)
		} else {
			err = os.WriteFile(file, text[:len(text)/2], 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	orphan := filepath.Join(dir, "0000000000-20200101T000000Z.index.json")
	others := filepath.Join(dir, "README.txt")
	if err := errors.Join(os.WriteFile(orphan, []byte("{}"), 0o600), os.WriteFile(others, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := search(t, dir, store.LogQuery{Devices: []string{"r1"}}); len(got) != 3000/7+1 {
		t.Errorf("without indexes %d lines are found", len(got))
	}
	tidy(t, open(t, dir, logfile.Options{}))
	for file, text := range want {
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Errorf("%s: got %s, %v, want %s", file, got, err, text)
		}
	}
	if _, err := os.Stat(orphan); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the index of no segment: %v", err)
	}
	if _, err := os.Stat(others); err != nil {
		t.Errorf("the file of somebody else: %v", err)
	}
}

func TestTheIndexOfManySenders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, logfile.Options{})
	for n := range 5000 {
		l := line(n)
		l.Device = "d" + strings.Repeat("x", n%3) + string(rune('a'+n%26)) + time.Duration(n).String()
		if err := a.Append(t.Context(), encode(t, l), l.Received); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Commit(), a.Turn()); err != nil {
		t.Fatal(err)
	}
	tidy(t, a)
	text, err := os.ReadFile(glob(t, dir, "*.index.json")[0])
	if err != nil || len(text) > 1000 || !strings.Contains(string(text), `"complete":false`) || !strings.Contains(string(text), `"worst":"emergency"`) {
		t.Errorf("got %.300s, %v", text, err)
	}
	if got := search(t, dir, store.LogQuery{Devices: []string{"dxa" + time.Duration(130).String()}}); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestReadersSeeEachLineOnceWhileItIsWrittenAndCompressed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, _ := run(t, dir, logfile.Options{SegmentBytes: 64 << 10, Sync: time.Millisecond, Buffer: 64 << 10})
	done := make(chan struct{})
	var readers sync.WaitGroup
	for _, newest := range []bool{false, true} {
		readers.Go(func() {
			for had := 0; ; {
				select {
				case <-done:
					return
				default:
				}
				got, err := numbers(logfile.Search(t.Context(), dir, store.LogQuery{Newest: newest}))
				step := 1
				if newest {
					step = -1
				}
				for i := range got[min(1, len(got)):] {
					if got[i+1] != got[i]+step {
						t.Errorf("line %d comes after %d", got[i+1], got[i])
						return
					}
				}
				if err != nil || len(got) < had {
					t.Errorf("%d lines were seen, %d before: %v", len(got), had, err)
					return
				}
				had = len(got)
			}
		})
	}
	for n := 1; n <= 5000; n += 50 {
		add(t, a, n, n+49)
		flush(t, a)
	}
	close(done)
	readers.Wait()
	if got := search(t, dir, store.LogQuery{}); len(got) != 5000 || len(glob(t, dir, "*.zst")) < 10 {
		t.Errorf("%d lines in %d compressed segments", len(got), len(glob(t, dir, "*.zst")))
	}
}

func TestCompressionWaitsForAQuietTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		most  int64 // bytes
		waits bool
	}{"while little waits": {-1, true}, "but not where much waits": {16 << 20, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				a := open(t, dir, logfile.Options{SegmentBytes: 256 << 10, MaxBytes: c.most})
				a.QuietBelow(1 << 20)
				start(t, a)
				text := []byte(`{"received":"2026-01-02T03:04:05Z","raw":"` + strings.Repeat("x", 200<<10) + "\"}\n")
				for range 30 { // 2 MB a second
					time.Sleep(100 * time.Millisecond)
					if err := a.Append(t.Context(), text, at); err != nil {
						t.Fatal(err)
					}
				}
				if got := len(glob(t, dir, "*.zst")); (got == 0) != c.waits {
					t.Errorf("in the storm %d segments are compressed", got)
				}
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if got := len(glob(t, dir, "*.jsonl")); got != 1 {
					t.Errorf("after it %d segments are not compressed", got)
				}
			})
		})
	}
}
