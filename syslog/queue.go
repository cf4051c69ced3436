package syslog

import (
	"net/netip"
	"sync"
	"time"
)

// queue holds what was received until the loop over Messages takes it. Receivers add to one batch while the loop works on the
// other, so that a batch grows with the load and its cost is shared by many messages.
type queue struct {
	limit int

	mu      sync.Mutex
	filling *batch
	spare   *batch
	room    chan struct{} // closed when the batch was taken
	stopped bool          // nobody takes for now: what the receivers still have goes beyond the limit

	ready chan struct{} // there is something
}

// batch is messages, one behind the other in data.
type batch struct {
	data   []byte
	items  []item
	errors []error
}

// item is one message of a batch.
type item struct {
	end    int   // in data
	at     int64 // when it came, in nanoseconds of Unix
	from   netip.AddrPort
	origin *origin
	cut    bool // it was longer
}

// origin is what the messages of a socket have in common.
type origin struct {
	transport Transport
	peer      string
}

func newQueue(limit int) *queue {
	return &queue{
		limit: limit, filling: new(batch), spare: new(batch), ready: make(chan struct{}, 1), room: make(chan struct{}),
	}
}

// add appends one message.
func (b *batch) add(message []byte, it item) {
	b.data = append(b.data, message...)
	it.end = len(b.data)
	b.items = append(b.items, it)
}

// put lets fill add to the batch when there is room.
func (q *queue) put(fill func(*batch)) {
	q.mu.Lock()
	for !q.stopped && len(q.filling.data) >= q.limit {
		room := q.room
		q.mu.Unlock()
		<-room
		q.mu.Lock()
	}
	fill(q.filling)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// fail hands an error to the loop.
func (q *queue) fail(err error) {
	q.put(func(b *batch) { b.errors = append(b.errors, err) })
}

// bigBatch is what a batch may keep of its memory when the flood is over.
const bigBatch = 4 << 20

// take returns what came since the last call, which it ends the use of; nil: nothing.
func (q *queue) take(done *batch) *batch {
	if done != nil {
		done.reset()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if done != nil {
		q.spare = done
	}
	if len(q.filling.items) == 0 && len(q.filling.errors) == 0 {
		return nil
	}
	taken := q.filling
	q.filling, q.spare = q.spare, nil
	close(q.room)
	q.room = make(chan struct{})
	return taken
}

func (b *batch) reset() {
	if cap(b.data) > bigBatch && len(b.data) < bigBatch {
		b.data, b.items = nil, nil
	}
	clear(b.errors)
	b.data, b.items, b.errors = b.data[:0], b.items[:0], b.errors[:0]
}

// stop lets go whoever waits in put, until start.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	close(q.room)
	q.room = make(chan struct{})
}

func (q *queue) start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = false
}

// message makes item i of a batch a message that is not parsed yet, and returns its bytes.
func (b *batch) message(i int, m *Message) []byte {
	it := &b.items[i]
	start := 0
	if i > 0 {
		start = b.items[i-1].end
	}
	m.Received = time.Unix(0, it.at).UTC()
	m.Source, m.Transport, m.Peer, m.Truncated = it.from, it.origin.transport, it.origin.peer, it.cut
	return b.data[start:it.end:it.end]
}
