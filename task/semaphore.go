package task

import (
	"container/list"
	"context"
	"sync"
)

// Semaphore hands out a number of units, first come first served. Its methods may be called by several goroutines.
type Semaphore struct {
	mu      sync.Mutex
	size    int64
	held    int64
	waiters list.List // of *waiter
}

type waiter struct {
	n       int64
	granted chan struct{}
}

// NewSemaphore returns a semaphore of n units, all of them free. A negative n panics.
func NewSemaphore(n int64) *Semaphore {
	if n < 0 {
		panic("task: negative size of a semaphore")
	}
	return &Semaphore{size: n}
}

// Acquire takes n units, and waits for them until ctx ends; then it holds none and the error matches ctx.Err and the cause of
// ctx. With a ctx that has ended it acquires nothing, even if all is free. Who came first is served first, also when a later
// one needs less; only who wants more units than there are in all stands aside until a Resize makes it possible. A negative
// n panics.
func (s *Semaphore) Acquire(ctx context.Context, n int64) error {
	if n < 0 {
		panic("task: negative number of units acquired")
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	s.mu.Lock()
	if s.waiters.Len() == 0 && n <= s.size-s.held {
		s.held += n
		s.mu.Unlock()
		return nil
	}
	w := &waiter{n: n, granted: make(chan struct{})}
	place := s.waiters.PushBack(w)
	s.grant()
	s.mu.Unlock()
	select {
	case <-w.granted:
	case <-ctx.Done():
	}
	if ctx.Err() == nil {
		return nil
	}
	s.giveUp(w, place)
	return ended(ctx)
}

// giveUp takes back what w asked for or was given, and serves those behind it.
func (s *Semaphore) giveUp(w *waiter, place *list.Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-w.granted:
		s.held -= w.n
	default:
		s.waiters.Remove(place)
	}
	s.grant()
}

// Release gives n units back. It panics when n is negative or more than what is held.
func (s *Semaphore) Release(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n > s.held {
		panic("task: semaphore released more than it held")
	}
	s.held -= n
	s.grant()
}

// Resize changes the number of units to n. More are handed out at once; with less, those that are held stay held, and nothing
// is handed out until enough has been released. A negative n panics.
func (s *Semaphore) Resize(n int64) {
	if n < 0 {
		panic("task: negative size of a semaphore")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = n
	s.grant()
}

// grant serves the waiters from the front, until one has to wait.
func (s *Semaphore) grant() {
	for e := s.waiters.Front(); e != nil; {
		w, next := e.Value.(*waiter), e.Next()
		if w.n <= s.size {
			if w.n > s.size-s.held {
				return
			}
			s.held += w.n
			s.waiters.Remove(e)
			close(w.granted)
		}
		e = next
	}
}
