package monitor

import (
	"math/bits"
	"time"
)

// verdict is what the outcomes of one check say.
type verdict uint8

const (
	unsure verdict = iota
	well
	failing
	blind // this machine cannot ask
)

// rules are what a history is judged by.
type rules struct {
	down, up, loss Rule
	interval       time.Duration
}

// history is the outcomes of one check, in the order in which its requests were sent, and the verdict on them. Times are
// since the monitor began.
type history struct {
	answered uint64        // the newest is the lowest bit
	late     uint64        // which of the answered were late
	known    uint8         // how many there are, up to MaxOf
	run      uint8         // how many since the verdict
	unasked  uint8         // how many requests in a row could not be made, since the last outcome
	verdict  verdict       // never blind
	lossy    bool          // well, but too many late or lost
	newest   time.Duration // when the newest request was sent
	lateAt   time.Duration // when the last late reply came; 0: none since the last one in time
}

// lateStreams is how many intervals after a late reply the next one is waited for.
const lateStreams = 2

// succeed records a reply in time.
func (h *history) succeed(sent time.Duration, r rules) {
	h.record(1, 0, sent)
	h.lateAt = 0
	h.rise(0, r)
	h.weigh(r)
	h.endless(r)
}

// fail records that there was no reply in time. A request that was sent before others that have their reply is put into
// its place before them.
func (h *history) fail(sent, now time.Duration, r rules) {
	h.record(0, h.after(sent, r), sent)
	alive := h.lateAt != 0 && now-h.lateAt <= lateStreams*r.interval
	if !alive && h.verdict != failing && h.failures(r.down.Of) >= r.down.N {
		h.decide(failing)
	}
	h.weigh(r)
	h.endless(r)
}

// endless gives a check its first verdict that by neither rule comes to one: it answers some.
func (h *history) endless(r rules) {
	if h.verdict == unsure && int(h.run) >= min(r.down.Of+r.up.Of, MaxOf) {
		h.decide(well)
		h.lossy = true
	}
}

// forgive takes the loss of a request back whose reply came late. A host whose replies are all late is judged by the
// requests up to this one, because the later ones cannot have theirs yet.
func (h *history) forgive(sent, now time.Duration, r rules) {
	h.unasked = 0
	h.lateAt = now
	if place, ok := h.lostAt(sent, r); ok {
		h.answered |= 1 << place
		h.late |= 1 << place
		if h.verdict != well && h.rise(place, r) {
			h.lossy = true
		}
	}
	h.weigh(r)
}

// miss records that a request could not be made, or was lost by this machine.
func (h *history) miss() { h.unasked = min(h.unasked+1, MaxOf) }

// forget makes the check unsure: only what comes now counts. What it lost is not forgotten.
func (h *history) forget() { h.verdict, h.run, h.lossy, h.lateAt, h.unasked = unsure, 0, false, 0, 0 }

// says is the verdict, or blind after too many requests that could not be made.
func (h *history) says(r rules) verdict {
	if int(h.unasked) >= r.down.N {
		return blind
	}
	return h.verdict
}

// record puts an outcome behind so many newer ones.
func (h *history) record(answered uint64, place int, sent time.Duration) {
	newer := uint64(1)<<place - 1
	h.answered = (h.answered&^newer)<<1 | answered<<place | h.answered&newer
	h.late = (h.late&^newer)<<1 | h.late&newer
	h.known, h.run = min(h.known+1, MaxOf), min(h.run+1, MaxOf)
	h.newest = max(h.newest, sent)
	h.unasked = 0
}

// after is about how many replies are there to requests that were sent after one whose time is over now: all that were sent
// since, but for those whose time is not over, which nothing is known of.
func (h *history) after(sent time.Duration, r rules) int {
	if h.known == 0 || sent >= h.newest {
		return 0
	}
	return min(intervals(h.newest-sent, r), bits.TrailingZeros64(^h.answered), MaxOf-1)
}

// lostAt finds the loss of a request. Requests that were skipped or could not be made have no place: one beside is taken.
func (h *history) lostAt(sent time.Duration, r rules) (place int, ok bool) {
	guess := intervals(max(0, h.newest-sent), r)
	for _, place := range [...]int{guess, guess - 1, guess + 1} {
		if place >= 0 && place < int(h.known) && h.answered>>place&1 == 0 {
			return place, true
		}
	}
	return 0, false
}

func intervals(d time.Duration, r rules) int { return int((d + r.interval/2) / r.interval) }

// rise makes a check well when the outcomes up to a place say so.
func (h *history) rise(place int, r rules) bool {
	if h.verdict == well || int(h.run) <= place {
		return false
	}
	of := min(r.up.Of, int(h.run)-place)
	if bits.OnesCount64(h.answered>>place&last(of)) < r.up.N {
		return false
	}
	h.decide(well)
	return true
}

func (h *history) decide(v verdict) { h.verdict, h.run, h.lossy = v, 0, false }

// failures counts those of the last outcomes since the verdict.
func (h *history) failures(of int) int {
	of = min(of, int(h.run))
	return of - bits.OnesCount64(h.answered&last(of))
}

// weigh says whether too much is late or lost.
func (h *history) weigh(r rules) {
	of := min(r.loss.Of, int(h.run))
	bad := of - bits.OnesCount64(h.answered&^h.late&last(of))
	switch {
	case h.verdict != well:
		h.lossy = false
	case bad >= r.loss.N:
		h.lossy = true
	case bad <= r.loss.N/2 && h.lateAt == 0 && int(h.run) >= r.loss.N:
		h.lossy = false
	}
}

// lost counts which of the last outcomes had no reply at all, and which a late one.
func (h *history) lost(of int) (known, lost, late int) {
	known = min(of, int(h.known))
	late = bits.OnesCount64(h.late & last(known))
	return known, known - bits.OnesCount64(h.answered&last(known)), late
}

func last(of int) uint64 {
	if of >= 64 {
		return ^uint64(0)
	}
	return 1<<of - 1
}
