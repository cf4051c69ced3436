package syslog

import (
	"net/netip"
	"sync"
	"time"
)

// queue holds what was received until the loop over Messages takes it, in batches. Receivers add to the last one while the loop
// works on one before it, so that batches grow with the load and their cost is shared by many messages; but not so large that
// what was received is no more in the processor's cache when the loop comes to it.
type queue struct {
	limit int

	mu      sync.Mutex
	room    sync.Cond // of mu: batches were taken, or nobody takes any for now
	turn    sync.Cond // the same for streams
	batches []*batch  // the oldest first
	spare   []*batch
	held    int  // bytes of the batches
	stopped bool // nobody takes for now: what the receivers still have goes beyond the limit

	ready chan struct{} // there is something
}

const (
	batchBytes = 256 << 10 // a batch that has so much is full
	mostSpare  = 16        // batches that are kept when a flood is over
	// mostStreams is how many bytes wait at most when a stream adds to them: what its sender has to wait with is not lost.
	mostStreams = 4 * batchBytes
)

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
	q := &queue{limit: limit, ready: make(chan struct{}, 1)}
	q.room.L, q.turn.L = &q.mu, &q.mu
	return q
}

// add appends one message.
func (b *batch) add(message []byte, it item) {
	b.data = append(b.data, message...)
	it.end = len(b.data)
	b.items = append(b.items, it)
}

// put lets fill add to a batch when there is room.
func (q *queue) put(fill func(*batch)) { q.putBelow(q.limit, &q.room, fill) }

// putStream is put for what can wait where it is.
func (q *queue) putStream(fill func(*batch)) { q.putBelow(min(q.limit, mostStreams), &q.turn, fill) }

func (q *queue) putBelow(limit int, room *sync.Cond, fill func(*batch)) {
	q.mu.Lock()
	for !q.stopped && q.held >= limit {
		room.Wait()
	}
	b := q.last()
	before := len(b.data)
	fill(b)
	if q.held += len(b.data) - before; q.held < limit {
		room.Signal() // the next one
	}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// last is the batch to be added to. Its caller holds mu.
func (q *queue) last() *batch {
	if n := len(q.batches); n > 0 && len(q.batches[n-1].data) < batchBytes {
		return q.batches[n-1]
	}
	var b *batch
	if n := len(q.spare); n > 0 {
		b, q.spare = q.spare[n-1], q.spare[:n-1]
	} else {
		b = &batch{data: make([]byte, 0, batchBytes+batchBytes/4)} // and what one system call may bring of usual messages
	}
	q.batches = append(q.batches, b)
	return b
}

// fail hands an error to the loop.
func (q *queue) fail(err error) {
	q.put(func(b *batch) { b.errors = append(b.errors, err) })
}

// take returns the oldest batch; nil: there is nothing. It ends the use of the one taken before it.
func (q *queue) take(done *batch) *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if done != nil && len(q.spare) < mostSpare && cap(done.data) <= 4*batchBytes { // more: long messages
		done.reset()
		q.spare = append(q.spare, done)
	}
	if len(q.batches) == 0 {
		return nil
	}
	taken := q.batches[0]
	q.batches = q.batches[:copy(q.batches, q.batches[1:])]
	q.held -= len(taken.data)
	q.room.Signal()
	q.turn.Signal()
	return taken
}

func (b *batch) reset() {
	clear(b.errors)
	b.data, b.items, b.errors = b.data[:0], b.items[:0], b.errors[:0]
}

// stop lets go whoever waits in put, until start.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.room.Broadcast()
	q.turn.Broadcast()
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
