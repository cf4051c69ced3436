package task_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/musternet/muster/task"
)

// flaky fails with errs one after the other, then it succeeds.
func flaky(calls *int, errs ...error) func(context.Context, int) (int, error) {
	return func(_ context.Context, i int) (int, error) {
		*calls++
		if *calls <= len(errs) {
			return 0, errs[*calls-1]
		}
		return i, nil
	}
}

func TestRetryUntilItSucceeds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		calls := 0
		got, err := task.Retry(task.Backoff{}, flaky(&calls, errA, errB))(t.Context(), 7)
		if got != 7 || err != nil || calls != 3 {
			t.Errorf("got %d, %v after %d calls, want 7 after 3", got, err, calls)
		}
	})
}

func TestRetryReturnsTheLastError(t *testing.T) {
	for name, c := range map[string]struct {
		backoff task.Backoff
		calls   int
		want    string
	}{
		"the zero value makes three": {task.Backoff{}, 3, "after 3 attempts: error B"},
		"as many as it says":         {task.Backoff{Attempts: 2}, 2, "after 2 attempts: error A"},
		"one is none":                {task.Backoff{Attempts: 1}, 1, "error A"},
		"not when If refuses":        {task.Backoff{If: func(error) bool { return false }}, 1, "error A"},
		"until If refuses":           {task.Backoff{Attempts: 9, If: func(err error) bool { return err != errB }}, 3, "after 3 attempts: error B"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				calls := 0
				_, err := task.Retry(c.backoff, flaky(&calls, errA, errA, errB, errB))(t.Context(), 0)
				if err == nil || err.Error() != c.want || calls != c.calls {
					t.Errorf("got %v after %d calls, want %v after %d", err, calls, c.want, c.calls)
				}
			})
		})
	}
}

func TestRetryDoesNotRepeatACancellation(t *testing.T) {
	t.Parallel()
	calls := 0
	_, err := task.Retry(task.Backoff{}, flaky(&calls, context.Canceled, errA))(t.Context(), 0)
	if err != context.Canceled || calls != 1 {
		t.Errorf("got %v after %d calls, want one", err, calls)
	}
}

func TestRetryRepeatsATimeoutOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		calls := 0
		_, err := task.Retry(task.Backoff{}, func(ctx context.Context, d time.Duration) (time.Duration, error) {
			calls++
			return task.Timeout(ctx, time.Second, func(ctx context.Context) (time.Duration, error) { return sleeper(ctx, d) })
		})(t.Context(), time.Hour)
		as[*task.TimeoutError](t, err)
		if calls != 3 {
			t.Errorf("%d calls, want 3", calls)
		}
	})
}

func TestRetryDoesNotRepeatUnderAnEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	_, err := task.Retry(task.Backoff{If: func(error) bool { return true }}, func(context.Context, int) (int, error) {
		calls++
		cancel()
		return 0, errA
	})(ctx, 0)
	if err != errA || calls != 1 {
		t.Errorf("got %v after %d calls, want one", err, calls)
	}
}

func TestRetryWaitsLongerEachTimeAndNeverLongerThanMax(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bounds := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}
		longest := make([]time.Duration, len(bounds))
		for range 500 {
			var last time.Time
			calls := 0
			_, _ = task.Retry(task.Backoff{Attempts: len(bounds) + 1, First: time.Second, Max: 5 * time.Second},
				func(context.Context, int) (int, error) {
					if calls > 0 {
						longest[calls-1] = max(longest[calls-1], time.Since(last))
					}
					last = time.Now()
					calls++
					return 0, errA
				})(t.Context(), 0)
		}
		for i, bound := range bounds {
			if got := longest[i]; got > bound || got < bound*9/10 {
				t.Errorf("wait %d: the longest of 500 was %v, want nearly %v", i+1, got, bound)
			}
		}
	})
}

func TestRetryWaitIsEndedByItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		calls := 0
		begin := time.Now()
		time.AfterFunc(time.Nanosecond, func() { cancel(errB) })
		_, err := task.Retry(task.Backoff{First: 1000 * time.Hour, Max: 1000 * time.Hour}, flaky(&calls, errA, errA, errA))(ctx, 0)
		took(t, begin, time.Nanosecond)
		matches(t, err, context.Canceled, errA, errB)
		if got, want := err.Error(), "context canceled: error B; last error: error A"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestRetryCutShortIsNoFailureOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := &task.TimeoutError{After: time.Second}
		_, err := task.Gather(t.Context(), []error{slow, errA}, func(ctx context.Context, fail error) (int, error) {
			if fail == errA {
				time.Sleep(time.Nanosecond)
				return 0, errA
			}
			_, err := task.Retry(task.Backoff{First: 1000 * time.Hour, Max: 1000 * time.Hour},
				func(context.Context, int) (int, error) { return 0, fail })(ctx, 0)
			return 0, err
		})
		if got := as[*task.Failures](t, err); len(got.Failed) != 1 || got.Cancelled != 1 || errors.Is(err, slow) {
			t.Errorf("got %+v, want one failure and one cancelled", got)
		}
	})
}
