package event

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

// How long and how many events the journal keeps, and how many wait for somebody who listens.
const (
	KeepFor  = 7 * 24 * time.Hour
	KeepMost = 100_000
	Queue    = 1024
)

// forgetEvery is after how many events the journal forgets old ones.
const forgetEvery = 1000

// ErrTaken is the error of a second subscriber of a name.
var ErrTaken = errors.New("a subscriber of this name is there already")

// Filter tells whether somebody wants an event; nil wants all. It is quick and waits for nothing.
type Filter func(muster.Event) bool

// Kinds is the filter that wants these kinds.
func Kinds(kinds ...muster.EventKind) Filter {
	return func(e muster.Event) bool { return slices.Contains(kinds, e.Kind) }
}

// MissedError is yielded in the place of events that were missed. Those that follow are not.
type MissedError struct {
	Count int // by a durable subscriber: also of kinds that its filter does not want
}

func (e *MissedError) Error() string {
	if e.Count == 1 {
		return "1 event was missed"
	}
	return fmt.Sprintf("%d events were missed", e.Count)
}

// Bus tells events to those who subscribed. It is made by NewBus, and its methods may be called by many goroutines.
type Bus struct {
	journal Journal
	turn    *task.Semaphore // who has it publishes: all are told in the order of the journal
	newest  int64           // place in the journal, 0: not known yet; for who has the turn
	young   int             // events until the journal forgets old ones; for who has the turn
	unkept  map[string]bool // IDs told since the journal fails; for who has the turn

	mu    sync.Mutex
	names map[string]bool // of subscribers
	ears  map[*queue]Filter
}

// NewBus makes a bus that keeps events in a journal, of which it is the only writer.
func NewBus(j Journal) *Bus {
	return &Bus{
		journal: j, turn: task.NewSemaphore(1), unkept: make(map[string]bool), names: make(map[string]bool), ears: make(map[*queue]Filter),
	}
}

// Publish tells an event, as PublishAll.
func (b *Bus) Publish(ctx context.Context, e muster.Event) error {
	return b.PublishAll(ctx, []muster.Event{e})
}

// PublishAll tells events in their order. When it returns they are in the journal, and no subscriber will miss them. Many at
// once cost far less than one by one: each call waits once for the disk. It never waits for a subscriber. An event without
// ID or Time gets one; what it points at belongs to the bus from now on, and nobody changes it.
//
// When the journal fails, as on a full disk, the error says so, and subscribers that are there now are told from memory all
// the same: an alarm is not the thing to save on. To publish the same events again, by their IDs, is right: they are told
// once more when the journal has them. Only a context that has ended leaves them untold.
func (b *Bus) PublishAll(ctx context.Context, events []muster.Event) error {
	if len(events) == 0 {
		return nil
	}
	events = stamped(events)
	if err := b.turn.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer b.turn.Release(1)
	newest, err := b.journal.Append(ctx, events)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err != nil {
		b.tell(b.untold(events), b.newest, false)
		return fmt.Errorf("keep events: %w", err)
	}
	clear(b.unkept)
	b.newest = newest
	b.tell(events, newest, true)
	b.forget(ctx, len(events))
	return nil
}

// stamped returns copies that have what every event has.
func stamped(events []muster.Event) []muster.Event {
	events = slices.Clone(events)
	for i := range events {
		e := &events[i]
		if e.Time.IsZero() {
			e.Time = time.Now().UTC()
		}
		if e.ID == "" {
			e.ID = e.Time.UTC().Format("20060102T150405.000Z-") + rand.Text()[:10]
		}
	}
	return events
}

// untold leaves out what was told already in a try before, which failed too.
func (b *Bus) untold(events []muster.Event) []muster.Event {
	if len(b.unkept) > KeepMost {
		clear(b.unkept)
	}
	return slices.DeleteFunc(events, func(e muster.Event) bool {
		told := b.unkept[e.ID]
		b.unkept[e.ID] = true
		return told
	})
}

// tell gives events to those who listen, and wakes subscribers: what is kept they read from the journal.
func (b *Bus) tell(events []muster.Event, newest int64, kept bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for q, filter := range b.ears {
		if kept && q.journaled {
			q.wake()
			continue
		}
		for _, e := range events {
			if filter == nil || filter(e) {
				q.put(e, newest)
			}
		}
		q.wake()
	}
}

// forget has the journal forget old events now and then. That this failed is no failure to publish: it is tried again
// after as many events.
func (b *Bus) forget(ctx context.Context, added int) {
	if b.young -= added; b.young > 0 {
		return
	}
	b.young = forgetEvery
	_ = b.journal.Forget(ctx, time.Now().Add(-KeepFor), KeepMost)
}

func (b *Bus) join(q *queue, f Filter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ears[q] = f
}

func (b *Bus) leave(q *queue, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.ears[q]; ok {
		delete(b.ears, q)
		delete(b.names, name)
	}
}

// take reserves a subscriber's name.
func (b *Bus) take(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names[name] {
		return fmt.Errorf("subscribe %q: %w", name, ErrTaken)
	}
	b.names[name] = true
	return nil
}

func (b *Bus) free(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.names, name)
}
