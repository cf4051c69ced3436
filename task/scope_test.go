package task_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/task"
)

func Test51ScopeWaitsForItsTasks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		err := task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
			g.Go("slow", func(ctx context.Context) error { return sleep(ctx, 200*time.Millisecond) })
			return nil
		})
		took(t, begin, 200*time.Millisecond)
		if err != nil {
			t.Error(err)
		}
	})
}

func Test52TaskFailureWakesTheBody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var cause error
		err := task.Scope(t.Context(), "s", func(ctx context.Context, g *task.Group) error {
			g.Go("quiet", func(ctx context.Context) error { return sleep(ctx, time.Hour) })
			g.Go("loud", func(context.Context) error { return errA })
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		})
		want := task.ItemError{Index: 1, Name: "loud", Err: errA}
		failures := as[*task.Failures](t, err)
		if !slices.Equal(failures.Failed, []task.ItemError{want}) || failures.Cancelled != 2 {
			t.Errorf("got %+v, want one failure and two cancelled", failures)
		}
		if got := as[*task.ItemError](t, cause); *got != want {
			t.Errorf("got cause %+v, want %+v", got, want)
		}
	})
}

func Test53BodyFailureCancelsTheTasks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var cleaned atomic.Int64
		begin := time.Now()
		err := task.Scope(t.Context(), "fetch", func(_ context.Context, g *task.Group) error {
			for i := range 5 {
				g.Go(fmt.Sprint(i), func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(time.Second)
					cleaned.Add(1)
					return ctx.Err()
				})
			}
			return errA
		})
		took(t, begin, time.Second)
		matches(t, err, errA)
		failures := as[*task.Failures](t, err)
		if want := (task.ItemError{Index: -1, Name: "fetch", Err: errA}); !slices.Equal(failures.Failed, []task.ItemError{want}) {
			t.Errorf("got %+v, want the body", failures)
		}
		if cleaned.Load() != 5 || failures.Cancelled != 5 {
			t.Errorf("%d cleaned up, %d cancelled, want 5", cleaned.Load(), failures.Cancelled)
		}
	})
}

func Test54BodyAndTaskFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		err := task.Scope(t.Context(), "s", func(ctx context.Context, g *task.Group) error {
			g.Go("task", func(context.Context) error { return errA })
			<-ctx.Done()
			return errB
		})
		matches(t, err, errA, errB)
		if got := as[*task.Failures](t, err); len(got.Failed) != 2 {
			t.Errorf("got %+v, want both", got)
		}
	})
}

func Test55TaskStartedByATaskAfterTheBodyIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		err := task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
			g.Go("first", func(ctx context.Context) error {
				time.Sleep(time.Second)
				g.Go("second", func(ctx context.Context) error { return sleep(ctx, time.Second) })
				return nil
			})
			return nil
		})
		took(t, begin, 2*time.Second)
		if err != nil {
			t.Error(err)
		}
	})
}

func Test56GoAfterTheEndPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, body := range map[string]func(*task.Group) error{
			"without tasks": func(*task.Group) error { return nil },
			"with a task": func(g *task.Group) error {
				g.Go("task", func(ctx context.Context) error { return sleep(ctx, time.Second) })
				return nil
			},
		} {
			var late *task.Group
			_ = task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
				late = g
				return body(g)
			})
			panicOf(t, func() {
				late.Go("late", func(context.Context) error {
					t.Errorf("%s: a task ran after the end", name)
					return nil
				})
			})
			panicOf(t, func() {
				task.Start(late, "late", func(context.Context) (int, error) {
					t.Errorf("%s: a task ran after the end", name)
					return 0, nil
				})
			})
		}
		synctest.Wait()
	})
}

func Test57GoIntoACancelledGroupStarts(t *testing.T) {
	t.Parallel()
	var started bool
	err := task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
		g.Cancel(errA)
		g.Go("closer", func(ctx context.Context) error {
			started = true
			matches(t, ctx.Err(), context.Canceled)
			matches(t, context.Cause(ctx), errA)
			return ctx.Err()
		})
		return nil
	})
	if !started || err != nil {
		t.Errorf("started %v, got %v, want a start and success", started, err)
	}
}

func Test58StartGivesTypedResults(t *testing.T) {
	t.Parallel()
	var number *task.Task[int]
	var word *task.Task[string]
	err := task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
		number = task.Start(g, "number", func(context.Context) (int, error) { return 7, nil })
		word = task.Start(g, "word", func(context.Context) (string, error) { return "seven", nil })
		return nil
	})
	n, errN := number.Wait(t.Context())
	w, errW := word.Wait(t.Context())
	if err := errors.Join(err, errN, errW); n != 7 || w != "seven" || err != nil {
		t.Errorf("got %d, %q, %v", n, w, err)
	}
	if number.Name() != "number" {
		t.Errorf("got name %q", number.Name())
	}
	select {
	case <-word.Done():
	default:
		t.Error("not done after its scope")
	}
}

func Test59CancelEndsOneTaskAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var one, other *task.Task[time.Duration]
		begin := time.Now()
		err := task.Scope(t.Context(), "s", func(ctx context.Context, g *task.Group) error {
			one = task.Start(g, "one", func(ctx context.Context) (time.Duration, error) { return sleeper(ctx, time.Hour) })
			other = task.Start(g, "other", func(ctx context.Context) (time.Duration, error) { return sleeper(ctx, time.Second) })
			one.Cancel(errA)
			_, err := one.Wait(ctx)
			matches(t, err, context.Canceled, errA)
			return nil
		})
		took(t, begin, time.Second)
		if got, otherErr := other.Wait(t.Context()); got != time.Second || otherErr != nil || err != nil {
			t.Errorf("the other: %v, %v; the scope: %v", got, otherErr, err)
		}
	})
}

func Test59CancelledTaskAndALaterEndOfTheParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := task.Scope(ctx, "s", func(ctx context.Context, g *task.Group) error {
			one := task.Start(g, "one", func(ctx context.Context) (time.Duration, error) { return sleeper(ctx, time.Hour) })
			one.Cancel(nil)
			<-one.Done()
			synctest.Wait()
			cancel()
			return nil
		})
		if err != nil {
			t.Errorf("got %v: the parent cut nothing short", err)
		}
	})
}

func Test60WaitGivesUpAndTheTaskGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		err := task.Scope(t.Context(), "s", func(ctx context.Context, g *task.Group) error {
			slow := task.Start(g, "slow", func(ctx context.Context) (int, error) { return 7, sleep(ctx, time.Second) })
			impatient, cancel := context.WithTimeoutCause(ctx, time.Millisecond, errA)
			defer cancel()
			_, err := slow.Wait(impatient)
			matches(t, err, context.DeadlineExceeded, errA)
			got, err := slow.Wait(ctx)
			if got != 7 || err != nil {
				t.Errorf("got %d, %v, want 7", got, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func Test60WaitFindsTheFailureThatEndedItsContext(t *testing.T) {
	t.Parallel()
	for range 1000 {
		_ = task.Scope(t.Context(), "s", func(ctx context.Context, g *task.Group) error {
			failing := task.Start(g, "failing", func(context.Context) (int, error) { return 0, errA })
			if _, err := failing.Wait(ctx); err != errA {
				t.Errorf("got %v, want the error of the task", err)
			}
			return nil
		})
	}
}

func Test61ScopeIsCancelledByItsParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errA) })
		begin := time.Now()
		err := task.Scope(ctx, "s", func(ctx context.Context, g *task.Group) error {
			g.Go("task", func(ctx context.Context) error { return sleep(ctx, time.Hour) })
			return nil
		})
		took(t, begin, time.Second)
		matches(t, err, context.Canceled, errA)
		isNot[*task.Failures](t, err)
	})
}

func Test61ScopeSucceedsWhenNothingWasCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	err := task.Scope(ctx, "s", func(_ context.Context, g *task.Group) error {
		g.Go("done all the same", func(ctx context.Context) error {
			cancel()
			<-ctx.Done()
			return nil
		})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func Test61BodyCutShortByTheParent(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	err := task.Scope(ctx, "s", func(ctx context.Context, _ *task.Group) error {
		cancel(errA)
		return ctx.Err()
	})
	matches(t, err, context.Canceled, errA)
	isNot[*task.Failures](t, err)
}

func Test62ScopeRaisesAPanicAfterTheJoin(t *testing.T) {
	for name, body := range map[string]func(*task.Group) error{
		"of a task": func(g *task.Group) error {
			g.Go("bomb", func(context.Context) error {
				explode()
				return nil
			})
			return nil
		},
		"of a started task": func(g *task.Group) error {
			task.Start(g, "bomb", func(context.Context) (int, error) {
				explode()
				return 0, nil
			})
			return nil
		},
		"of the body": func(*task.Group) error {
			explode()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				begin := time.Now()
				value := panicOf(t, func() {
					_ = task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
						g.Go("other", func(ctx context.Context) error {
							<-ctx.Done()
							time.Sleep(time.Second)
							return ctx.Err()
						})
						return body(g)
					})
				})
				took(t, begin, time.Second)
				got, ok := value.(*task.PanicError)
				if !ok || got.Value != "boom" || !strings.Contains(string(got.Stack), "task_test.explode") {
					t.Errorf("got %v, want the value and the stack of the panic", value)
				}
			})
		})
	}
}

func Test62WaitGivesThePanic(t *testing.T) {
	t.Parallel()
	panicOf(t, func() {
		_ = task.Scope(t.Context(), "s", func(ctx context.Context, g *task.Group) error {
			_, err := task.Start(g, "bomb", func(context.Context) (int, error) { panic(errA) }).Wait(ctx)
			as[*task.PanicError](t, err)
			matches(t, err, errA)
			return nil
		})
	})
}

func Test63ScopeOfNothing(t *testing.T) {
	t.Parallel()
	if err := task.Scope(t.Context(), "s", func(context.Context, *task.Group) error { return nil }); err != nil {
		t.Error(err)
	}
}

func Test64CancelReachesEveryLeaf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var cleaned atomic.Int64
		leaf := func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			cleaned.Add(1)
			return ctx.Err()
		}
		branch := func(ctx context.Context) error {
			return task.Scope(ctx, "inner", func(_ context.Context, g *task.Group) error {
				g.Go("left", leaf)
				g.Go("right", leaf)
				return nil
			})
		}
		begin := time.Now()
		err := task.Scope(t.Context(), "outer", func(_ context.Context, g *task.Group) error {
			g.Go("left", branch)
			g.Go("right", branch)
			synctest.Wait()
			g.Cancel(errA)
			return nil
		})
		took(t, begin, time.Second)
		if cleaned.Load() != 4 || err != nil {
			t.Errorf("%d leaves cleaned up, %v, want 4", cleaned.Load(), err)
		}
	})
}

func TestGroupCancelIsASuccess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, end := range map[string]func(context.Context) error{
			"the error of the context": func(ctx context.Context) error { return ctx.Err() },
			"the cause":                context.Cause,
		} {
			err := task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
				g.Go("task", func(ctx context.Context) error {
					<-ctx.Done()
					return end(ctx)
				})
				g.Cancel(errA)
				return nil
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestGroupCancelDoesNotHideAFailure(t *testing.T) {
	t.Parallel()
	err := task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
		g.Go("task", func(ctx context.Context) error {
			<-ctx.Done()
			return errB
		})
		g.Cancel(errA)
		return nil
	})
	matches(t, err, errB)
}

func TestGroupCancelDoesNotHideTheEndOfTheParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := task.Scope(ctx, "s", func(_ context.Context, g *task.Group) error {
			g.Go("task", func(ctx context.Context) error {
				<-ctx.Done()
				cancel(errB)
				return ctx.Err()
			})
			g.Cancel(errA)
			return nil
		})
		matches(t, err, context.Canceled, errB)
	})
}

func TestGoexitInATaskIsAFailure(t *testing.T) {
	t.Parallel()
	err := task.Scope(t.Context(), "s", func(ctx context.Context, g *task.Group) error {
		gone := task.Start(g, "gone", func(context.Context) (int, error) {
			runtime.Goexit()
			return 0, nil
		})
		_, err := gone.Wait(ctx)
		matches(t, err, task.ErrGoexit)
		return nil
	})
	matches(t, err, task.ErrGoexit)
}

func TestGoexitInTheBodyJoinsItsTasks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var cleaned atomic.Bool
		_ = task.Scope(t.Context(), "outer", func(_ context.Context, g *task.Group) error {
			g.Go("goexit", func(ctx context.Context) error {
				defer func() {
					if !cleaned.Load() {
						t.Error("the goroutine went on before the join")
					}
				}()
				return task.Scope(ctx, "left by goexit", func(_ context.Context, g *task.Group) error {
					g.Go("task", func(ctx context.Context) error {
						<-ctx.Done()
						time.Sleep(time.Second)
						cleaned.Store(true)
						return ctx.Err()
					})
					runtime.Goexit()
					return nil
				})
			})
			return nil
		})
		if got := below("left by goexit"); got != "" {
			t.Errorf("left in the tree:\n%s", got)
		}
	})
}

func TestScopeMayRunThousandsAtOnce(t *testing.T) {
	t.Parallel()
	sums := make([]int, 10_000)
	err := task.Scope(t.Context(), "s", func(_ context.Context, g *task.Group) error {
		for i := range sums {
			g.Go("task", func(context.Context) error {
				sums[i] = i
				return nil
			})
		}
		return nil
	})
	if err != nil || !slices.Equal(sums, numbers(len(sums))) {
		t.Errorf("got %v and wrong sums", err)
	}
}
