package ise

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/musternet/muster/task"
)

// gate lets requests pass: so many at once, so many a second.
//
// The rate is a bucket of one token, so that requests leave at even distances. That alone does not keep the server from counting too
// many in a second, because some travel longer than others: two that left apart can arrive together. So each also
// occupies one of rate places from when it leaves until a second after its answer, which is when the server has surely
// stopped counting it. Whatever delays there are, no second of the server's sees more than rate requests.
type gate struct {
	slots *task.Semaphore // requests at once

	mu     sync.Mutex
	window time.Duration // a second, or as long as one request takes at a rate below 1
	places int           // requests in a window
	every  time.Duration // between two requests at the full rate
	factor float64       // how much longer it is since ISE asked to slow down; at least 1
	slowed time.Time     // when factor last grew
	next   time.Time     // when the next request may leave
	busy   int           // requests that left, or are about to
	ends   []time.Time   // when the others ended, as long as that is less than window ago
}

const (
	slowest   = 16              // times the distance between two requests, when ISE cannot keep up
	recovery  = 0.98            // is left of it after a success
	maxPlaces = 1 << 14         // bounds the memory of an absurd rate
	minEvery  = time.Nanosecond // of an even more absurd one
)

func newGate(connections int, rate float64) *gate {
	places := int(min(max(math.Floor(rate), 1), maxPlaces))
	seconds := float64(time.Second)
	return &gate{
		slots:  task.NewSemaphore(int64(min(connections, places))),
		window: time.Duration(min(seconds/min(rate, 1), math.MaxInt64/2)),
		places: places,
		every:  max(time.Duration(min(seconds/rate, math.MaxInt64/2)), minEvery),
		factor: 1,
	}
}

// enter waits until a request may be sent. Who entered calls leave after the answer.
func (g *gate) enter(ctx context.Context) error {
	if err := g.slots.Acquire(ctx, 1); err != nil {
		return err
	}
	if err := g.pace(ctx); err != nil {
		g.slots.Release(1)
		return err
	}
	return nil
}

// leave is called when a request has been answered or has failed.
func (g *gate) leave() {
	g.ended()
	g.slots.Release(1)
}

// again is leave and enter in one, for a request that the transport sends once more by itself.
func (g *gate) again(ctx context.Context) error {
	g.ended()
	err := g.pace(ctx)
	if err != nil { // leave comes all the same
		g.mu.Lock()
		g.busy++
		g.mu.Unlock()
	}
	return err
}

func (g *gate) ended() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	g.ends = append(g.ends, time.Now())
}

// pace waits for a place and for the moment to leave.
func (g *gate) pace(ctx context.Context) error {
	for {
		wait, ours := g.take()
		if err := sleep(ctx, wait); err != nil {
			if ours {
				g.mu.Lock()
				g.busy--
				g.mu.Unlock()
			}
			return err
		}
		if ours {
			return nil
		}
	}
}

// take takes a place, and returns how long to wait before using it; or it returns how long to wait before asking again. There
// are no more slots than places, so that one who finds all places taken finds some whose request has ended.
func (g *gate) take() (wait time.Duration, ours bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	gone := 0
	for gone < len(g.ends) && now.Sub(g.ends[gone]) > g.window {
		gone++
	}
	g.ends = slices.Delete(g.ends, 0, gone)
	if g.busy+len(g.ends) >= g.places {
		return g.window - now.Sub(g.ends[0]) + 1, false
	}
	g.busy++
	at := now
	if g.next.After(now) {
		at = g.next
	}
	g.next = at.Add(time.Duration(float64(g.every) * g.factor))
	return at.Sub(now), true
}

// slower doubles the distance between requests, because ISE could not keep up with the one that left at that moment. Requests that
// were under way together fail together: one that left before the last doubling is no reason for another. It reports
// whether it doubled.
func (g *gate) slower(left time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if left.Before(g.slowed) || g.factor >= slowest {
		return false
	}
	g.slowed, g.factor = time.Now(), min(g.factor*2, slowest)
	return true
}

// faster takes a little of slower back.
func (g *gate) faster() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.factor = max(g.factor*recovery, 1)
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
