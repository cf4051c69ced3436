package job

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/musternet/muster/task"
)

// The adaptive limit's bounds: it starts at StartLimit and never grows past MaxLimit.
const (
	StartLimit = 10
	MaxLimit   = 256
)

// Limiter bounds how many conversations run at once. A fixed one keeps its number. An adaptive one starts at StartLimit,
// grows by one for each login that succeeds without delay, and is halved when the fleet's logins are delayed, refused
// for load or limited: ten devices that share one AAA server must not be the ones to find out what it can bear.
//
// One slow or full device says nothing about the fleet. So logins are judged in windows of as many logins as the limit
// allows: it is halved when a tenth of a window (two at least) was refused for load, or when the window's median time
// is more than twice the best window's plus a second. Logins that stay as slow however few they are were not delayed by
// us: old devices, or far ones, that came after quick ones. Their time is the measure from then on.
type Limiter struct {
	sem *task.Semaphore
	max int

	mu      sync.Mutex
	size    int
	fixed   bool
	times   []time.Duration // of the logins of this window that succeeded
	refused int             // of this window
	best    time.Duration   // median of the fastest window; 0: none yet
	delayed time.Duration   // median of the first of the slow windows that have followed one another; 0: the last was none
}

// NewLimiter returns a limiter fixed at n, or an adaptive one if n is 0.
func NewLimiter(n int) *Limiter {
	if n > 0 {
		return &Limiter{sem: task.NewSemaphore(int64(n)), max: n, size: n, fixed: true}
	}
	return &Limiter{sem: task.NewSemaphore(StartLimit), max: MaxLimit, size: StartLimit}
}

// Size returns how many may run at once now.
func (l *Limiter) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

// Max returns what Size can become.
func (l *Limiter) Max() int { return l.max }

// Acquire waits for a place, in order of arrival. Every nil is followed by one Release.
func (l *Limiter) Acquire(ctx context.Context) error { return l.sem.Acquire(ctx, 1) }

// Release gives a place back.
func (l *Limiter) Release() { l.sem.Release(1) }

// Login tells how a login went: how long handshake and authentication took, or that the device refused it for load.
// Failures of another kind are not told.
func (l *Limiter) Login(took time.Duration, refused bool) {
	if l.fixed {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if refused {
		l.refused++
	} else {
		l.times = append(l.times, took)
	}
	if !refused && !l.slow(took) {
		l.resize(l.size + 1)
	}
	if l.refused >= max(2, l.size/10) {
		l.halve()
	} else if len(l.times)+l.refused >= l.size {
		l.endWindow()
	}
}

// endWindow judges a full window. l.mu is held.
func (l *Limiter) endWindow() {
	median := median(l.times)
	if l.slow(median) {
		if l.delayed == 0 {
			l.delayed = median
		}
		if !l.bySelf(median) {
			l.halve()
			return
		}
		l.best = median
	}
	l.delayed = 0
	if median > 0 && (l.best == 0 || median < l.best) {
		l.best = median
	}
	l.startWindow()
}

// slow tells whether a login time is a delay, measured by the best window so far.
func (l *Limiter) slow(took time.Duration) bool {
	return l.best > 0 && took > 2*l.best+time.Second
}

// bySelf tells whether a slow window owes nothing to us: so few at once, and hardly quicker than when there were many.
func (l *Limiter) bySelf(median time.Duration) bool {
	return l.size == 1 || l.size < StartLimit && 4*median > 3*l.delayed
}

func (l *Limiter) halve() {
	l.resize(l.size / 2)
	l.startWindow()
}

func (l *Limiter) startWindow() { l.times, l.refused = l.times[:0], 0 }

func (l *Limiter) resize(n int) {
	n = min(max(n, 1), l.max)
	if n != l.size {
		l.size = n
		l.sem.Resize(int64(n))
	}
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}
