package ping

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"time"
)

// Probe is what became of one request of a Steady.
type Probe struct {
	// Key and Addr are those of the target.
	Key  string
	Addr netip.Addr
	// Sent is when the request was sent, by the clock of now: one that is set meanwhile does not part it from what happens
	// now.
	Sent time.Time
	// RTT is the time from the request to the arrival of the reply in the kernel.
	RTT time.Duration
	// Late says that the request had been reported as lost before.
	Late bool
}

// ErrDropped is the error of a request without a reply while which the kernel dropped packets because the receive buffer was
// full: it may be this machine that lost the reply. It matches ErrNoReply.
var ErrDropped = fmt.Errorf("%w: this machine dropped packets meanwhile", ErrNoReply)

// Steady asks the targets of a plan for ever, each once in its interval, and yields what became of every request, once: a
// reply as soon as it is read, with a nil error, or a loss when the target's timeout is over, with an error that matches
// ErrNoReply and may be ErrDropped or an *UnreachableError; a request that could not be sent at once, with a *SendError. A
// reply that comes after its loss is yielded too, marked as Late. An error beside a Probe without Addr is about the loop as
// a whole and the last thing that is yielded: the end of ctx, a Config that makes no sense, a plan that is being asked
// already, a socket that could not be opened.
//
// Everything happens in the goroutine that ranges, over one socket for each family of addresses. The body of the loop should
// return soon: meanwhile replies wait in the receive buffer, with their time of arrival, and requests are delayed. What the
// buffer has no room for is counted in Stats.ReceiveDrops.
//
// The loop wakes no more than once in 10 ms, and requests that became due meanwhile are sent together: so much later than
// planned, 5 ms in the mean, they may be sent. One that is late by more than a tenth of its interval, at least 50 ms and
// at most a second, is skipped and not made up for, so that no burst follows a pause. Its target keeps its place.
//
// Of cfg only Method, Buffer, Note and Duplicate may be set. With MethodProcess a ping command is run for each request,
// ProcessLimit at once; requests beyond that fail with a *SendError.
func Steady(ctx context.Context, plan *Plan, cfg Config) iter.Seq2[Probe, error] {
	return func(yield func(Probe, error) bool) {
		c, err := cfg.completeSteady()
		if err == nil {
			err = plan.begin()
		}
		if err != nil {
			yield(Probe{}, err)
			return
		}
		defer plan.end()
		c.steady(ctx, plan, yield)
	}
}

func (c Config) completeSteady() (Config, error) {
	if c.Rate != 0 || c.Tries != 0 || c.Timeout != 0 || c.Linger != 0 || c.Summary != nil {
		return c, errors.New("ping: rate, tries, timeout, linger and summary are for sweeps: a plan has intervals, timeouts and stats")
	}
	return c.complete()
}

const (
	// turn is the shortest time from one waking of the loop to the next: a waking costs more than a packet.
	turn = 10 * time.Millisecond
	// look is the longest, so that changes of the plan are seen, and replies that take their time.
	look = 100 * time.Millisecond
	// fresh is how long after a request every turn looks for its reply.
	fresh = 50 * time.Millisecond
	// steadyIDs is how many ids the requests to one target take turns with: more than a minute's at one a second.
	steadyIDs = 128
	// renew is after how long a ping socket, for which the kernel chooses one id, is replaced. Replies to its requests are read
	// for as long again.
	renew = time.Minute
)

// slack is how late a request may be.
func slack(interval time.Duration) time.Duration {
	return min(max(interval/10, 50*time.Millisecond), time.Second)
}

// steady opens the best way that is allowed and asks the plan by it.
func (c Config) steady(ctx context.Context, plan *Plan, yield func(Probe, error) bool) {
	if c.Method == MethodProcess {
		c.steadyByProcess(ctx, plan, yield)
		return
	}
	ids := anyIDs(steadyIDs)
	w, method, err := openWire(ctx, wireConfig{method: c.Method, buffer: c.Buffer, ids: ids, renew: renew})
	switch {
	case errors.Is(err, ErrNotAllowed) && c.Method == MethodAuto:
		c.Note(noSocketNote())
		c.steadyByProcess(ctx, plan, yield)
	case err != nil:
		yield(Probe{}, fmt.Errorf("ping: %w", err))
	default:
		defer w.close()
		newSteady(ctx, c, ids, w, method, plan, yield).run()
	}
}

// steady is one loop over a plan.
type steady struct {
	line
	cfg       Config
	ctx       context.Context // the loop lives within one call
	plan      *Plan
	yield     func(Probe, error) bool
	stats     Stats
	slots     []slot
	free      []freed // the longest first
	agenda    agenda
	spreads   map[time.Duration]*spread
	timer     *time.Timer
	woke      time.Duration
	sentLast  time.Duration
	dropped   time.Duration // when it was seen last that packets had been dropped
	undrained int
	sink      func(arrival) // s.take, once: a method value is an allocation
	broken    bool          // the loop body has had enough
	err       error         // what ends the loop
}

func newSteady(ctx context.Context, c Config, ids idRange, w wire, m Method, plan *Plan, yield func(Probe, error) bool) *steady {
	s := &steady{line: newLine(w, ids), cfg: c, ctx: ctx, plan: plan, yield: yield, spreads: map[time.Duration]*spread{}, timer: time.NewTimer(0), dropped: -1}
	s.stats.Buffer, s.stats.Method = w.granted(), m
	s.sink = s.take
	return s
}

func (s *steady) run() {
	defer s.timer.Stop()
	for !s.stopped() {
		s.adopt()
		s.rest()
		read := s.now()
		s.pump()
		s.act(read)
	}
	s.plan.exchange(&s.stats)
	if s.err != nil && !s.broken {
		s.yield(Probe{}, s.err)
	}
}

func (s *steady) stopped() bool { return s.broken || s.err != nil }

// rest sleeps until something is due, or replies to what was sent lately may have come, and to the next turn at least. It
// sleeps by a timer: a wait in the kernel, which would end with the first reply, costs ten times as much in Go, and when a
// reply arrived the kernel writes down.
func (s *steady) rest() {
	now := s.now()
	until := s.woke + turn
	if now-s.sentLast > fresh {
		until = max(until, s.agenda.next(now+look))
	}
	if until > now {
		s.timer.Reset(until - now)
		select {
		case <-s.timer.C:
		case <-s.ctx.Done():
		}
	}
	s.woke = s.now()
}

// pump reads all that has come.
func (s *steady) pump() {
	s.undrained = 0
	if s.ctx.Err() != nil {
		s.err = fmt.Errorf("ping: stopped: %w", context.Cause(s.ctx))
		return
	}
	if err := s.wire.receive(0, s.sink); err != nil {
		s.err = fmt.Errorf("ping: receive: %w", err)
	}
	if n := s.wire.drops(); n > s.stats.ReceiveDrops {
		s.stats.ReceiveDrops, s.dropped = n, s.now()
	}
}

// act does what is due at a time by which all that came has been read: a reply that waited while the loop body was at work
// is no loss.
func (s *steady) act(read time.Duration) {
	for !s.stopped() {
		e, ok := s.agenda.pop(read)
		if !ok {
			return
		}
		switch to := &s.slots[e.slot]; {
		case e.seq != 0:
			s.expire(to, e)
		case to.live && to.due == e.at:
			s.turnOf(e.slot, to)
		}
	}
}

// turnOf sends a request that is due, unless it is long over, and plans the next one.
func (s *steady) turnOf(index uint32, to *slot) {
	now := s.now()
	delay := now - to.due
	interval := to.target.Interval
	missed := delay / interval
	to.due += (missed + 1) * interval
	s.agenda.push(event{at: to.due, slot: index})
	if delay > slack(interval) || to.full() {
		s.stats.Skipped += int(missed) + 1
		return
	}
	s.stats.Skipped += int(missed)
	s.stats.Jitter.add(delay)
	s.send(index, to, now)
	if s.undrained++; s.undrained >= drainEvery {
		s.pump()
	}
}

func (s *steady) send(index uint32, to *slot, now time.Duration) {
	to.next()
	s.sentLast = now
	if err := s.line.ask(index, to.seq, to.target.Addr, now, to.target.Timeout); err != nil {
		s.stats.SendErrors++
		s.say(to, now, Probe{}, &SendError{Err: err})
		return
	}
	s.stats.Sent++
	to.open |= 1
	s.agenda.push(event{at: now + to.target.Timeout, sent: now, slot: index, seq: to.seq})
}

// expire reports a request that had no reply in its time.
func (s *steady) expire(to *slot, e event) {
	if bit := to.bit(e.seq); to.open&bit != 0 {
		s.lose(to, bit, e.sent)
	}
}

func (s *steady) lose(to *slot, bit uint64, sent time.Duration) {
	to.open &^= bit
	s.stats.Lost++
	err := ErrNoReply
	switch {
	case to.hint != hintNone && to.hinted >= sent:
		err = &UnreachableError{Reason: to.hint.String()}
	case sent <= s.dropped:
		err = ErrDropped
	}
	s.say(to, sent, Probe{}, err)
}

// say yields what became of a request.
func (s *steady) say(to *slot, sent time.Duration, p Probe, err error) {
	if s.broken {
		return
	}
	p.Key, p.Addr = to.target.Key, to.target.Addr
	p.Sent = time.Now().Add(sent - s.now())
	s.broken = !s.yield(p, err)
}

// take judges what came back.
func (s *steady) take(a arrival) {
	if a.hint != hintNone {
		s.takeHint(a)
		return
	}
	q, ok := parseReply(a.message, a.peer)
	if !ok || !s.ours(q, a.peer) {
		s.stats.Foreign++
		return
	}
	s.stats.Received++
	to := &s.slots[q.index]
	bit, rtt := to.bit(q.try), s.roundTrip(q, a.at.Sub(s.began))
	switch {
	case bit == 0:
		s.stats.Stale++
	case to.answered&bit != 0:
		s.duplicate(to)
	default:
		s.answer(to, bit, time.Duration(q.sent), rtt)
	}
}

// answer reports the first reply to a request. One that was read before its time was over but came after it is reported as
// lost first, as it would be had the loop been quicker.
func (s *steady) answer(to *slot, bit uint64, sent, rtt time.Duration) {
	to.answered |= bit
	if to.open&bit != 0 && rtt > to.target.Timeout {
		s.lose(to, bit, sent)
	}
	late := to.open&bit == 0
	if late {
		s.stats.Late++
	}
	to.open &^= bit
	s.say(to, sent, Probe{RTT: rtt, Late: late}, nil)
}

func (s *steady) duplicate(of *slot) {
	s.stats.Duplicates++
	if !s.broken {
		s.cfg.Duplicate(of.target.Addr)
	}
}

// ours says that a message repeats a request of this loop to this peer.
func (s *steady) ours(q echo, peer netip.Addr) bool {
	return int64(q.index) < int64(len(s.slots)) && s.genuine(q, s.slots[q.index].target.Addr, peer)
}

// takeHint notes what an error message says. It concerns whatever is under way to its target: that a neighbour does not
// answer is known after three seconds only, when the request that it is about may be lost already.
func (s *steady) takeHint(a arrival) {
	q, whole, ok := parseQuote(a.message, a.peer)
	if ok && !whole {
		q.index, ok = s.find(q.index, a.peer)
	}
	if !ok || whole && !s.ours(q, a.peer) {
		s.stats.Foreign++
		return
	}
	s.stats.Unreachable++
	to := &s.slots[q.index]
	to.hint, to.hinted = a.hint, s.now()
}

// find looks for the target of a quote that holds no more than the low 16 bits of the index.
func (s *steady) find(low uint32, addr netip.Addr) (index uint32, ok bool) {
	for i := int(low); i < len(s.slots); i += 1 << 16 {
		if sameHost(s.slots[i].target.Addr, addr) {
			return uint32(i), true
		}
	}
	return 0, false
}
