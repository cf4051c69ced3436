package ping

import "time"

const (
	// tick is the shortest wait: at high rates what is due is sent in small groups, because a wake-up costs more than a packet.
	tick = 2 * time.Millisecond
	// catchUp bounds how much of the past is made up for, so that a loop body that took long is not followed by a burst.
	catchUp = 10 * time.Millisecond
)

// pacer spreads requests evenly over time. Its times are since the sweep began.
type pacer struct {
	gap  time.Duration // between two requests; 0 does not pace
	next time.Duration
}

func newPacer(rate int) pacer {
	if rate == Unlimited {
		return pacer{}
	}
	return pacer{gap: time.Second / time.Duration(rate)}
}

// take takes the turn of one request, or says until when to wait before asking again.
func (p *pacer) take(now time.Duration) (wait time.Duration, ok bool) {
	if p.gap == 0 {
		return 0, true
	}
	if p.next > now {
		return max(p.next, now+min(tick, p.gap)), false
	}
	p.next = max(p.next, now-catchUp) + p.gap
	return 0, true
}
