package event

import (
	"context"
	"sync"

	"github.com/musternet/muster"
)

// waiting is an event in memory, told when the journal had come to a place.
type waiting struct {
	event muster.Event
	place int64
}

// queue holds what one subscriber or listener is to be told from memory. When it is full it takes nothing more, but counts,
// until it was emptied and the count was taken: what is missing is missing in one place.
type queue struct {
	journaled bool          // what the journal keeps is not for the queue
	more      chan struct{} // holds one when there may be something new

	mu     sync.Mutex
	events []waiting
	missed int
}

func newQueue(journaled bool) *queue {
	return &queue{journaled: journaled, more: make(chan struct{}, 1)}
}

func (q *queue) put(e muster.Event, place int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.missed > 0 || len(q.events) >= Queue {
		q.missed++
		return
	}
	q.events = append(q.events, waiting{e, place})
}

// wake never blocks: one wake-up is enough for whatever is there.
func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// take removes the first event, if it has its turn at a place of the journal, or else the count when no event is before it.
func (q *queue) take(place int64) (e muster.Event, missed int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.events) > 0 && q.events[0].place <= place:
		e = q.events[0].event
		q.events[0] = waiting{} // lets go of what it points at
		q.events = q.events[1:]
		return e, 0, true
	case len(q.events) == 0 && q.missed > 0:
		missed, q.missed = q.missed, 0
		return muster.Event{}, missed, true
	}
	return muster.Event{}, 0, false
}

// turn returns at which place of the journal it is the turn of the first event, or at once of the count.
func (q *queue) turn() (place int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == 0 {
		return 0, q.missed > 0
	}
	return q.events[0].place, true
}

// wait returns false when ctx ends.
func (q *queue) wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-q.more:
		return true
	}
}
