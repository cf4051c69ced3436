package task_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musternet/muster/task"
)

func Test01GatherKeepsInputOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		items := []time.Duration{30, 10, 20}
		got, err := task.Gather(t.Context(), items, sleeper)
		if !slices.Equal(got, items) || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, items)
		}
	})
}

func Test02GatherOfNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		got, err := task.Gather(t.Context(), nil, sleeper)
		if got == nil || len(got) != 0 || err != nil {
			t.Errorf("got %v, %v, want an empty result", got, err)
		}
		took(t, begin, 0)
	})
}

func Test03GatherRunsDuplicatesOncePerPosition(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	got, err := task.Gather(t.Context(), []string{"sw1", "sw1", "sw1"}, func(_ context.Context, s string) (string, error) {
		calls.Add(1)
		return s, nil
	})
	if want := []string{"sw1", "sw1", "sw1"}; !slices.Equal(got, want) || err != nil || calls.Load() != 3 {
		t.Errorf("got %v, %v in %d calls", got, err, calls.Load())
	}
}

func Test04GatherTakesTheTimeOfOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		if _, err := task.Gather(t.Context(), slices.Repeat([]time.Duration{2 * time.Second}, 50), sleeper); err != nil {
			t.Error(err)
		}
		took(t, begin, 2*time.Second)
	})
}

// peak counts how many run at once.
type peak struct{ now, highest atomic.Int64 }

func (p *peak) enter() {
	now := p.now.Add(1)
	for {
		highest := p.highest.Load()
		if now <= highest || p.highest.CompareAndSwap(highest, now) {
			return
		}
	}
}

func (p *peak) leave() { p.now.Add(-1) }

func Test05GatherRunsInWavesUnderALimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var p peak
		begin := time.Now()
		_, err := task.Gather(t.Context(), slices.Repeat([]time.Duration{2 * time.Second}, 50),
			func(ctx context.Context, d time.Duration) (time.Duration, error) {
				p.enter()
				defer p.leave()
				return sleeper(ctx, d)
			}, task.Limit(10))
		took(t, begin, 10*time.Second)
		if got := p.highest.Load(); got != 10 || err != nil {
			t.Errorf("peak %d, %v, want 10", got, err)
		}
	})
}

// failFast gathers two items: item 1 fails with errA after 10 ms, item 0 waits for an hour and, when cancelled, calls cleanup.
func failFast(ctx context.Context, cleanup func(ctx context.Context) error, opts ...task.Option) error {
	_, err := task.Gather(ctx, []int{0, 1}, func(ctx context.Context, i int) (int, error) {
		if i == 1 {
			time.Sleep(10 * time.Millisecond)
			return 0, errA
		}
		if err := sleep(ctx, time.Hour); err != nil {
			return 0, cleanup(ctx)
		}
		return 0, nil
	}, opts...)
	return err
}

func Test06GatherFailsFastAndWaitsForCleanUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		err := failFast(t.Context(), func(ctx context.Context) error {
			time.Sleep(90 * time.Millisecond)
			return ctx.Err()
		})
		took(t, begin, 100*time.Millisecond)
		matches(t, err, errA)
	})
}

func Test07GatherCauseNamesTheFailedItem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var cause error
		_ = failFast(t.Context(), func(ctx context.Context) error {
			cause = context.Cause(ctx)
			return ctx.Err()
		}, task.Named("backup"))
		want := &task.ItemError{Index: 1, Name: "backup[1]", Err: errA}
		if got := as[*task.ItemError](t, cause); *got != *want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got, want := cause.Error(), "backup[1]: error A"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func Test08GatherCountsEchoesAndListsOwnFailures(t *testing.T) {
	echoes := map[string]func(context.Context) error{
		"the error of the context":           func(ctx context.Context) error { return ctx.Err() },
		"wrapped":                            func(ctx context.Context) error { return fmt.Errorf("dial: %w", ctx.Err()) },
		"the cause":                          context.Cause,
		"both, joined":                       func(ctx context.Context) error { return errors.Join(ctx.Err(), context.Cause(ctx)) },
		"a deadline of the library in use":   func(context.Context) error { return context.DeadlineExceeded },
		"a gather that was cut short itself": func(ctx context.Context) error { return gatherOne(ctx) },
		"a wait that was cut short":          func(ctx context.Context) error { return task.NewSemaphore(0).Acquire(ctx, 1) },
	}
	for name, f := range echoes {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				err := failFast(t.Context(), f)
				failures := as[*task.Failures](t, err)
				want := &task.Failures{Failed: []task.ItemError{{Index: 1, Err: errA}}, Cancelled: 1}
				if failures.Cancelled != 1 || !slices.Equal(failures.Failed, want.Failed) {
					t.Errorf("got %+v, want %+v", failures, want)
				}
				if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v matches the end of a context", err)
				}
			})
		})
	}
}

func gatherOne(ctx context.Context) error {
	_, err := task.Gather(ctx, []time.Duration{time.Hour}, sleeper)
	return err
}

func Test09GatherJoinsTheErrorOfACleanUp(t *testing.T) {
	cleanups := map[string]struct {
		cleanup func(context.Context) error
		want    error
	}{
		"alone":  {func(context.Context) error { return errB }, errB},
		"joined": {func(ctx context.Context) error { return errors.Join(ctx.Err(), errB) }, errB},
		"joined and wrapped": {func(ctx context.Context) error {
			return fmt.Errorf("close: %w", errors.Join(ctx.Err(), errB))
		}, errB},
		"a panic that was caught": {func(ctx context.Context) error {
			r := task.Settle(context.WithoutCancel(ctx), []int{1}, func(context.Context, int) (int, error) {
				panic(errors.Join(errB, ctx.Err()))
			})
			return r[0].Err
		}, errB},
		"a timeout of its own": {func(ctx context.Context) error {
			return task.Shield(ctx, time.Second, func(ctx context.Context) error { return sleep(ctx, time.Hour) })
		}, context.DeadlineExceeded},
		"failures of its own": {func(ctx context.Context) error {
			return task.Scope(context.WithoutCancel(ctx), "close", func(context.Context, *task.Group) error {
				return errors.Join(errB, context.Canceled)
			})
		}, errB},
	}
	for name, c := range cleanups {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				err := failFast(t.Context(), c.cleanup)
				matches(t, err, errA, c.want)
				if got := as[*task.Failures](t, err); len(got.Failed) != 2 || got.Cancelled != 0 {
					t.Errorf("got %+v, want two failures", got)
				}
			})
		})
	}
}

func Test10GatherStartsNothingAfterAFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var started atomic.Int64
		_, err := task.Gather(t.Context(), make([]struct{}, 1000), func(ctx context.Context, _ struct{}) (int, error) {
			if started.Add(1) == 3 {
				return 0, errA
			}
			return 0, sleep(ctx, time.Hour)
		}, task.Limit(5))
		matches(t, err, errA)
		if got := started.Load(); got > 5 {
			t.Errorf("started %d, want no more than 5", got)
		}
	})
}

func Test11GatherHasNoResultOnError(t *testing.T) {
	t.Parallel()
	got, err := task.Gather(t.Context(), []int{0, 1}, func(_ context.Context, i int) (int, error) {
		return i, []error{nil, errA}[i]
	})
	if got != nil || err == nil {
		t.Errorf("got %v, %v, want no result and an error", got, err)
	}
}

func Test12GatherListsTwoFailuresOfOneInstant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var cause error
		_, err := task.Gather(t.Context(), []error{errA, nil, errB}, func(ctx context.Context, fail error) (int, error) {
			if fail == nil {
				<-ctx.Done()
				cause = context.Cause(ctx)
				return 0, ctx.Err()
			}
			time.Sleep(10 * time.Millisecond)
			return 0, fail
		})
		matches(t, err, errA, errB)
		failures := as[*task.Failures](t, err)
		if len(failures.Failed) != 2 {
			t.Fatalf("got %+v, want two failures", failures)
		}
		if got := as[*task.ItemError](t, cause); *got != failures.Failed[0] {
			t.Errorf("the cause is %v, want the first failure %v", got, failures.Failed[0])
		}
	})
}

func Test13GatherIsCancelledByItsParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errA) })
		begin := time.Now()
		var joined atomic.Int64
		got, err := task.Gather(ctx, make([]int, 3), func(ctx context.Context, _ int) (int, error) {
			defer joined.Add(1)
			return 0, sleep(ctx, time.Hour)
		})
		took(t, begin, time.Second)
		matches(t, err, context.Canceled, errA)
		isNot[*task.Failures](t, err)
		if joined.Load() != 3 || got != nil {
			t.Errorf("joined %d with %v, want 3 without a result", joined.Load(), got)
		}
		if got, want := err.Error(), "context canceled: error A"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func Test13GatherSucceedsWhenAllWorkWasDoneBeforeTheEndOfItsParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		got, err := task.Gather(ctx, []int{7}, func(_ context.Context, i int) (int, error) {
			cancel()
			return i, nil
		})
		if !slices.Equal(got, []int{7}) || err != nil {
			t.Errorf("got %v, %v, want the result", got, err)
		}
	})
}

func Test13GatherFailuresHideTheCauseOfItsParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := task.Gather(ctx, []error{errA, nil}, func(ctx context.Context, fail error) (int, error) {
			<-ctx.Done()
			return 0, cmp.Or(fail, ctx.Err())
		})
		matches(t, err, errA)
		if errors.Is(err, context.Canceled) {
			t.Errorf("%v matches Canceled", err)
		}
	})
}

func Test14GatherKeepsTheDeadlineOfItsParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := task.Gather(ctx, []time.Duration{time.Hour}, sleeper, task.Each(time.Minute))
		matches(t, err, context.DeadlineExceeded)
		isNot[*task.TimeoutError](t, err)
		isNot[*task.Failures](t, err)
	})
}

func Test15GatherStartsNothingUnderACancelledParent(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errA)
	_, err := task.Gather(ctx, []int{1}, func(context.Context, int) (int, error) {
		t.Error("f was called")
		return 0, nil
	})
	matches(t, err, context.Canceled, errA)
}

func Test16GatherRaisesAPanicAfterTheJoin(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		value := panicOf(t, func() {
			_, _ = task.Gather(t.Context(), []bool{false, true}, func(ctx context.Context, boom bool) (int, error) {
				if boom {
					explode()
				}
				<-ctx.Done()
				time.Sleep(time.Second)
				return 0, ctx.Err()
			})
		})
		took(t, begin, time.Second)
		got, ok := value.(*task.PanicError)
		if !ok || got.Value != "boom" || !strings.Contains(string(got.Stack), "task_test.explode") {
			t.Fatalf("got %v, want the value and the stack of the item", value)
		}
		if !strings.Contains(got.Error(), "boom") || !strings.Contains(got.Error(), "task_test.explode") {
			t.Errorf("the text of the panic lacks the value or the stack: %v", got)
		}
	})
}

func explode() { panic("boom") }

func Test17PanicWithAnErrorUnwraps(t *testing.T) {
	t.Parallel()
	value := panicOf(t, func() {
		_, _ = task.Gather(t.Context(), []int{1}, func(context.Context, int) (int, error) { panic(errA) })
	})
	matches(t, value.(error), errA)
}

func Test17PanicInAnInnerGatherKeepsItsStack(t *testing.T) {
	t.Parallel()
	value := panicOf(t, func() {
		_, _ = task.Gather(t.Context(), []int{1}, func(ctx context.Context, i int) (int, error) {
			_, err := task.Gather(ctx, []int{i}, func(context.Context, int) (int, error) {
				explode()
				return 0, nil
			})
			return 0, err
		})
	})
	got := value.(*task.PanicError)
	if got.Value != "boom" || !strings.Contains(string(got.Stack), "task_test.explode") {
		t.Errorf("got %v, want the value and the stack of the inner item", got)
	}
}

func Test18LimitZeroIsNoLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		_, err := task.Gather(t.Context(), slices.Repeat([]time.Duration{time.Second}, 2*task.DefaultLimit), sleeper, task.Limit(0))
		if err != nil {
			t.Error(err)
		}
		took(t, begin, time.Second)
	})
}

func Test18NoLimitIsTheDefaultLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		_, err := task.Gather(t.Context(), slices.Repeat([]time.Duration{time.Second}, 256+1), sleeper)
		if err != nil {
			t.Error(err)
		}
		took(t, begin, 2*time.Second)
	})
}

func Test18GatherHoldsAsManyGoroutinesAsItsLimit(t *testing.T) {
	for name, c := range map[string]struct{ items, limit, want int }{
		"fewer than items":    {1000, 7, 7},
		"more than items":     {3, 100, 3},
		"unlimited":           {1000, 0, 1000},
		"one after the other": {1000, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ids, err := task.Gather(t.Context(), make([]int, c.items), func(ctx context.Context, _ int) (string, error) {
					return goroutine(), sleep(ctx, time.Minute)
				}, task.Limit(c.limit))
				slices.Sort(ids)
				if got := len(slices.Compact(ids)); got != c.want || err != nil {
					t.Errorf("%d goroutines, %v, want %d", got, err, c.want)
				}
			})
		})
	}
}

// goroutine is the number of the goroutine that calls it.
func goroutine() string {
	head := make([]byte, 64)
	head = head[:runtime.Stack(head, false)]
	return strings.Fields(string(head))[1]
}

func Test18NegativeLimitPanics(t *testing.T) {
	t.Parallel()
	panicOf(t, func() { _, _ = task.Gather(t.Context(), nil, sleeper, task.Limit(-1)) })
}

func Test19GatherEachIsAnOwnFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, err := task.Gather(t.Context(), []time.Duration{time.Second, time.Hour}, sleeper,
			task.Each(5*time.Second), task.Named("backup"))
		failures := as[*task.Failures](t, err)
		if len(failures.Failed) != 1 || failures.Failed[0].Index != 1 {
			t.Errorf("got %+v, want item 1", failures)
		}
		want := task.TimeoutError{Name: "backup[1]", After: 5 * time.Second}
		if got := as[*task.TimeoutError](t, err); *got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got, want := err.Error(), "backup[1]: timed out after 5s"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func Test20GatherErrorTextIsBounded(t *testing.T) {
	t.Parallel()
	var ready sync.WaitGroup
	ready.Add(500)
	_, err := task.Gather(t.Context(), make([]int, 500), func(context.Context, int) (int, error) {
		ready.Done()
		ready.Wait()
		return 0, errA
	}, task.Limit(0))
	text := err.Error()
	if !strings.HasPrefix(text, "500 failed: item ") || !strings.HasSuffix(text, "; and 497 more") || strings.Count(text, "error A") != 3 {
		t.Errorf("got %q, want 3 failures and the number of the others", text)
	}
}

func TestGatherTakesGoexitForAFailure(t *testing.T) {
	t.Parallel()
	_, err := task.Gather(t.Context(), []int{1}, func(context.Context, int) (int, error) {
		runtime.Goexit()
		return 0, nil
	})
	matches(t, err, task.ErrGoexit)
	if got := as[*task.Failures](t, err); len(got.Failed) != 1 {
		t.Errorf("got %+v, want one failure", got)
	}
}

func TestGatherTakesACancellationOfTheItemsOwnForAFailure(t *testing.T) {
	t.Parallel()
	_, err := task.Gather(t.Context(), []int{1}, func(context.Context, int) (int, error) { return 0, context.Canceled })
	if got := as[*task.Failures](t, err); len(got.Failed) != 1 || got.Cancelled != 0 {
		t.Errorf("got %+v, want one failure", got)
	}
}
