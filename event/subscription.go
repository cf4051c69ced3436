package event

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

const (
	batch      = 256             // events read from the journal at once, and at most told again after kill -9
	againAfter = time.Second     // the journal is read again when that failed
	lastSave   = 5 * time.Second // for the cursor, when the context has ended
)

// Subscription is one subscriber's or listener's place in the stream of events.
type Subscription struct {
	bus    *Bus
	name   string // empty: it only listens
	filter Filter
	queue  *queue

	loop  sync.Mutex // held by a range over Events; guards what follows
	place int64      // in the journal: all up to here have been dealt with
	saved int64
}

// Subscribe makes a durable subscription under a name, which is what a restart knows it by. Nothing that is published after
// it returned is missed. A name that is new begins there; a known one goes on after the last event that it took, as far as
// the journal still has it. ErrTaken, as long as a subscription of that name is not closed.
func (b *Bus) Subscribe(ctx context.Context, name string, f Filter) (*Subscription, error) {
	if name == "" {
		return nil, errors.New("subscribe: a subscriber needs a name")
	}
	if err := b.take(name); err != nil {
		return nil, err
	}
	place, err := b.journal.Cursor(ctx, name)
	if err != nil {
		b.free(name)
		return nil, fmt.Errorf("subscribe %q: %w", name, err)
	}
	s := &Subscription{bus: b, name: name, filter: f, queue: newQueue(true), place: place, saved: place}
	b.join(s.queue, f)
	s.queue.wake() // the journal may hold some already
	return s, nil
}

// Listen makes a subscription to what is published from now on. It is not durable, and holds Queue events that its loop has
// not taken: what comes beyond that is told as a *MissedError.
func (b *Bus) Listen(f Filter) *Subscription {
	s := &Subscription{bus: b, filter: f, queue: newQueue(false)}
	b.join(s.queue, f)
	return s
}

// Close ends the subscription; a second time it does nothing. It does not end a loop over Events, which ends by its context.
// A durable subscriber keeps its place in the journal.
func (s *Subscription) Close() { s.bus.leave(s.queue, s.name) }

// Events yields events until ctx ends. Taking the next event acknowledges the one before: a durable subscriber that leaves
// the loop while it handles an event gets that one again.
//
// An error takes the place of an event and does not end the loop: a *MissedError, or what the journal failed with, which is
// tried again after a second. Only one loop at a time may range over it; a second one gets an error and ends.
func (s *Subscription) Events(ctx context.Context) iter.Seq2[muster.Event, error] {
	return func(yield func(muster.Event, error) bool) {
		if !s.loop.TryLock() {
			yield(muster.Event{}, errors.New("another loop takes the events of this subscription"))
			return
		}
		defer s.loop.Unlock()
		defer s.leave(ctx)
		for ctx.Err() == nil && s.round(ctx, yield) {
		}
	}
}

// round yields what there is and waits for more when there was nothing.
func (s *Subscription) round(ctx context.Context, yield func(muster.Event, error) bool) bool {
	steps, err := s.next(ctx)
	if err == nil && len(steps) == 0 {
		return s.queue.wait(ctx)
	}
	for _, step := range steps {
		if ctx.Err() != nil || !s.step(step, yield) {
			return false
		}
	}
	if err == nil {
		err = s.save(ctx)
	}
	if err == nil || ctx.Err() != nil {
		return true
	}
	return yield(muster.Event{}, err) && pause(ctx, againAfter)
}

// step is one thing to yield.
type step struct {
	event  muster.Event
	place  int64 // in the journal; 0: it is not kept
	missed int   // not 0: there is no event but this many that were missed
}

func (s *Subscription) step(t step, yield func(muster.Event, error) bool) bool {
	goes := true
	switch {
	case t.missed > 0:
		goes = yield(muster.Event{}, &MissedError{Count: t.missed})
	case s.filter == nil || s.filter(t.event):
		goes = yield(t.event, nil)
	}
	if goes {
		s.place = max(s.place, t.place)
	}
	return goes
}

// next returns what comes next. What was told from memory because the journal failed has its turn where the journal was.
func (s *Subscription) next(ctx context.Context) ([]step, error) {
	if s.name == "" {
		return s.fromMemory(math.MaxInt64), nil
	}
	steps, err := s.fromJournal(ctx)
	turn, ok := s.queue.turn() // looked at last: what is kept after it is not before it
	if ok && (turn <= s.place || len(steps) == 0) {
		return s.fromMemory(max(turn, s.place)), nil
	}
	if ok {
		steps = slices.DeleteFunc(steps, func(t step) bool { return t.place > turn })
	}
	return steps, err
}

func (s *Subscription) fromJournal(ctx context.Context) ([]step, error) {
	first, events, err := s.bus.journal.Since(ctx, s.place, batch)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	var steps []step
	if missed := first - s.place - 1; len(events) > 0 && missed > 0 {
		steps = append(steps, step{missed: int(missed), place: first - 1})
	}
	for i, e := range events {
		steps = append(steps, step{event: e, place: first + int64(i)})
	}
	return steps, nil
}

// fromMemory takes one at a time: who leaves the loop finds the others later.
func (s *Subscription) fromMemory(place int64) []step {
	e, missed, ok := s.queue.take(place)
	if !ok {
		return nil
	}
	return []step{{event: e, missed: missed}}
}

func (s *Subscription) save(ctx context.Context) error {
	if s.place == s.saved {
		return nil
	}
	if err := s.bus.journal.SetCursor(ctx, s.name, s.place); err != nil {
		return fmt.Errorf("remember the place of subscriber %q: %w", s.name, err)
	}
	s.saved = s.place
	return nil
}

// leave saves the place also when ctx has ended. Where that fails some events come twice, which is all that was promised.
func (s *Subscription) leave(ctx context.Context) { _ = task.Shield(ctx, lastSave, s.save) }

// pause returns false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
