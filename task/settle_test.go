package task_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musternet/muster/task"
)

func Test21SettleIsolatesFailures(t *testing.T) {
	t.Parallel()
	results := task.Settle(t.Context(), []string{"ok", "error", "panic", "goexit", "ok"},
		func(_ context.Context, item string) (string, error) {
			switch item {
			case "error":
				return "", errA
			case "panic":
				panic(errB)
			case "goexit":
				runtime.Goexit()
			}
			return item, nil
		}, task.Limit(2))
	for i, want := range []error{nil, errA, errB, task.ErrGoexit, nil} {
		got := results[i]
		if got.Index != i || !errors.Is(got.Err, want) || (want == nil) != (got.Value == "ok") {
			t.Errorf("slot %d: got %+v, want error %v", i, got, want)
		}
	}
}

func Test22SettleLeavesOthersWhenOneIsCancelled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		results := task.Settle(t.Context(), []bool{true, false}, func(ctx context.Context, cancelled bool) (int, error) {
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			if cancelled {
				cancel()
			}
			return 0, sleep(own, time.Second)
		})
		if results[0].Err != context.Canceled || results[1].Err != nil {
			t.Errorf("got %v and %v, want only the first cancelled", results[0].Err, results[1].Err)
		}
	})
}

func Test23SettleAttemptsEveryItemWhenAllPanic(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	results := task.Settle(t.Context(), make([]int, 100), func(context.Context, int) (int, error) {
		panic(calls.Add(1))
	}, task.Limit(1))
	for i, r := range results {
		if got := as[*task.PanicError](t, r.Err); got.Value != int64(i+1) {
			t.Errorf("slot %d: got %v", i, r.Err)
		}
	}
	if calls.Load() != 100 {
		t.Errorf("%d calls, want 100", calls.Load())
	}
}

func Test24SettleMarksWhatWasNotStarted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(1500*time.Millisecond, func() { cancel(errA) })
		begin := time.Now()
		results := task.Settle(ctx, []time.Duration{time.Second, time.Second, time.Second, time.Second, time.Second}, sleeper, task.Limit(1))
		took(t, begin, 1500*time.Millisecond)
		if results[0].Err != nil || results[0].Value != time.Second {
			t.Errorf("first: got %+v, want its value", results[0])
		}
		matches(t, results[1].Err, context.Canceled, errA)
		if errors.Is(results[1].Err, task.ErrNotStarted) {
			t.Error("the second one had been started")
		}
		for i, r := range results[2:] {
			matches(t, r.Err, task.ErrNotStarted, context.Canceled, errA)
			if r.Index != i+2 {
				t.Errorf("got index %d, want %d", r.Index, i+2)
			}
		}
	})
}

func Test24SettleUnderACancelledContextStartsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range task.Settle(ctx, []time.Duration{0, 0}, sleeper) {
		matches(t, r.Err, task.ErrNotStarted, context.Canceled)
		if got, want := r.Err.Error(), "not started: context canceled"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func Test25SettleEachBoundsEachItem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		results := task.Settle(t.Context(), []time.Duration{time.Second, 10 * time.Second, time.Second}, sleeper, task.Each(5*time.Second))
		took(t, begin, 5*time.Second)
		if results[0].Err != nil || results[2].Err != nil {
			t.Errorf("got %v and %v, want success", results[0].Err, results[2].Err)
		}
		if got := as[*task.TimeoutError](t, results[1].Err); got.After != 5*time.Second {
			t.Errorf("got %+v", got)
		}
	})
}

func Test26PanicErrorNamesTheFileOfTheUser(t *testing.T) {
	t.Parallel()
	results := task.Settle(t.Context(), []int{1}, func(context.Context, int) (int, error) { panic("boom") })
	got := as[*task.PanicError](t, results[0].Err)
	if !strings.Contains(string(got.Stack), "settle_test.go") {
		t.Errorf("stack without the file of the panic:\n%s", got.Stack)
	}
	if got, want := got.Error(), "panic: boom"; got != want {
		t.Errorf("got text %q, want %q", got, want)
	}
}

func Test27SettleOfNothing(t *testing.T) {
	t.Parallel()
	if got := task.Settle(t.Context(), nil, sleeper); got == nil || len(got) != 0 {
		t.Errorf("got %v, want an empty result", got)
	}
}
