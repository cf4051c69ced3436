package syslog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/musternet/muster/task"
)

// Listener receives messages. It is made by Listen; Counts and Addrs may be called by anybody at any time.
type Listener struct {
	cfg       Config
	receivers []receiver
	counts    counts
	queue     *queue
	closing   sync.Once
	closeErr  error

	loop   sync.Mutex // held by a loop over Messages; guards what follows
	parser Parser
	taken  *batch // what the loop works on
	place  int    // in taken: what comes next
}

// receiver is one socket.
type receiver interface {
	// run puts what comes into the queue until ctx ends, and then what has come until then.
	run(ctx context.Context, q *queue) error
	addr() Addr
	drops() uint64 // of the kernel, so far
	close() error
}

// Addr is where a Listener listens.
type Addr struct {
	Transport Transport
	net.Addr
}

// Counts is what became of the messages so far. Each message that reached this machine's sockets is in Received or in Dropped.
type Counts struct {
	Received  uint64 // messages taken from the sockets
	Bytes     uint64 // of them
	Dropped   uint64 // datagrams that the kernel had no room for, by its own count
	Truncated uint64 // messages that were longer than MaxMessage; they are in Received
	BadFrames uint64 // of TCP and TLS: octet counts that were wrong; what followed was read line by line
	Conns     uint64 // connections that are open now
	Refused   uint64 // connections that were too many, or failed in their TLS handshake
}

type counts struct {
	received, bytes, truncated, badFrames, refused atomic.Uint64
	conns                                          atomic.Int64
}

// Listen opens all sockets of c or none. Messages wait in the kernel until a loop over Messages takes them. Close has to be
// called in the end.
//
// A UDP address that another process listens on is refused, although the kernel would let both have a part of the messages.
func Listen(ctx context.Context, c Config) (*Listener, error) {
	l := &Listener{cfg: c.withDefaults()}
	l.queue, l.parser.Location = newQueue(l.cfg.Queue), c.Location
	err := l.open(ctx)
	if err == nil && len(l.receivers) == 0 {
		err = errors.New("syslog: there is no address to listen on")
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Listener) open(ctx context.Context) error {
	for _, kind := range []struct {
		transport Transport
		addresses []string
		open      func(context.Context, string) ([]receiver, error)
	}{
		{UDP, l.cfg.UDP, l.openUDP},
		{TCP, l.cfg.TCP, l.openTCP},
		{TLS, l.cfg.TLS, l.openTLS},
		{Unix, l.cfg.Unix, l.openUnix},
	} {
		for _, address := range kind.addresses {
			opened, err := kind.open(ctx, address)
			l.receivers = append(l.receivers, opened...)
			if err != nil {
				return fmt.Errorf("listen on %s %s: %w", kind.transport, address, plainly(err))
			}
		}
	}
	return nil
}

// plainly is an error of the network without the address, which its reader has been told.
func plainly(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w: another program listens there", err)
	}
	return err
}

// Addrs are the addresses that it listens on, in the order of the Config; several sockets of one address are one.
func (l *Listener) Addrs() []Addr {
	var all []Addr
	for _, r := range l.receivers {
		a := r.addr()
		if n := len(all); n == 0 || all[n-1].Transport != a.Transport || all[n-1].String() != a.String() {
			all = append(all, a)
		}
	}
	return all
}

// Counts returns what became of the messages so far.
func (l *Listener) Counts() Counts {
	c := Counts{
		Received: l.counts.received.Load(), Bytes: l.counts.bytes.Load(), Truncated: l.counts.truncated.Load(),
		BadFrames: l.counts.badFrames.Load(), Refused: l.counts.refused.Load(), Conns: uint64(l.counts.conns.Load()),
	}
	for _, r := range l.receivers {
		c.Dropped += r.drops()
	}
	return c
}

// Close closes the sockets. It does not end a loop over Messages, which ends by its context, and comes after it.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		var errs []error
		for _, r := range l.receivers {
			errs = append(errs, r.close())
		}
		l.closeErr = errors.Join(errs...)
	})
	return l.closeErr
}

// What is left when ctx ends is received for so long.
const drainTime = 100 * time.Millisecond

// Messages yields messages as they come, those of one sender over one connection or socket in their order, until ctx ends:
// then what has reached this machine by then is yielded, and the loop ends. A yielded Message is valid until the next
// iteration; Clone keeps it. An error takes the place of a message and does not end the loop: a socket that failed is tried
// again after a second.
//
// It works only while the loop runs: the receivers are tasks that are joined when it ends. A loop that is left by break closes
// the connections; what was received, and datagrams that wait in the kernel, are for the next loop. Only one loop at a time may
// range over it; a second one gets an error and ends.
func (l *Listener) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if !l.loop.TryLock() {
			yield(Message{}, errors.New("syslog: another loop takes the messages of this listener"))
			return
		}
		defer l.loop.Unlock()
		l.queue.start()
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		// Receivers end by their context and then still put what they have; their scope has to outlive that, so it is not ctx's.
		_ = task.Scope(context.WithoutCancel(ctx), "syslog", func(_ context.Context, g *task.Group) error {
			defer l.queue.stop()
			defer cancel()
			l.hand(l.receive(inner, g), yield)
			return nil
		})
	}
}

// receive starts all receivers. The channel is closed when all have ended.
func (l *Listener) receive(ctx context.Context, g *task.Group) <-chan struct{} {
	ended := make(chan struct{})
	var left atomic.Int64
	left.Store(int64(len(l.receivers)))
	for _, r := range l.receivers {
		g.Go(string(r.addr().Transport)+" "+r.addr().String(), func(context.Context) error {
			for r.run(ctx, l.queue) != nil && pause(ctx, time.Second) {
			}
			if left.Add(-1) == 0 {
				close(ended)
			}
			return nil
		})
	}
	return ended
}

// hand yields what is in the queue until all receivers have ended or the loop is left.
func (l *Listener) hand(ended <-chan struct{}, yield func(Message, error) bool) {
	over := false
	for l.yieldTaken(yield) {
		if l.taken = l.queue.take(l.taken); l.taken != nil {
			l.place = 0
			l.count(l.taken)
			continue
		}
		if over {
			return
		}
		select {
		case <-l.queue.ready:
		case <-ended:
			over = true // and once more: the last ones may have put something
		}
	}
}

// yieldTaken yields the rest of what was taken.
func (l *Listener) yieldTaken(yield func(Message, error) bool) bool {
	b := l.taken
	if b == nil {
		return true
	}
	for len(b.errors) > 0 {
		err := b.errors[0]
		if b.errors = b.errors[1:]; !yield(Message{}, err) {
			return false
		}
	}
	var m Message
	for l.place < len(b.items) {
		raw := b.message(l.place, &m)
		l.parser.ParseInto(&m, raw, m.Received)
		if l.place++; !yield(m, nil) {
			return false
		}
	}
	return true
}

func (l *Listener) count(b *batch) {
	l.counts.received.Add(uint64(len(b.items)))
	l.counts.bytes.Add(uint64(len(b.data)))
	for i := range b.items {
		if b.items[i].cut {
			l.counts.truncated.Add(1)
		}
	}
}

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
