package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/storetest"
)

// memory is a Store in memory that counts its writes.
type memory struct {
	*store.Store
	history *storetest.History
	index   *storetest.Index
	sizes   []int // how many outcomes each write held
}

func inMemory(t *testing.T) *memory {
	t.Helper()
	m := &memory{history: new(storetest.History), index: new(storetest.Index)}
	m.index.Fault = func(_ context.Context, outcomes []store.Outcome) error {
		m.sizes = append(m.sizes, len(outcomes))
		return nil
	}
	s, err := store.New(m.history, m.index, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m.Store = s
	return m
}

func (m *memory) begin(t *testing.T, total int) *store.Batch {
	t.Helper()
	b, err := m.Begin(t.Context(), job("run1"), total)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// keepSome starts n calls of Keep and returns what waits for them.
func keepSome(ctx context.Context, b *store.Batch, from, n int) (wait func() []muster.Result) {
	var wg sync.WaitGroup
	results := make([]muster.Result, n)
	for i := range n {
		wg.Go(func() { results[i] = b.Keep(ctx, kept(from+i, "", fmt.Sprintf("r%d", from+i), "text\n")) })
	}
	return func() []muster.Result { wg.Wait(); return results }
}

func TestKeepWaitsForCompanyAtMostASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := inMemory(t)
		defer m.Close()
		b := m.begin(t, 1000)
		start := time.Now()
		first := keepSome(t.Context(), b, 0, 3)
		time.Sleep(900 * time.Millisecond) // the bubble's clock
		second := keepSome(t.Context(), b, 3, 2)
		first()
		second()
		if took := time.Since(start); took != time.Second {
			t.Errorf("the write came after %v, want 1s", took)
		}
		if len(m.sizes) != 1 || m.sizes[0] != 5 {
			t.Errorf("writes held %v outcomes, want all 5 in one", m.sizes)
		}
	})
}

func TestKeepWritesAtOnce(t *testing.T) {
	cases := map[string]struct {
		total, come int
		then        func(*store.Batch, context.CancelFunc)
	}{
		"when all devices of the run have come": {total: 5, come: 5},
		"when 256 are waiting":                  {total: 1000, come: 256},
		"when Flush says so":                    {total: 1000, come: 5, then: func(b *store.Batch, _ context.CancelFunc) { b.Flush() }},
		"when the run is interrupted":           {total: 1000, come: 5, then: func(_ *store.Batch, cancel context.CancelFunc) { cancel() }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := inMemory(t)
				defer m.Close()
				b := m.begin(t, c.total)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				start := time.Now()
				wait := keepSome(ctx, b, 0, c.come)
				synctest.Wait()
				if c.then != nil {
					c.then(b, cancel)
				}
				for _, r := range wait() {
					if r.Status != muster.StatusNew || r.Revision == "" {
						t.Errorf("got %s %v, want it stored", r.Status, r.Failure)
					}
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("the write came after %v, want at once", took)
				}
				if err := b.End(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestWhoComesDuringAWriteIsWrittenNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := inMemory(t)
		defer m.Close()
		m.history.Fault = func(context.Context, []store.Commit) error { time.Sleep(300 * time.Millisecond); return nil }
		b := m.begin(t, 20)
		start := time.Now()
		first := keepSome(t.Context(), b, 0, 2)
		synctest.Wait()
		b.Flush()
		time.Sleep(100 * time.Millisecond)
		second := keepSome(t.Context(), b, 2, 18)
		first()
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Errorf("the first came after %v", took)
		}
		second()
		if took := time.Since(start); took != 600*time.Millisecond {
			t.Errorf("the others came after %v, want right after the write they met", took)
		}
		if len(m.sizes) != 2 || m.sizes[1] != 18 {
			t.Errorf("writes held %v, want 2 and 18", m.sizes)
		}
	})
}

func TestOneCallerGoneHurtsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := inMemory(t)
		defer m.Close()
		b := m.begin(t, 10)
		gone, cancel := context.WithCancel(t.Context())
		leader := keepSome(gone, b, 0, 1)
		synctest.Wait()
		others := keepSome(t.Context(), b, 1, 4)
		synctest.Wait()
		cancel()
		for _, r := range append(leader(), others()...) {
			if r.Status != muster.StatusNew {
				t.Errorf("%s: %s %v", r.Device.Name, r.Status, r.Failure)
			}
		}
	})
}

func TestFailedWriteFailsItsDevicesAndNoOthers(t *testing.T) {
	faults := map[string]func(*memory, error){
		"history": func(m *memory, err error) {
			m.history.Fault = func(context.Context, []store.Commit) error { return err }
		},
		"rows": func(m *memory, err error) {
			m.index.Fault = func(context.Context, []store.Outcome) error { return err }
		},
	}
	codes := map[string]error{"disk-full": store.ErrDiskFull, "store-failed": errors.New("it broke")}
	for name, fault := range faults {
		for code, cause := range codes {
			t.Run(name+" "+code, func(t *testing.T) {
				m := inMemory(t)
				defer m.Close()
				b := m.begin(t, 2)
				fault(m, cause)
				for _, r := range keepSome(t.Context(), b, 0, 2)() {
					if r.Status != muster.StatusFailed || r.Failure.Stage != muster.StageStore || r.Failure.Code != code || r.Revision != "" {
						t.Errorf("got %s %q %v, want failed in the stage store with %s", r.Status, r.Revision, r.Failure, code)
					}
				}
				m.history.Fault, m.index.Fault = nil, nil
				again := keepSome(t.Context(), b, 0, 3)()
				for i, r := range again {
					if r.Status == muster.StatusFailed {
						t.Errorf("the write after it failed too: %v", r.Failure)
					}
					if ok, err := m.index.HasRevision(t.Context(), r.Revision); !ok || err != nil {
						t.Errorf("device %d has no row: %v", i, err)
					}
				}
				if err := b.End(t.Context()); !errors.Is(err, cause) {
					t.Errorf("End returned %v, want the first error of the store", err)
				}
				if d, err := m.index.Devices(t.Context()); err != nil || len(d) != 3 {
					t.Errorf("got %d devices, %v", len(d), err)
				}
			})
		}
	}
}

func TestPanicInAWriteFreesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := inMemory(t)
		defer m.Close()
		b := m.begin(t, 10)
		m.history.Fault = func(context.Context, []store.Commit) error { panic("broken") }
		panicked := make(chan any, 1)
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() { panicked <- recover() }()
			b.Keep(t.Context(), kept(0, "", "r0", "text\n"))
		})
		synctest.Wait()
		other := keepSome(t.Context(), b, 1, 1)
		if r := other()[0]; r.Status != muster.StatusFailed {
			t.Errorf("got %s, want failed", r.Status)
		}
		wg.Wait()
		if <-panicked == nil {
			t.Error("the panic was swallowed")
		}
		m.history.Fault = nil
		if r := keepSome(t.Context(), b, 2, 1)()[0]; r.Status != muster.StatusNew {
			t.Errorf("the write after it: %s %v", r.Status, r.Failure)
		}
	})
}

func TestWhatMustNotBeStoredIsRefused(t *testing.T) {
	t.Parallel()
	m := inMemory(t)
	defer m.Close()
	b := m.begin(t, 9)
	bad := []store.Kept{
		kept(0, "", "empty", ""), kept(1, "..", "r1", "x"), kept(2, "", "../../etc/passwd", "x"), kept(3, ".git", "r1", "x"),
		kept(4, "", "a\nb", "x"), kept(5, "", `a\b`, "x"), kept(6, "", "", "x"), kept(7, "\u200c.git", "r1", "x"),
	}
	var wg sync.WaitGroup
	for _, k := range bad {
		wg.Go(func() {
			if r := b.Keep(t.Context(), k); r.Status != muster.StatusFailed || r.Failure == nil {
				t.Errorf("%q in %q: got %s", k.Result.Device.Name, k.Result.Device.Group, r.Status)
			}
		})
	}
	wg.Go(func() {
		if r := b.Keep(t.Context(), kept(8, "", "good", "x\n")); r.Status != muster.StatusNew {
			t.Errorf("the good one among them: %s %v", r.Status, r.Failure)
		}
	})
	wg.Wait()
}

func TestFailIsRecorded(t *testing.T) {
	t.Parallel()
	m := inMemory(t)
	defer m.Close()
	b := m.begin(t, 1)
	f := &muster.Failure{Device: "r1", Stage: muster.StageConnect, Code: "refused", Err: errors.New("refused")}
	r := b.Fail(t.Context(), store.Outcome{Result: muster.Result{Device: muster.Device{Name: "r1"}, Failure: f}})
	if r.Status != muster.StatusFailed || r.Failure != f {
		t.Errorf("got %+v", r)
	}
	if d, err := m.index.Device(t.Context(), "r1"); err != nil || d.Failure.Code != "refused" {
		t.Errorf("got %+v, %v", d, err)
	}
}
