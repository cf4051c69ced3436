package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// RunStore checks a Store made of a History and an Index. open returns an empty one, and closes it at the end of the
// test.
func RunStore(t *testing.T, open func(t *testing.T) *store.Store) {
	for name, test := range map[string]func(*testing.T, *store.Store){
		"each text is new, changed or unchanged":          storeStatus,
		"history and index agree after every run":         storeAgrees,
		"a failure takes nothing away":                    storeFailure,
		"two runs of one process may be open at once":     storeTwoRuns,
		"a device that comes twice at once fails once":    storeTwice,
		"recovery of what is in order changes nothing":    storeRecover,
		"an author is kept as a name that can do no harm": storeAuthor,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func keptText(i int, device, text string) store.Kept {
	return store.Kept{
		Result: muster.Result{Index: i, Device: muster.Device{Name: device, Address: "198.18.0.1"}, Attempts: 1},
		Config: muster.Config{Device: device, Platform: "frr", Text: []byte(text)},
	}
}

// run keeps all at once and returns the results in order.
func run(t *testing.T, s *store.Store, name string, ks ...store.Kept) []muster.Result {
	t.Helper()
	b, err := s.Begin(t.Context(), job(name, time.Now()), len(ks))
	if err != nil {
		t.Fatal(err)
	}
	results := make([]muster.Result, len(ks))
	var wg sync.WaitGroup
	for i, k := range ks {
		wg.Go(func() { results[i] = b.Keep(t.Context(), k) })
	}
	wg.Wait()
	if err := b.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	return results
}

// agree checks that every commit has its row and every row its commit, with equal values.
func agree(t *testing.T, s *store.Store) {
	t.Helper()
	rows, err := s.Index.RevisionsSince(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	byID := make(map[string]muster.Revision, len(rows))
	for _, r := range rows {
		byID[r.ID] = r
	}
	commits := newest(t, s.History)
	for _, c := range commits {
		if r := byID[c.ID]; r != c {
			t.Errorf("commit %+v\nhas row %+v", c, r)
		}
	}
	if len(commits) != len(rows) {
		t.Errorf("%d commits and %d rows", len(commits), len(rows))
	}
}

func storeStatus(t *testing.T, s *store.Store) {
	for i, c := range []struct{ text, want string }{
		{"a\nb\nc\n", "new +3 -0"}, {"a\nb\nc\n", "unchanged +0 -0"}, {"a\nB\nc\nd\n", "changed +2 -1"}, {"a\nb\nc\n", "changed +1 -2"},
	} {
		r := run(t, s, fmt.Sprintf("run%d", i), keptText(0, "r1", c.text))[0]
		if got := fmt.Sprintf("%s +%d -%d", r.Status, r.Added, r.Removed); got != c.want || r.Bytes != len(c.text) {
			t.Errorf("text %d: got %s, %d bytes, %v, want %s", i, got, r.Bytes, r.Failure, c.want)
		}
		rev, err := s.Index.Revision(t.Context(), "r1", r.Revision)
		if err != nil || rev.Blob != store.BlobID([]byte(c.text)) {
			t.Errorf("text %d: its revision is %+v, %v", i, rev, err)
		}
	}
	agree(t, s)
}

func storeAgrees(t *testing.T, s *store.Store) {
	for n := range 4 {
		var ks []store.Kept
		for i := range 300 {
			ks = append(ks, keptText(i, fmt.Sprintf("r%d", i), fmt.Sprintf("device %d\nstate %d\n", i, n/(1+i%3))))
		}
		run(t, s, fmt.Sprintf("run%d", n), ks...)
		agree(t, s)
	}
	runs, err := s.Index.Runs(t.Context(), 0)
	if err != nil || len(runs) != 4 {
		t.Fatalf("got %d runs, %v", len(runs), err)
	}
	for _, r := range runs {
		if r.New+r.Changed+r.Unchanged+r.Failed != 300 || r.Finished.IsZero() {
			t.Errorf("run %+v", r)
		}
	}
}

func storeFailure(t *testing.T, s *store.Store) {
	good := run(t, s, "run1", keptText(0, "r1", "one\n"))[0]
	b, err := s.Begin(t.Context(), job("run2", time.Now()), 1)
	if err != nil {
		t.Fatal(err)
	}
	f := &muster.Failure{Device: "r1", Stage: muster.StageConnect, Code: "refused", Err: errors.New("refused")}
	r := b.Fail(t.Context(), store.Outcome{Result: muster.Result{Device: good.Device, Failure: f}})
	if err := b.End(t.Context()); err != nil || r.Status != muster.StatusFailed || r.Failure != f {
		t.Errorf("got %+v, %v", r, err)
	}
	d, err := s.Index.Device(t.Context(), "r1")
	if err != nil || d.Revision != good.Revision || d.LastStatus != muster.StatusFailed || d.Failure == nil {
		t.Errorf("got %+v, %v", d, err)
	}
	wantText(t, s.History, "one\n")
}

func storeTwoRuns(t *testing.T, s *store.Store) {
	var batches []*store.Batch
	for i := range 2 {
		b, err := s.Begin(t.Context(), job(fmt.Sprintf("run%d", i), time.Now()), 50)
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if r := batches[i%2].Keep(t.Context(), keptText(i, fmt.Sprintf("r%d", i/2), "the same\n")); r.Failure != nil {
				t.Error(r.Failure)
			}
		})
	}
	wg.Wait()
	for _, b := range batches {
		if err := b.End(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if n := len(newest(t, s.History)); n != 50 {
		t.Errorf("got %d commits, want one for each of 50 devices", n)
	}
	agree(t, s)
}

func storeTwice(t *testing.T, s *store.Store) {
	failed := 0
	b, err := s.Begin(t.Context(), job("run1", time.Now()), 2)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			r := b.Keep(t.Context(), keptText(i, "r1", fmt.Sprintf("text %d\n", i)))
			mu.Lock()
			defer mu.Unlock()
			if r.Failure != nil {
				failed++
			}
		})
	}
	wg.Wait()
	if err := b.End(t.Context()); failed != 1 || err == nil {
		t.Errorf("%d of two failed, and the run ended with %v", failed, err)
	}
	agree(t, s)
}

func storeRecover(t *testing.T, s *store.Store) {
	run(t, s, "run1", keptText(0, "r1", "one\n"), keptText(1, "r2", "two\n"))
	before := newest(t, s.History)
	for range 2 {
		if err := s.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if after := newest(t, s.History); len(after) != len(before) || after[0] != before[0] {
		t.Errorf("got %+v, want %+v", after, before)
	}
	agree(t, s)
}

func storeAuthor(t *testing.T, s *store.Store) {
	for name, want := range map[string]string{
		"": "muster", "admin": "admin", "Søren Å": "Søren Å", "x\ny <z>": "x y  z", "\xff\x00<>": "muster",
	} {
		k := keptText(0, store.BlobID([]byte(name)), "one\n")
		k.Author = name
		r := run(t, s, "run of "+want, k)[0]
		if rev, err := s.Index.Revision(t.Context(), "", r.Revision); err != nil || rev.Author != want {
			t.Errorf("%q is kept as %q, %v, want %q", name, rev.Author, err, want)
		}
	}
	agree(t, s)
}
