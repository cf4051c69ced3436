package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/musternet/muster"
	"github.com/musternet/muster/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func fleet(n int) []muster.Device {
	devs := make([]muster.Device, n)
	for i := range devs {
		devs[i].Name = fmt.Sprintf("r%d", i)
	}
	return devs
}

// sleep waits in virtual time, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func times(n int) func(muster.Device) int { return func(muster.Device) int { return n } }

func asIs(_ context.Context, r muster.Result, _ string) muster.Result { return r }

func TestEveryDeviceHasExactlyOneResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := job.Work[string]{Keep: asIs, Talk: func(ctx context.Context, d muster.Device) (string, error) {
			switch d.Name {
			case "r3":
				panic("a mistake")
			case "r4":
				return "", errors.New("odd")
			case "r5":
				return "", &muster.Failure{Device: "r5", Stage: muster.StageAuth, Code: "auth-rejected", Err: errors.New("no")}
			}
			return "ok", sleep(ctx, time.Second)
		}}
		codes := map[string]int{}
		seen := map[int]bool{}
		for r := range job.Run(t.Context(), fleet(20), job.Options{}, w) {
			if seen[r.Index] || r.Device.Name != fmt.Sprintf("r%d", r.Index) {
				t.Errorf("index %d came twice or with the wrong device %q", r.Index, r.Device.Name)
			}
			seen[r.Index] = true
			if r.Failure != nil {
				codes[r.Failure.Code]++
			}
		}
		if len(seen) != 20 || codes["internal"] != 2 || codes["auth-rejected"] != 1 {
			t.Errorf("got %d results with codes %v", len(seen), codes)
		}
	})
}

func TestADeviceIsNamedEvenIfKeepingItsResultFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := job.Work[string]{
			Talk: func(context.Context, muster.Device) (string, error) { return "", nil },
			Keep: func(context.Context, muster.Result, string) muster.Result { panic("a mistake") },
		}
		n := 0
		for r := range job.Run(t.Context(), fleet(3), job.Options{}, w) {
			n++
			if r.Device.Name == "" || r.Failure == nil || r.Failure.Code != "internal" {
				t.Errorf("got %+v", r)
			}
		}
		if n != 3 {
			t.Errorf("got %d results, want 3", n)
		}
	})
}

func TestAFixedLimitHoldsAndOnlyConversationsCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, peak atomic.Int64
		w := job.Work[string]{
			Talk: func(ctx context.Context, d muster.Device) (string, error) {
				peak.Store(max(peak.Load(), now.Add(1)))
				defer now.Add(-1)
				return "", sleep(ctx, 2*time.Second)
			},
			Keep: func(ctx context.Context, r muster.Result, _ string) muster.Result {
				time.Sleep(time.Second) // waiting to be kept blocks no place
				return r
			},
		}
		start := time.Now()
		for range job.Run(t.Context(), fleet(50), job.Options{Limiter: job.NewLimiter(10)}, w) {
		}
		if took := time.Since(start); took != 11*time.Second || peak.Load() != 10 {
			t.Errorf("took %v with a peak of %d, want 11s and 10", took, peak.Load())
		}
	})
}

func TestAFullGroupHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		devs := fleet(900)
		for i := range devs {
			devs[i].Group = "slow"
		}
		devs[899].Group = "other"
		slow := job.NewLimiter(1)
		o := job.Options{Limiter: job.NewLimiter(4), Group: func(d muster.Device) *job.Limiter {
			if d.Group == "slow" {
				return slow
			}
			return nil
		}}
		start := time.Now()
		w := job.Work[string]{Keep: asIs, Talk: func(ctx context.Context, d muster.Device) (string, error) {
			return "", sleep(ctx, time.Second)
		}}
		for r := range job.Run(t.Context(), devs, o, w) {
			if took := time.Since(start); r.Device.Group == "other" && took != time.Second {
				t.Errorf("the device of the other group was done after %v, want 1s", took)
			}
		}
		if took := time.Since(start); took != 899*time.Second {
			t.Errorf("took %v, want 899s: one at a time", took)
		}
	})
}

func TestCancelledRunsNameEachDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		var kept atomic.Int64
		w := job.Work[string]{
			Talk: func(ctx context.Context, d muster.Device) (string, error) { return "", sleep(ctx, time.Minute) },
			Keep: func(ctx context.Context, r muster.Result, _ string) muster.Result {
				kept.Add(1)
				return r
			},
		}
		time.AfterFunc(time.Second, func() { cancel(errors.New("SIGINT")) })
		n := 0
		for r := range job.Run(ctx, fleet(2000), job.Options{Limiter: job.NewLimiter(5)}, w) {
			n++
			if r.Failure == nil || r.Failure.Code != "canceled" || r.Failure.Stage != muster.StageCanceled {
				t.Fatalf("got %+v, want canceled", r.Failure)
			}
		}
		if n != 2000 || kept.Load() != 2000 {
			t.Errorf("got %d results, %d kept, want 2000 of both", n, kept.Load())
		}
	})
}

func TestOnlyWhatMayBeBetterIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stage muster.Stage
		code  string
		tries int
	}{
		{muster.StageConnect, "timeout", 3},
		{muster.StageConnect, "refused", 3},
		{muster.StageIncomplete, "truncated", 3},
		{muster.StageCommand, "timeout", 1},
		{muster.StageAuth, "auth-rejected", 1},
		{muster.StageAuth, "connection-lost", 1},
		{muster.StageHandshake, "connection-lost", 3},
		{muster.StageHostKey, "hostkey-changed", 1},
	} {
		t.Run(string(c.stage)+" "+c.code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := job.Work[string]{Keep: asIs, Talk: func(context.Context, muster.Device) (string, error) {
					return "", &muster.Failure{Stage: c.stage, Code: c.code, Err: errors.New("no")}
				}}
				for r := range job.Run(t.Context(), fleet(1), job.Options{Retries: times(2)}, w) {
					if r.Attempts != c.tries || r.Failure.Attempts != c.tries {
						t.Errorf("got %d attempts, want %d", r.Attempts, c.tries)
					}
				}
			})
		})
	}
}

func TestADevicesTimeRunsFromItsPlaceOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := job.Work[string]{Keep: asIs, Talk: func(ctx context.Context, d muster.Device) (string, error) {
			if err := sleep(ctx, 4*time.Second); err != nil {
				return "", &muster.Failure{Stage: muster.StageCommand, Code: "timeout", Err: context.Cause(ctx)}
			}
			return "", nil
		}}
		five := func(muster.Device) time.Duration { return 5 * time.Second }
		for r := range job.Run(t.Context(), fleet(10), job.Options{Limiter: job.NewLimiter(1), Timeout: five}, w) {
			if r.Failure != nil || r.Elapsed != 4*time.Second {
				t.Errorf("%s: got %v after %v: the wait for a place must not count", r.Device.Name, r.Failure, r.Elapsed)
			}
		}
		three := func(muster.Device) time.Duration { return 3 * time.Second }
		for r := range job.Run(t.Context(), fleet(1), job.Options{Timeout: three, Retries: times(5)}, w) {
			if r.Failure == nil || r.Elapsed != 3*time.Second {
				t.Errorf("got %v after %v, want a failure after 3s", r.Failure, r.Elapsed)
			}
			if over, ok := errors.AsType[*job.TimeUp](r.Failure); !ok || over.After != 3*time.Second || !errors.Is(over, context.DeadlineExceeded) {
				t.Errorf("got %v, want a cause that names the 3s", r.Failure)
			}
		}
	})
}

func TestQuietComesOnceWhenTheLastConversationIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		quiet := make(chan struct{})
		var mu sync.Mutex
		var events []string
		w := job.Work[string]{
			Talk: func(ctx context.Context, d muster.Device) (string, error) { return "", sleep(ctx, time.Second) },
			Keep: func(_ context.Context, r muster.Result, _ string) muster.Result {
				<-quiet // as a store that waits for its batch
				return r
			},
		}
		o := job.Options{Quiet: func() {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, "quiet")
			close(quiet)
		}}
		n := 0
		for range job.Run(t.Context(), fleet(100), o, w) {
			n++
		}
		if n != 100 || !slices.Equal(events, []string{"quiet"}) {
			t.Errorf("got %d results and events %v", n, events)
		}
	})
}

func TestTheAdaptiveLimitGrowsWithQuickLogins(t *testing.T) {
	t.Parallel()
	l := job.NewLimiter(0)
	for range 40 {
		l.Login(100*time.Millisecond, false)
	}
	if got := l.Size(); got != 50 {
		t.Errorf("got %d after 40 quick logins, want 50", got)
	}
	for range 1000 {
		l.Login(100*time.Millisecond, false)
	}
	if got := l.Size(); got != job.MaxLimit {
		t.Errorf("got %d, want the most, %d", got, job.MaxLimit)
	}
}

func TestTheAdaptiveLimitIsHalvedUnderLoad(t *testing.T) {
	t.Parallel()
	grown := func() *job.Limiter {
		l := job.NewLimiter(0)
		for range 300 {
			l.Login(100*time.Millisecond, false)
		}
		return l
	}
	l := grown()
	for range 256/10 + 1 {
		l.Login(0, true)
	}
	if got := l.Size(); got > 129 {
		t.Errorf("got %d after a tenth of the logins was refused, want half of 256", got)
	}
	l = grown()
	for range 400 {
		l.Login(3*time.Second, false)
	}
	if got := l.Size(); got > 128 {
		t.Errorf("got %d after two windows of slow logins, want 128 at most", got)
	}
}

func TestSlowDevicesAfterQuickOnesAreNotAskedOneByOne(t *testing.T) {
	t.Parallel()
	l := job.NewLimiter(0)
	for range 300 {
		l.Login(50*time.Millisecond, false)
	}
	for range 2000 {
		l.Login(1500*time.Millisecond, false)
	}
	if got := l.Size(); got != job.MaxLimit {
		t.Errorf("got %d among devices that take 1.5s whatever we do, want %d", got, job.MaxLimit)
	}
}

func TestAServerThatIsOverloadedKeepsTheLimitLow(t *testing.T) {
	t.Parallel()
	l := job.NewLimiter(0)
	largest := 0
	for i := range 20000 {
		took := 50 * time.Millisecond
		if i > 300 {
			took = time.Duration(max(l.Size(), 16)-15) * 100 * time.Millisecond // it bears 16 at once; all above wait
		}
		l.Login(took, false)
		if i > 2000 {
			largest = max(largest, l.Size())
		}
	}
	if largest > 64 {
		t.Errorf("got up to %d at a server that bears 16, want no more than it takes to see the delay", largest)
	}
}

func TestAFewFullDevicesDoNotSlowTheFleet(t *testing.T) {
	t.Parallel()
	l := job.NewLimiter(0)
	for i := range 2000 {
		l.Login(100*time.Millisecond, i%20 == 0)
	}
	if got := l.Size(); got < 200 {
		t.Errorf("got %d with 5%% of the devices refusing logins, want nearly 256", got)
	}
}

func TestAFixedLimitStays(t *testing.T) {
	t.Parallel()
	l := job.NewLimiter(7)
	for range 100 {
		l.Login(time.Millisecond, false)
		l.Login(0, true)
	}
	if l.Size() != 7 || l.Max() != 7 {
		t.Errorf("got %d of %d, want 7", l.Size(), l.Max())
	}
}

func TestAnInterruptedWaitForAPlaceIsCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for r := range job.Run(ctx, fleet(3), job.Options{}, job.Work[string]{Keep: asIs, Talk: func(context.Context, muster.Device) (string, error) {
		t.Error("a device was asked after the cancellation")
		return "", nil
	}}) {
		if r.Failure.Code != "canceled" || !errors.Is(r.Failure, context.Canceled) {
			t.Errorf("got %v", r.Failure)
		}
	}
}
