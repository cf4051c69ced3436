package sim

import (
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// tlsConn is the connection type of net/http's table of protocols.
type tlsConn = tls.Conn

// ISECounts is what a simulated ISE has seen since its start.
type ISECounts struct {
	Requests  int64 // that arrived, whatever came of them
	Created   int64 // objects
	Updated   int64
	Deleted   int64
	Rejected  int64 // requests with a wrong password, or none
	Throttled int64 // beyond the rate
	Faults    int64 // answers that were spoilt
	Conns     int64 // TCP connections that are open now
	PeakConns int64 // the most of them at once
}

// iseCounters are the live ISECounts.
type iseCounters struct {
	created, updated, deleted, rejected, throttled, faults, conns, peak atomic.Int64

	mu       sync.Mutex
	arrivals []time.Time
	answered []time.Time // the last ones that were within the rate
}

// Counts returns what the ISE has seen so far.
func (i *ISE) Counts() ISECounts {
	c := &i.counts
	c.mu.Lock()
	requests := int64(len(c.arrivals))
	c.mu.Unlock()
	return ISECounts{
		Requests: requests, Created: c.created.Load(), Updated: c.updated.Load(), Deleted: c.deleted.Load(), Rejected: c.rejected.Load(),
		Throttled: c.throttled.Load(), Faults: c.faults.Load(), Conns: c.conns.Load(), PeakConns: c.peak.Load(),
	}
}

// Busiest returns the most requests that arrived in any period of that length.
func (i *ISE) Busiest(period time.Duration) int {
	i.counts.mu.Lock()
	times := slices.Clone(i.counts.arrivals)
	i.counts.mu.Unlock()
	slices.SortFunc(times, time.Time.Compare)
	most, from := 0, 0
	for to := range times {
		for times[to].Sub(times[from]) >= period {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// arrived counts a request and returns its number, from 1.
func (c *iseCounters) arrived(at time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrivals = append(c.arrivals, at)
	return len(c.arrivals)
}

// within says whether one more request is within the rate.
func (c *iseCounters) within(rate int, now time.Time) bool {
	if rate <= 0 {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = slices.DeleteFunc(c.answered, func(t time.Time) bool { return now.Sub(t) >= time.Second })
	if len(c.answered) >= rate {
		c.throttled.Add(1)
		return false
	}
	c.answered = append(c.answered, now)
	return true
}

// countedListener counts the connections that are open.
type countedListener struct {
	net.Listener
	counts *iseCounters
}

// Accept waits for the next connection and counts it.
func (l countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	now := l.counts.conns.Add(1)
	for peak := l.counts.peak.Load(); now > peak && !l.counts.peak.CompareAndSwap(peak, now); peak = l.counts.peak.Load() {
	}
	return &countedConn{Conn: conn, counts: l.counts}, nil
}

type countedConn struct {
	net.Conn
	counts *iseCounters
	closed sync.Once
}

// Close counts before it closes, so that a client that saw the end and comes back is not one too many.
func (c *countedConn) Close() error {
	c.closed.Do(func() { c.counts.conns.Add(-1) })
	return c.Conn.Close()
}

// reset makes the close a reset.
func (c *countedConn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}
