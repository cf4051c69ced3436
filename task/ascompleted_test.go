package task_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/task"
)

func Test28AsCompletedYieldsInTheOrderOfCompletion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		var got []task.Result[time.Duration]
		for item, r := range task.AsCompleted(t.Context(), slices.Values([]time.Duration{30, 10, 20}), sleeper) {
			took(t, begin, item)
			got = append(got, r)
		}
		want := []task.Result[time.Duration]{{Index: 1, Value: 10}, {Index: 2, Value: 20}, {Index: 0, Value: 30}}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func Test29AsCompletedYieldsEachItemOnce(t *testing.T) {
	for name, opt := range map[string]task.Option{
		"one at a time": task.Limit(1), "few": task.Limit(3), "default": task.Named("all"), "unlimited": task.Limit(0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := make([]int, 1000)
			for item, r := range task.AsCompleted(t.Context(), slices.Values(numbers(1000)), double, opt) {
				if r.Index != item || r.Value != 2*item || r.Err != nil {
					t.Fatalf("item %d: got %+v", item, r)
				}
				seen[item]++
			}
			if slices.ContainsFunc(seen, func(n int) bool { return n != 1 }) {
				t.Errorf("outcomes per item: %v", seen)
			}
		})
	}
}

// leave runs loop over one item that is ready and two that sleep, and checks that the sleepers are over when loop returns.
func leave(t *testing.T, loop func(iter.Seq2[time.Duration, task.Result[time.Duration]])) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		var cleaned atomic.Int64
		loop(task.AsCompleted(t.Context(), slices.Values([]time.Duration{0, time.Hour, time.Hour}),
			func(ctx context.Context, d time.Duration) (time.Duration, error) {
				err := sleep(ctx, d)
				if err == nil {
					return d, nil
				}
				matches(t, context.Cause(ctx), task.ErrStopped)
				time.Sleep(time.Second)
				cleaned.Add(1)
				return d, err
			}))
		took(t, begin, time.Second)
		if cleaned.Load() != 2 {
			t.Errorf("cleaned up %d, want 2", cleaned.Load())
		}
	})
}

func Test30AsCompletedBreakCancelsAndJoins(t *testing.T) {
	leave(t, func(seq iter.Seq2[time.Duration, task.Result[time.Duration]]) {
		for range seq {
			synctest.Wait()
			break
		}
	})
}

func Test31AsCompletedHoldsBackUnderASlowConsumer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var read, started atomic.Int64
		items := func(yield func(int) bool) {
			for i := range 40 {
				read.Add(1)
				if !yield(i) {
					return
				}
			}
		}
		consumed := int64(0)
		for range task.AsCompleted(t.Context(), items, func(context.Context, int) (int, error) {
			started.Add(1)
			return 0, nil
		}, task.Limit(4)) {
			time.Sleep(time.Second)
			if s, r := started.Load(), read.Load(); s > consumed+4 || r > consumed+4 {
				t.Errorf("started %d and read %d when %d were consumed", s, r, consumed)
			}
			consumed++
		}
		if consumed != 40 {
			t.Errorf("consumed %d, want 40", consumed)
		}
	})
}

func Test31AsCompletedReachesItsLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var p peak
		begin := time.Now()
		for range task.AsCompleted(t.Context(), slices.Values(slices.Repeat([]time.Duration{time.Second}, 20)),
			func(ctx context.Context, d time.Duration) (time.Duration, error) {
				p.enter()
				defer p.leave()
				return sleeper(ctx, d)
			}, task.Limit(4)) {
		}
		took(t, begin, 5*time.Second)
		if got := p.highest.Load(); got != 4 {
			t.Errorf("peak %d, want 4", got)
		}
	})
}

func Test31AsCompletedWithoutALimitYieldsFromEndlessInput(t *testing.T) {
	t.Parallel()
	endless := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	n := 0
	for range task.AsCompleted(t.Context(), endless, double, task.Limit(0)) {
		if n++; n == 100 {
			break
		}
	}
}

func Test32AsCompletedCanBeRangedTwice(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	seq := task.AsCompleted(t.Context(), slices.Values(numbers(10)), func(context.Context, int) (int, error) {
		calls.Add(1)
		return 0, nil
	})
	for round := range int64(2) {
		n := 0
		for range seq {
			n++
		}
		if want := 10 * (round + 1); n != 10 || calls.Load() != want {
			t.Errorf("round %d: %d outcomes after %d calls, want 10 after %d", round, n, calls.Load(), want)
		}
	}
}

func Test33AsCompletedUnderATimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var errs []error
		_, err := task.Timeout(t.Context(), 120*time.Millisecond, func(ctx context.Context) (int, error) {
			items := slices.Values([]time.Duration{100 * time.Millisecond, 150 * time.Millisecond})
			for _, r := range task.AsCompleted(ctx, items, sleeper) {
				errs = append(errs, r.Err)
			}
			return 0, ctx.Err()
		})
		as[*task.TimeoutError](t, err)
		if len(errs) != 2 || errs[0] != nil {
			t.Fatalf("got %v, want a value and an error", errs)
		}
		matches(t, errs[1], context.DeadlineExceeded, err)
	})
}

func Test34AsCompletedStartsAgainAfterABreak(t *testing.T) {
	t.Parallel()
	seq := task.AsCompleted(t.Context(), slices.Values(numbers(3)), double, task.Limit(1))
	for range seq {
		break
	}
	var got []int
	for item := range seq {
		got = append(got, item)
	}
	if want := []int{0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("got items %v after a break, want all of them: %v", got, want)
	}
}

func Test35AsCompletedEndsWithItsParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		read := 0
		items := func(yield func(time.Duration) bool) {
			for _, d := range []time.Duration{1, time.Hour, time.Hour, time.Hour, time.Hour} {
				read++
				if !yield(d) {
					return
				}
			}
		}
		var errs []error
		for _, r := range task.AsCompleted(ctx, items, sleeper, task.Limit(3)) {
			errs = append(errs, r.Err)
			cancel(errA)
		}
		if len(errs) != 3 || read != 3 || errs[0] != nil {
			t.Fatalf("read %d items, got %v, want 3 and no more", read, errs)
		}
		matches(t, errs[1], context.Canceled, errA)
		matches(t, errs[2], context.Canceled, errA)
	})
}

func Test35AsCompletedReadsNothingUnderACancelledParent(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	items := func(func(int) bool) { t.Error("the input was read") }
	for range task.AsCompleted(ctx, items, double) {
		t.Error("an outcome of nothing")
	}
}

func Test36AsCompletedGoesOnAfterAPanic(t *testing.T) {
	t.Parallel()
	errs := make([]error, 3)
	for item, r := range task.AsCompleted(t.Context(), slices.Values(numbers(3)), func(_ context.Context, i int) (int, error) {
		switch i {
		case 0:
			panic(errA)
		case 1:
			runtime.Goexit()
		}
		return i, nil
	}) {
		errs[item] = r.Err
	}
	as[*task.PanicError](t, errs[0])
	matches(t, errs[0], errA)
	matches(t, errs[1], task.ErrGoexit)
	if errs[2] != nil {
		t.Error(errs[2])
	}
}

func Test37AsCompletedReturnIsABreak(t *testing.T) {
	leave(t, func(seq iter.Seq2[time.Duration, task.Result[time.Duration]]) {
		for range seq {
			synctest.Wait()
			return
		}
	})
}

func Test37AsCompletedPanicIsABreak(t *testing.T) {
	leave(t, func(seq iter.Seq2[time.Duration, task.Result[time.Duration]]) {
		defer func() {
			if got := recover(); got != errA {
				t.Errorf("got panic %v, want that of the loop body", got)
			}
		}()
		for range seq {
			synctest.Wait()
			panic(errA)
		}
	})
}

func Test38AsCompletedNests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin, n := time.Now(), 0
		for range task.AsCompleted(t.Context(), slices.Values([]time.Duration{1, 1, 1}), sleeper, task.Limit(1)) {
			for range task.AsCompleted(t.Context(), slices.Values([]time.Duration{10, time.Hour}), sleeper) {
				n++
				break
			}
		}
		took(t, begin, 33)
		if n != 3 {
			t.Errorf("%d inner outcomes, want 3", n)
		}
	})
}

func TestAsCompletedEachBoundsEachItem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var errs []error
		for _, r := range task.AsCompleted(t.Context(), slices.Values([]time.Duration{time.Second, time.Hour}), sleeper,
			task.Each(5*time.Second), task.Named("scan")) {
			errs = append(errs, r.Err)
		}
		if len(errs) != 2 || errs[0] != nil {
			t.Fatalf("got %v, want a value and an error", errs)
		}
		want := task.TimeoutError{Name: "scan[1]", After: 5 * time.Second}
		if got := as[*task.TimeoutError](t, errs[1]); *got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestAsCompletedJoinsWhenTheInputPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var cleaned atomic.Bool
		items := func(yield func(int) bool) {
			yield(0)
			synctest.Wait()
			panic(errA)
		}
		value := panicOf(t, func() {
			for range task.AsCompleted(t.Context(), items, func(ctx context.Context, _ int) (int, error) {
				<-ctx.Done()
				cleaned.Store(true)
				return 0, ctx.Err()
			}) {
				t.Error("an outcome")
			}
		})
		if err, ok := value.(error); !ok || !errors.Is(err, errA) || !cleaned.Load() {
			t.Errorf("got panic %v, cleaned up: %v", value, cleaned.Load())
		}
	})
}
