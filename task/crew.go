package task

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// crew is a call whose tasks come one by one, each on its own goroutine: the engine of Scope and AsCompleted.
type crew struct {
	call

	mu          sync.Mutex
	first, last *member
	running     int
	started     int
	joining     bool          // nobody but a running task may start another
	joined      chan struct{} // closed when the last task has ended after joining was set
}

// job is what a member of a crew does. end is told how run ended, before anybody else hears of it.
type job interface {
	run(ctx context.Context) error
	end(ctx context.Context, err error, panicked bool)
}

// member is one task of a crew and its context.
type member struct {
	context.Context
	crew       *crew
	job        job
	ledger     *ledger // of a Scope, nil in AsCompleted
	id         uint64
	index      int
	name       string // empty for an item, which is named by its index
	since      atomic.Int64 // nanoseconds after the crew began
	status     atomic.Pointer[string]
	prev, next *member
}

// start runs m on a goroutine of its own. It reports false, and starts nothing, after the crew has been joined.
func (c *crew) start(m *member) bool {
	m.crew, m.id = c, lastID.Add(1)
	c.mu.Lock()
	if c.joining && c.running == 0 {
		c.mu.Unlock()
		return false
	}
	m.index = c.started
	c.started++
	c.running++
	c.link(m)
	c.mu.Unlock()
	go m.work()
	return true
}

func (m *member) work() {
	m.since.Store(int64(time.Since(m.crew.began)))
	var err error
	returned, panicked := false, false
	defer func() {
		if !returned {
			err, panicked = caught(recover())
		}
		m.job.end(m, err, panicked)
		if m.ledger != nil && err != nil {
			m.ledger.record(m, ItemError{Index: m.index, Name: m.name, Err: err}, panicked)
		}
		m.crew.leave(m)
	}()
	err = m.job.run(m)
	returned = true
}

func (c *crew) leave(m *member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unlink(m)
	c.running--
	if c.running == 0 && c.joining {
		close(c.joined)
	}
}

// join waits for every task, also for those that tasks still start meanwhile. After it nothing can be started.
func (c *crew) join() {
	c.mu.Lock()
	c.joining = true
	if c.running == 0 {
		c.mu.Unlock()
		return
	}
	c.joined = make(chan struct{})
	c.mu.Unlock()
	<-c.joined
}

func (c *crew) link(m *member) {
	m.prev = c.last
	if c.last == nil {
		c.first = m
	} else {
		c.last.next = m
	}
	c.last = m
}

func (c *crew) unlink(m *member) {
	if m.prev == nil {
		c.first = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		c.last = m.prev
	} else {
		m.next.prev = m.prev
	}
	m.prev, m.next = nil, nil // a handle that is kept must not keep its neighbours
}

func (c *crew) tasks(rows []Info) []Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	for m := c.first; m != nil; m = m.next {
		rows = append(rows, m.info())
	}
	return rows
}

func (m *member) info() Info {
	return Info{
		ID:     m.id,
		Parent: m.crew.id,
		Name:   cmp.Or(m.name, indexed(m.crew.shown(), m.index)),
		Status: text(&m.status),
		Since:  m.crew.began.Add(time.Duration(m.since.Load())),
	}
}

// Value makes the member the current task of the context that it is.
func (m *member) Value(key any) any {
	if key == (rowKey{}) {
		return m
	}
	return m.Context.Value(key)
}

func (m *member) ident() uint64 { return m.id }

func (m *member) given() string { return cmp.Or(m.name, m.crew.itemName(m.index)) }

func (m *member) note(status string) { m.status.Store(&status) }
