// Package eventtest holds the conformance suite that every event.Journal passes, and a journal in memory for tests.
package eventtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/event"
)

var _ event.Journal = (*Journal)(nil)

// Journal keeps events in memory. The zero value is empty. Fault, where set, is asked before each write and says how it
// fails.
type Journal struct {
	Fault func(ctx context.Context) error

	mu      sync.Mutex
	events  []muster.Event // the oldest first
	newest  int64          // place of the last one
	cursors map[string]int64
}

func (j *Journal) fault(ctx context.Context) error {
	if err := ctx.Err(); err != nil || j.Fault == nil {
		return err
	}
	return j.Fault(ctx)
}

// Append implements event.Journal.
func (j *Journal) Append(ctx context.Context, events []muster.Event) (int64, error) {
	if err := j.fault(ctx); err != nil {
		return 0, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range events {
		if !slices.ContainsFunc(j.events, func(o muster.Event) bool { return o.ID == e.ID }) {
			j.events = append(j.events, kept(e))
			j.newest++
		}
	}
	return j.newest, nil
}

// kept is what a journal keeps of an event, independent of it.
func kept(e muster.Event) muster.Event {
	if e.Transition != nil {
		t := *e.Transition
		e.Transition = &t
	}
	if e.Result == nil {
		return e
	}
	r := *e.Result
	e.Result = &r
	if r.Failure != nil {
		f := *r.Failure
		f.Transcript = nil
		if f.Err != nil {
			f.Err = errors.New(f.Err.Error())
		}
		r.Failure = &f
	}
	return e
}

// Since implements event.Journal.
func (j *Journal) Since(ctx context.Context, after int64, limit int) (int64, []muster.Event, error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	first := max(after+1, j.oldest())
	if first > j.newest {
		return 0, nil, nil
	}
	var some []muster.Event
	for _, e := range j.events[first-j.oldest():] {
		if len(some) == limit {
			break
		}
		some = append(some, kept(e))
	}
	return first, some, nil
}

// oldest is the place of the first event.
func (j *Journal) oldest() int64 { return j.newest - int64(len(j.events)) + 1 }

// Cursor implements event.Journal.
func (j *Journal) Cursor(ctx context.Context, subscriber string) (int64, error) {
	j.mu.Lock()
	place, ok := j.cursors[subscriber]
	if !ok {
		place = j.newest
	}
	j.mu.Unlock()
	if ok {
		return place, nil
	}
	return place, j.SetCursor(ctx, subscriber, place)
}

// SetCursor implements event.Journal.
func (j *Journal) SetCursor(ctx context.Context, subscriber string, place int64) error {
	if err := j.fault(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cursors == nil {
		j.cursors = make(map[string]int64)
	}
	j.cursors[subscriber] = place
	return nil
}

// Forget implements event.Journal.
func (j *Journal) Forget(ctx context.Context, before time.Time, most int) error {
	if err := j.fault(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	n := slices.IndexFunc(j.events, func(e muster.Event) bool { return !e.Time.Before(before) })
	if n < 0 {
		n = len(j.events)
	}
	n = max(n, len(j.events)-most)
	j.events = slices.Delete(j.events, 0, max(0, min(n, len(j.events)-1)))
	return nil
}
