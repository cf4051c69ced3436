package monitor

import (
	"container/heap"
	"context"
	"math/bits"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
	"github.com/musternet/muster/task"
)

// turn is when a check that is no ping is due. Its place in its interval stays as long as the interval.
type turn struct {
	due   time.Duration
	place uint64 // from 1; 0: none yet
	busy  bool   // it is being asked
	gone  bool   // it is no check any more
}

// agenda is a heap of checks, the one that is due first on top.
type agenda []due

type due struct {
	at time.Duration
	c  *check
}

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at < a[j].at }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(due)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// golden is 2^64 divided by the golden ratio: its multiples spread any number of checks evenly, as package ping does.
const golden = 0x9e3779b97f4a7c15

// place gives a check its place in its interval. m.mu is held.
func (m *Monitor) place(c *check, now time.Duration) {
	if c.turn.place == 0 {
		m.places++
		c.turn.place = m.places
	}
	part, _ := bits.Mul64((c.turn.place-1)*golden, uint64(c.of.Interval))
	phase := time.Duration(part)
	c.turn.due = now + (c.of.Interval+phase-now%c.of.Interval)%c.of.Interval
	heap.Push(&m.agenda, due{c.turn.due, c})
}

// probe asks what is due, AtOnce at a time, until ctx ends.
func (m *Monitor) probe(ctx context.Context) error {
	slots := task.NewSemaphore(int64(m.cfg.AtOnce))
	return task.Scope(ctx, "probes", func(_ context.Context, g *task.Group) error {
		for m.await(ctx) && slots.Acquire(ctx, 1) == nil {
			c, to := m.next()
			if c == nil {
				slots.Release(1)
				continue
			}
			g.Go(c.name, func(ctx context.Context) error {
				defer slots.Release(1)
				m.ask(ctx, c, to)
				return nil
			})
		}
		return nil
	})
}

// await waits until something is due. It reports false when ctx has ended.
func (m *Monitor) await(ctx context.Context) bool {
	const forEver = time.Hour
	for ctx.Err() == nil {
		m.mu.Lock()
		wait := forEver
		if len(m.agenda) > 0 {
			wait = m.agenda[0].at - m.now()
		}
		m.mu.Unlock()
		if wait <= 0 {
			return true
		}
		wake := time.NewTimer(wait)
		select {
		case <-wake.C:
		case <-m.probed:
		case <-ctx.Done():
		}
		wake.Stop()
	}
	return false
}

// next takes what is due first, however late, and plans its next turn: what was skipped meanwhile is not made up for. It is
// nil where there is nothing to ask now after all.
func (m *Monitor) next() (*check, probe.Target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if len(m.agenda) == 0 || m.agenda[0].at > now {
		return nil, probe.Target{}
	}
	e := heap.Pop(&m.agenda).(due)
	c, d := e.c, e.c.of
	if c.turn.gone || d.gone || d.decided || e.at != c.turn.due {
		return nil, probe.Target{}
	}
	missed := (now - e.at) / d.Interval
	c.turn.due += (missed + 1) * d.Interval
	heap.Push(&m.agenda, due{c.turn.due, c})
	m.skipped += int(missed)
	if !d.addr.IsValid() {
		return nil, probe.Target{}
	}
	if c.turn.busy {
		m.skipped++
		return nil, probe.Target{}
	}
	m.probes++
	c.turn.busy = true
	return c, probe.Target{Addr: d.addr, Port: c.port, Timeout: d.timeout(c.kind), Name: d.Device.Address}
}

// ask runs one probe.
func (m *Monitor) ask(ctx context.Context, c *check, to probe.Target) {
	sent := m.now()
	o := c.prober.Probe(ctx, to)
	m.mu.Lock()
	defer m.mu.Unlock()
	c.turn.busy = false
	if ctx.Err() == nil && c.of.addr == to.Addr {
		m.took(c, judged(o, sent), m.now())
	}
}

// judged is an outcome as a result.
func judged(o muster.Outcome, sent time.Duration) result {
	r := result{kind: inTime, sent: sent, rtt: o.RTT, outcome: &o}
	if o.Up {
		r.rtt = max(r.rtt, 1) // it was heard, whatever its clock says
		return r
	}
	if r.kind = lost; probe.Local(o) {
		r.kind = unasked
	}
	r.err = o.Failure
	return r
}
