package ping

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"time"
)

// wire sends requests and hands out what comes back. It belongs to one goroutine.
type wire interface {
	// send sends a request whose reply is of interest for as long as wait. Its error is about this target alone.
	send(request []byte, to netip.Addr, wait time.Duration) error
	// receive hands what has come to sink; when there is nothing it waits, for at most d or until the context has ended. The
	// bytes of an arrival are valid until sink returns.
	receive(d time.Duration, sink func(arrival)) error
	// drops is how many packets the kernel threw away for want of room, granted the room it gave.
	drops() int
	granted() int
	close()
}

// wireConfig says what a wire needs to know.
type wireConfig struct {
	method   Method
	buffer   int // to receive
	ids      idRange
	renew    time.Duration // after which a socket that cannot take turns with ids is replaced; 0: never
	patience int           // how many milliseconds a kernel that has no room is waited for; each request that is sent restores one
}

// arrival is something that came back: a reply of peer, or an error message about a request to peer.
type arrival struct {
	peer    netip.Addr
	message []byte    // the reply, or what the error message quotes of the request, from the ICMP header on
	at      time.Time // when the kernel received it
	hint    hint      // not hintNone for an error message
}

// drainEvery is how many requests are sent before what has come is read: few enough that their replies fit into the
// receive buffer that an unprivileged user gets.
const drainEvery = 32

// engine is one sweep over a wire.
type engine struct {
	line
	cfg       Config
	ctx       context.Context // the engine lives within one call
	yield     func(Reply, error) bool
	sum       *Summary
	table     table
	pace      pacer
	rounds    rounds
	lastSent  time.Duration
	lastSeen  time.Duration // when the newest of what was read had arrived
	lastUp    time.Duration // when the newest host had been found
	slowest   time.Duration // the longest round trip
	undrained int
	sink      func(arrival) // e.take, once: a method value is an allocation
	broken    bool          // the loop body has had enough
	err       error         // what ends the sweep
}

func newEngine(ctx context.Context, c Config, ids idRange, w wire, yield func(Reply, error) bool) *engine {
	e := &engine{line: newLine(w, ids), cfg: c, ctx: ctx, yield: yield, sum: c.Summary, pace: newPacer(c.Rate)}
	e.sink = e.take
	return e
}

func (e *engine) run(targets iter.Seq[netip.Addr]) {
	e.first(targets)
	for try := 1; try < e.cfg.Tries && !e.over(); try++ {
		e.again(try)
	}
	end := e.lastSent + e.cfg.Timeout + e.cfg.Linger
	e.wait(end)
	e.settle(min(end, e.lastUp+min(max(e.slowest, minSettle), e.cfg.Timeout)))
	e.sum.ReceiveDrops = e.wire.drops()
	if !e.stopped() {
		e.sum.Lost, e.sum.Unsent = e.rounds.lost(&e.table, e.sum.ReceiveDrops)
	}
	e.finish()
}

// first asks every target for the first time.
func (e *engine) first(targets iter.Seq[netip.Addr]) {
	for addr := range targets {
		addr = addr.Unmap()
		if !addr.IsValid() {
			e.err = noAddress(e.sum.Targets)
			return
		}
		index := e.table.add(addr)
		e.sum.Targets++
		e.ask(index, 0)
		if e.stopped() {
			return
		}
	}
}

// again asks those that are missing, each block when the time of its last request is over.
func (e *engine) again(try int) {
	for index := 0; index < e.table.n && !e.over(); index++ {
		if index%blockLen == 0 {
			e.wait(e.table.sentAt[index/blockLen] + e.cfg.Timeout)
		}
		if e.table.at(index).answered == 0 && !e.over() {
			e.ask(index, try)
		}
	}
}

// over says that there is nothing more to do.
func (e *engine) over() bool { return e.stopped() || e.sum.Up == e.table.n }

func (e *engine) stopped() bool { return e.broken || e.err != nil }

// ask sends one request as soon as the rate allows, and reads what comes until then.
func (e *engine) ask(index, try int) {
	for {
		wait, ok := e.pace.take(e.now())
		if ok {
			break
		}
		e.pump(wait)
		if e.stopped() || e.table.at(index).answered != 0 {
			return
		}
	}
	e.send(index, try)
	if e.undrained++; e.undrained >= drainEvery {
		e.pump(0)
	}
}

func (e *engine) send(index, try int) {
	if e.rounds.n == try {
		e.rounds.begin(e.wire.drops())
	}
	to, now := e.table.addr(index), e.now()
	err := e.line.ask(uint32(index), uint32(try), to, now, e.cfg.Timeout)
	e.lastSent, e.table.sentAt[index/blockLen] = now, now
	entry := e.table.at(index)
	if err != nil {
		e.sum.SendErrors++
		entry.errno = errnoOf(err)
		return
	}
	entry.errno = 0
	entry.setAsked(try + 1)
	e.sum.Sent++
}

// wait reads what comes until a time, or until nobody is missing.
func (e *engine) wait(until time.Duration) {
	for !e.over() && e.listen(until) {
	}
}

// minSettle is how long duplicates are waited for at least.
const minSettle = 10 * time.Millisecond

// settle reads what comes until a time, whoever has answered: these are duplicates.
func (e *engine) settle(until time.Duration) {
	for !e.stopped() && e.listen(until) {
	}
}

// listen reads what comes and says whether more of it may have come by a time: what had come by then is read even when a
// loop body took so long that the time is over; what came later shows that all of it has been read.
func (e *engine) listen(until time.Duration) (more bool) {
	before, had := e.now(), e.seen()
	e.pump(until)
	return before < until || e.seen() != had && e.lastSeen <= until
}

// seen is how much has come back.
func (e *engine) seen() int { return e.sum.Received + e.sum.Foreign + e.sum.Unreachable }

// pump reads what has come; when there is nothing it waits for something, no longer than until.
func (e *engine) pump(until time.Duration) {
	e.undrained = 0
	if e.ctx.Err() != nil {
		e.err = fmt.Errorf("ping: stopped: %w", context.Cause(e.ctx))
		return
	}
	if err := e.wire.receive(max(0, until-e.now()), e.sink); err != nil {
		e.err = fmt.Errorf("ping: receive: %w", err)
	}
	if until > 0 {
		e.sum.ReceiveDrops = e.wire.drops()
	}
}

// take judges what came back.
func (e *engine) take(a arrival) {
	arrived := a.at.Sub(e.began)
	e.lastSeen = max(e.lastSeen, arrived)
	if a.hint != hintNone {
		e.takeHint(a)
		return
	}
	q, ok := parseReply(a.message, a.peer)
	if !ok || !e.ours(q, a.peer) {
		e.sum.Foreign++
		return
	}
	e.sum.Received++
	entry, bit := e.table.at(int(q.index)), uint8(1)<<q.try
	first, again := entry.answered == 0, entry.answered&bit != 0
	entry.answered |= bit
	switch {
	case again:
		e.duplicate(e.table.addr(int(q.index)))
	case first:
		rtt := e.roundTrip(q, arrived)
		e.lastUp, e.slowest = max(e.lastUp, arrived), max(e.slowest, rtt)
		e.up(Reply{Addr: e.table.addr(int(q.index)), RTT: rtt, Try: int(q.try) + 1, Late: rtt > e.cfg.Timeout})
	}
}

func (e *engine) up(r Reply) {
	e.sum.Up++
	if r.Late {
		e.sum.Late++
	}
	if !e.broken {
		e.broken = !e.yield(r, nil)
	}
}

func (e *engine) duplicate(addr netip.Addr) {
	e.sum.Duplicates++
	if !e.broken {
		e.cfg.Duplicate(addr)
	}
}

// ours says that a message repeats a request of this sweep to this peer.
func (e *engine) ours(q echo, peer netip.Addr) bool {
	if int64(q.index) >= int64(e.table.n) || int64(q.try) >= int64(e.cfg.Tries) {
		return false
	}
	return e.genuine(q, e.table.addr(int(q.index)), peer)
}

// takeHint notes what an error message says. A target keeps the first hint; one that answers is up all the same.
func (e *engine) takeHint(a arrival) {
	q, whole, ok := parseQuote(a.message, a.peer)
	index := int(q.index)
	if ok && !whole {
		index, ok = e.table.find(index, a.peer)
	}
	if !ok || whole && !e.ours(q, a.peer) {
		e.sum.Foreign++
		return
	}
	e.sum.Unreachable++
	if entry := e.table.at(index); entry.hint == hintNone {
		entry.hint = a.hint
	}
}

// finish yields those that are missing, or what ended the sweep.
func (e *engine) finish() {
	if e.broken {
		return
	}
	if e.err != nil {
		e.yield(Reply{}, e.err)
		return
	}
	for index := range e.table.n {
		if entry := e.table.at(index); entry.answered == 0 && !e.yield(Reply{Addr: e.table.addr(index)}, entry.failure()) {
			return
		}
	}
}
