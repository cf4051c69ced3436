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
	ctx    context.Context // of every member
	ledger *ledger         // of a Scope, nil in AsCompleted

	_           [64]byte // what follows is written for every member: the fields above must not share its cache line
	mu          sync.Mutex
	first, last *member // the running ones
	running     int
	started     int
	joining     bool          // nobody but a running member may start another
	joined      chan struct{} // closed when the last member has ended after joining was set
}

// member is one task of a crew, and its context. It is small because a scope may start millions of them.
type member struct {
	crew       *crew
	job        job
	name       string // empty for an item, which is named by its index
	id         uint64
	index      int
	prev, next *member
	since      atomic.Int64 // nanoseconds after the crew began
	status     atomic.Pointer[string]
}

// job is what a member does.
type job interface {
	run(m *member) error
	under(m *member) context.Context // the context that run gave to the user's function
	end(err error)                   // called after run, before anybody else hears of the error
}

// start starts m on a goroutine of its own. It reports false, and starts nothing, after the crew has been joined.
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
	returned := false
	defer func() {
		if !returned {
			m.fail(caught(recover()))
		}
		m.crew.leave(m)
	}()
	err := m.job.run(m)
	returned = true
	if err != nil {
		m.fail(err, fateOf(m.job.under(m), err))
		return
	}
	m.job.end(nil)
}

// fail tells the job first: who waits for it must find the error of the task and not that of the scope it cancels.
func (m *member) fail(err error, f fate) {
	if f == cut {
		m.job.end(withCause(m.job.under(m), err))
	} else {
		m.job.end(err)
	}
	if l := m.crew.ledger; l != nil {
		l.record(ItemError{Index: m.index, Name: m.name, Err: err}, f)
	}
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

// join waits for every member, also for those that members still start meanwhile. After it nothing can be started.
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

func (m *member) Deadline() (time.Time, bool) { return m.crew.ctx.Deadline() }

func (m *member) Done() <-chan struct{} { return m.crew.ctx.Done() }

func (m *member) Err() error { return m.crew.ctx.Err() }

// Value makes the member the current task of the context that it is.
func (m *member) Value(key any) any {
	if key == (rowKey{}) {
		return m
	}
	return m.crew.ctx.Value(key)
}

func (m *member) ident() uint64 { return m.id }

func (m *member) given() string { return cmp.Or(m.name, m.crew.itemName(m.index)) }

func (m *member) note(status string) { m.status.Store(&status) }
