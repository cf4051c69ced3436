package task_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/task"
)

func Test65SemaphoreOfNegativeSizePanics(t *testing.T) {
	t.Parallel()
	panicOf(t, func() { task.NewSemaphore(-1) })
	panicOf(t, func() { task.NewSemaphore(1).Resize(-1) })
}

func Test65SemaphoreOverReleasePanics(t *testing.T) {
	t.Parallel()
	s := task.NewSemaphore(2)
	if err := s.Acquire(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	panicOf(t, func() { s.Release(2) })
	panicOf(t, func() { s.Release(-1) })
	s.Release(1) // what panicked has released nothing and holds no lock
	panicOf(t, func() { s.Release(1) })
}

func Test65SemaphoreNegativeAcquirePanics(t *testing.T) {
	t.Parallel()
	panicOf(t, func() { _ = task.NewSemaphore(2).Acquire(t.Context(), -1) })
}

func Test65SemaphoreIsNotAcquiredUnderACancelledContext(t *testing.T) {
	t.Parallel()
	s := task.NewSemaphore(1)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errA)
	matches(t, s.Acquire(ctx, 1), context.Canceled, errA)
	if err := s.Acquire(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

// queue starts one waiter after the other; each notes its name when it was served and holds what it got.
type queue struct {
	t      *testing.T
	s      *task.Semaphore
	g      *task.Group
	mu     sync.Mutex
	served []string
}

func (q *queue) wait(ctx context.Context, name string, n int64) {
	q.g.Go(name, func(context.Context) error {
		if err := q.s.Acquire(ctx, n); err != nil {
			return nil
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		q.served = append(q.served, name)
		return nil
	})
	synctest.Wait()
}

// want checks who has been served until now; of those who were served at one instant the order is not known.
func (q *queue) want(served ...string) {
	q.t.Helper()
	synctest.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	got := slices.Sorted(slices.Values(q.served))
	if want := slices.Sorted(slices.Values(served)); !slices.Equal(got, want) {
		q.t.Errorf("served %v, want %v", got, want)
	}
}

// inQueue runs f with a semaphore of size that is fully held.
func inQueue(t *testing.T, size int64, f func(ctx context.Context, q *queue)) {
	bubble(t, func(t *testing.T) {
		s := task.NewSemaphore(size)
		if err := s.Acquire(t.Context(), size); err != nil {
			t.Fatal(err)
		}
		err := task.Scope(t.Context(), "queue", func(ctx context.Context, g *task.Group) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			f(ctx, &queue{t: t, s: s, g: g})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func Test65SemaphoreCancelledHeadWakesTheNextThatFits(t *testing.T) {
	inQueue(t, 4, func(ctx context.Context, q *queue) {
		head, cancel := context.WithCancel(ctx)
		q.wait(head, "head of 4", 4)
		q.wait(ctx, "one", 1)
		q.wait(ctx, "two", 2)
		q.wait(ctx, "three", 3)
		q.s.Release(3)
		q.want()
		cancel()
		q.want("one", "two")
	})
}

func Test65SemaphoreServesInOrder(t *testing.T) {
	inQueue(t, 1, func(ctx context.Context, q *queue) {
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			q.wait(ctx, want[i], 1)
		}
		for i := range want {
			q.s.Release(1)
			q.want(want[:i+1]...)
		}
	})
}

func Test65SemaphoreLaterAndSmallerWaitsBehindTheHead(t *testing.T) {
	inQueue(t, 2, func(ctx context.Context, q *queue) {
		q.wait(ctx, "two", 2)
		q.wait(ctx, "one", 1)
		q.s.Release(1)
		q.want()
		q.s.Release(1)
		q.want("two")
	})
}

func Test65SemaphoreGrowWakesExactlyThoseThatFit(t *testing.T) {
	inQueue(t, 1, func(ctx context.Context, q *queue) {
		for i := range 5 {
			q.wait(ctx, fmt.Sprint(i), 1)
		}
		q.s.Resize(4)
		q.want("0", "1", "2")
	})
}

func Test65SemaphoreShrinksWhenUnitsAreReleased(t *testing.T) {
	inQueue(t, 3, func(ctx context.Context, q *queue) {
		q.s.Resize(1)
		q.wait(ctx, "next", 1)
		q.s.Release(2)
		q.want()
		q.s.Release(1)
		q.want("next")
	})
}

func Test65SemaphoreWaiterForMoreThanThereIsStandsAside(t *testing.T) {
	inQueue(t, 1, func(ctx context.Context, q *queue) {
		q.wait(ctx, "five", 5)
		q.wait(ctx, "one", 1)
		q.s.Release(1)
		q.want("one")
		q.s.Resize(6)
		q.want("one", "five")
	})
}

func TestSemaphoreAcquireIsBoundedByItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		s := task.NewSemaphore(0)
		_, err := task.Timeout(t.Context(), time.Second, func(ctx context.Context) (int, error) { return 0, s.Acquire(ctx, 1) })
		took(t, begin, time.Second)
		as[*task.TimeoutError](t, err)
	})
}

func TestSemaphoreGivesBackWhatItGrantedToACancelledWaiter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := task.NewSemaphore(1)
		for range 1000 {
			if err := s.Acquire(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			err := task.Scope(t.Context(), "race", func(_ context.Context, g *task.Group) error {
				g.Go("waiter", func(context.Context) error {
					if s.Acquire(ctx, 1) == nil {
						s.Release(1)
					}
					return nil
				})
				synctest.Wait()
				g.Go("cancel", func(context.Context) error { cancel(); return nil })
				s.Release(1)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Acquire(t.Context(), 1); err != nil {
			t.Error(err)
		}
	})
}

func TestSemaphoreBoundsWhatRunsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var p peak
		begin := time.Now()
		s := task.NewSemaphore(10)
		_, err := task.Gather(t.Context(), slices.Repeat([]time.Duration{time.Second}, 50),
			func(ctx context.Context, d time.Duration) (time.Duration, error) {
				if err := s.Acquire(ctx, 1); err != nil {
					return 0, err
				}
				defer s.Release(1)
				p.enter()
				defer p.leave()
				return sleeper(ctx, d)
			})
		took(t, begin, 5*time.Second)
		if got := p.highest.Load(); got != 10 || err != nil {
			t.Errorf("peak %d, %v, want 10", got, err)
		}
	})
}
