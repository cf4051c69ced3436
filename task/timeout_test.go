package task_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/musternet/muster/task"
)

func Test39TimeoutIsATimeoutError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		_, err := task.Timeout(t.Context(), 10*time.Second, func(ctx context.Context) (int, error) { return 0, sleep(ctx, time.Hour) })
		took(t, begin, 10*time.Second)
		matches(t, err, context.DeadlineExceeded)
		got := as[*task.TimeoutError](t, err)
		if !got.Timeout() || got.After != 10*time.Second || got.Error() != "timed out after 10s" {
			t.Errorf("got %+v: %v", got, got)
		}
	})
}

func Test40TimeoutNotReached(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var inner context.Context
		got, err := task.Timeout(t.Context(), time.Second, func(ctx context.Context) (int, error) {
			inner = ctx
			return 7, sleep(ctx, time.Millisecond)
		})
		if got != 7 || err != nil {
			t.Errorf("got %d, %v, want 7", got, err)
		}
		if inner.Err() != context.Canceled {
			t.Errorf("the context ended with %v, want it released", inner.Err())
		}
	})
}

func Test40TimeoutKeepsAValueThatIsLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		got, err := task.Timeout(t.Context(), time.Second, func(context.Context) (int, error) {
			time.Sleep(time.Minute)
			return 7, nil
		})
		if got != 7 || err != nil {
			t.Errorf("got %d, %v, want 7", got, err)
		}
	})
}

func Test41TimeoutOfNothing(t *testing.T) {
	for _, d := range []time.Duration{0, -time.Second} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			_, err := task.Timeout(t.Context(), d, func(context.Context) (int, error) {
				t.Error("f was called")
				return 0, nil
			})
			if got := as[*task.TimeoutError](t, err); got.After != d {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func Test41TimeoutOfNothingUnderACancelledParent(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errA)
	_, err := task.Timeout(ctx, 0, func(context.Context) (int, error) {
		t.Error("f was called")
		return 0, nil
	})
	matches(t, err, context.Canceled, errA)
	isNot[*task.TimeoutError](t, err)
}

func Test42TimeoutWaitsForCleanUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		_, err := task.Timeout(t.Context(), 10*time.Millisecond, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			time.Sleep(90 * time.Millisecond)
			return 0, ctx.Err()
		})
		took(t, begin, 100*time.Millisecond)
		as[*task.TimeoutError](t, err)
	})
}

func Test43TimeoutKeepsAForeignError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, err := task.Timeout(t.Context(), time.Second, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, errA
		})
		if err != errA {
			t.Errorf("got %v, want %v as it is", err, errA)
		}
	})
}

func Test44TimeoutKeepsAnErrorBeforeItsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, want := range []error{errA, context.DeadlineExceeded, os.ErrDeadlineExceeded} {
			_, err := task.Timeout(t.Context(), time.Second, func(context.Context) (int, error) { return 0, want })
			if err != want {
				t.Errorf("got %v, want %v as it is", err, want)
			}
		}
	})
}

func Test45TimeoutTellsAnEarlierDeadlineOfItsParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := task.Timeout(ctx, time.Minute, func(ctx context.Context) (int, error) { return 0, sleep(ctx, time.Hour) })
		took(t, begin, time.Second)
		matches(t, err, context.DeadlineExceeded)
		isNot[*task.TimeoutError](t, err)
	})
}

func Test46TimeoutTellsACancelledParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := task.Timeout(ctx, time.Minute, func(ctx context.Context) (int, error) { return 0, sleep(ctx, time.Hour) })
		matches(t, err, context.Canceled)
		isNot[*task.TimeoutError](t, err)
	})
}

func Test47InnerTimeoutFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var inner error
		_, outer := task.Timeout(t.Context(), time.Second, func(ctx context.Context) (int, error) {
			_, inner = task.Timeout(ctx, 10*time.Millisecond, func(ctx context.Context) (int, error) { return 0, sleep(ctx, time.Hour) })
			return 0, nil
		})
		if got := as[*task.TimeoutError](t, inner); got.After != 10*time.Millisecond || outer != nil {
			t.Errorf("inner %v, outer %v", inner, outer)
		}
	})
}

func Test48OuterTimeoutFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var inner error
		_, outer := task.Timeout(t.Context(), 10*time.Millisecond, func(ctx context.Context) (int, error) {
			_, inner = task.Timeout(ctx, time.Second, func(ctx context.Context) (int, error) { return 0, sleep(ctx, time.Hour) })
			return 0, inner
		})
		if got := as[*task.TimeoutError](t, outer); got.After != 10*time.Millisecond {
			t.Errorf("outer %v", outer)
		}
		isNot[*task.TimeoutError](t, inner)
	})
}

func Test49TimeoutTakesANetDeadlineForItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, err := task.Timeout(t.Context(), time.Second, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, os.ErrDeadlineExceeded
		})
		as[*task.TimeoutError](t, err)
	})
}

func Test50TimeoutInACleanUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		var value int
		var inner error
		_, outer := task.Timeout(t.Context(), time.Second, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			calm := context.WithoutCancel(ctx)
			value, _ = task.Timeout(calm, time.Second, func(ctx context.Context) (int, error) { return 7, sleep(ctx, time.Millisecond) })
			_, inner = task.Timeout(calm, time.Second, func(ctx context.Context) (int, error) { return 0, sleep(ctx, time.Hour) })
			return 0, ctx.Err()
		})
		took(t, begin, 2*time.Second+time.Millisecond)
		if value != 7 || inner == outer {
			t.Errorf("the clean-up got %d, %v, want its own results", value, inner)
		}
		as[*task.TimeoutError](t, inner)
		as[*task.TimeoutError](t, outer)
	})
}

func TestTimeoutInATaskHasItsName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		err := task.Scope(t.Context(), "login", func(_ context.Context, g *task.Group) error {
			g.Go("sw1", func(ctx context.Context) error {
				_, err := task.Timeout(ctx, time.Second, func(ctx context.Context) (int, error) { return 0, sleep(ctx, time.Hour) })
				return err
			})
			return nil
		})
		if got := as[*task.TimeoutError](t, err); got.Name != "sw1" {
			t.Errorf("got %+v", got)
		}
		if got, want := err.Error(), "sw1: timed out after 1s"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestTimeoutWithAFailedCleanUpKeepsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, err := task.Timeout(t.Context(), time.Second, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, errors.Join(ctx.Err(), errA)
		})
		matches(t, err, errA, context.DeadlineExceeded)
	})
}
