package monitor

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/probe"
)

// device is a target and what is known of it. Times are since the monitor began; 0: never.
type device struct {
	Target
	addr              netip.Addr // zero: not resolved yet
	unresolved        error      // why
	checks            []*check
	icmp              *check // the one that is a ping; nil: none
	parents, children []*device
	ours              bool // its address is one of this machine
	gone              bool // it is no target any more

	health  muster.Health
	since   time.Time
	reason  string
	settled muster.Health // the last one that was not unknown; empty: none
	told    muster.Health // what people know; empty: nothing
	hidden  string        // the parent behind which it is

	answered time.Duration // when the latest request with a reply was sent
	missed   time.Duration // when the latest without was sent, or could not be
	first    time.Duration // when the first of those was since the last reply
	heard    time.Duration // when the last reply came
	seen     time.Time     // the same of an earlier run

	waits    time.Duration   // until when the verdict that it is down waits for others; 0: it does not
	flips    []time.Duration // changes of settled, while they matter
	flapping bool
	unsaved  bool
	savedAt  time.Duration
	savedSum uint64 // of what was saved then
	decided  bool   // Once has its verdict
}

// check is one probe of a device, and what is known of it.
type check struct {
	history
	of      *device
	name    string
	kind    string
	port    int
	prober  probe.Prober      // nil: ping.Steady asks
	labels  map[string]string // of its samples
	rtt     time.Duration     // of the last reply
	at      time.Duration     // of the last outcome
	err     error             // of the last outcome
	outcome *muster.Outcome   // the last one of a prober
	turn    turn

	stamp, lossAt int64 // of the last samples, in milliseconds since 1970
}

// kindOfResult is what became of one request.
type kindOfResult uint8

const (
	inTime  kindOfResult = iota
	lost                 // no good answer
	late                 // the reply of one that was lost
	unasked              // not sent, or lost by this machine
)

// result is what became of one request.
type result struct {
	kind    kindOfResult
	sent    time.Duration
	rtt     time.Duration // 0: nothing came
	err     error
	outcome *muster.Outcome // of a prober
}

func (d *device) rules() rules {
	return rules{down: d.Down, up: d.Up, loss: d.Loss, interval: d.Interval}
}

// take records a result in the history of a check.
func (c *check) take(r result, now time.Duration) {
	rules := c.of.rules()
	switch r.kind {
	case inTime:
		c.succeed(r.sent, rules)
	case lost:
		c.fail(r.sent, now, rules)
	case late:
		c.forgive(r.sent, now, rules)
	case unasked:
		c.miss()
	}
	c.at, c.err, c.outcome = now, r.err, r.outcome
	if r.rtt > 0 {
		c.rtt = r.rtt
	}
	c.of.hear(r, now)
}

// hear notes whether the device is silent. What answers wrongly is not.
func (d *device) hear(r result, now time.Duration) {
	if r.rtt > 0 {
		d.heard = now
		d.answered = max(d.answered, r.sent)
		if r.sent >= d.first {
			d.first = 0
		}
		return
	}
	if r.sent > d.answered {
		d.missed = max(d.missed, r.sent)
		if d.first == 0 {
			d.first = r.sent
		}
	}
}

// silent tells whether the last word of the device is silence.
func (d *device) silent() bool { return d.missed > d.answered }

// silence is from when on somebody else should have been heard in the meantime, if it is this device that is down: one
// interval before its last request, so that a request that was lost by chance before the others does not count.
func (d *device) silence() time.Duration { return max(d.first, d.missed-d.Interval) }

// wasUp tells whether the device was up when something was known of it last.
func (d *device) wasUp() bool {
	return d.settled == muster.HealthUp || d.settled == muster.HealthDegraded
}

func (d *device) isBlind() bool {
	for _, c := range d.checks {
		if c.says(d.rules()) == blind {
			return true
		}
	}
	return false
}

// judge is what the checks say together. Empty: they do not say enough to change what is said now.
func (d *device) judge() muster.Health {
	var n [blind + 1]int
	lossy := false
	for _, c := range d.checks {
		n[c.says(d.rules())]++
		lossy = lossy || c.lossy
	}
	known := d.health != "" && d.health != muster.HealthUnknown
	switch {
	case n[well]+n[failing] == 0 && (n[unsure] == 0 || !known):
		return muster.HealthUnknown
	case n[unsure] > 0 && !known:
		return muster.HealthUnknown
	case n[well] == 0 && n[unsure] > 0:
		return ""
	case n[well] == 0:
		return muster.HealthDown
	case n[failing] > 0 || lossy:
		return muster.HealthDegraded
	}
	return muster.HealthUp
}

// why says in words why the checks say so.
func (d *device) why(h muster.Health) string {
	switch {
	case d.unresolved != nil && !d.addr.IsValid():
		return fmt.Sprintf("the name %s could not be resolved: %v", d.Device.Address, d.unresolved)
	case h == muster.HealthUnknown && !d.isBlind():
		return "not enough probes yet"
	case len(d.checks) == 1:
		return d.checks[0].why(h)
	}
	parts := make([]string, len(d.checks))
	for i, c := range d.checks {
		parts[i] = c.word() + " " + c.state()
	}
	return strings.Join(parts, ", ")
}

// word is what people call the check.
func (c *check) word() string {
	if c.name == icmp {
		return "ping"
	}
	return c.name
}

func (c *check) requests() string {
	if c.kind == icmp {
		return "pings"
	}
	return c.word() + " probes"
}

// why is about a device with this check alone.
func (c *check) why(h muster.Health) string {
	d := c.of
	switch h {
	case muster.HealthUp:
		return fmt.Sprintf("%d of the last %d %s were answered", d.Up.N, d.Up.Of, c.requests())
	case muster.HealthDegraded:
		return c.losses()
	case muster.HealthUnknown:
		return "this machine could not ask: " + c.state()
	}
	known, lost, late := c.lost(d.Down.Of)
	if c.outcome == nil {
		text := fmt.Sprintf("%d of the last %d pings had no reply", lost+late, known)
		if hint, ok := errors.AsType[*ping.UnreachableError](c.err); ok {
			text += ": " + hint.Reason
		}
		return text
	}
	return fmt.Sprintf("%d of the last %d %s failed: %s", lost, known, c.requests(), cause(c.err))
}

// losses says how much is lost or late.
func (c *check) losses() string {
	known, lost, late := c.lost(c.of.Loss.Of)
	text := fmt.Sprintf("%d of the last %d %s had no reply", lost, known, c.requests())
	if late > 0 {
		text += fmt.Sprintf(" and %d a late one, after %s", late, c.rtt.Round(time.Millisecond))
	}
	return text
}

// states are what failures are called in a list of checks.
var states = map[string]string{
	"mute": "is mute", "refused": "is refused", "unreachable": "is unreachable", "timeout": "does not answer",
	"no-reply": "does not answer", "connection-lost": "hangs up", "not-ssh": "does not speak SSH",
}

// state is the state of the check in a few words, after its name.
func (c *check) state() string {
	switch v := c.says(c.of.rules()); {
	case v == blind:
		return fmt.Sprintf("cannot be sent: %s", cause(c.err))
	case v == unsure:
		return "is not known yet"
	case v == well && c.lossy:
		return "answers, but " + c.losses()
	case v == well:
		return "answers"
	}
	code := codeOf(c.err)
	if s := states[code]; s != "" {
		return s
	}
	return "fails: " + cause(c.err)
}

// codeOf is the failure code of an outcome's error.
func codeOf(err error) string {
	if f, ok := errors.AsType[*muster.Failure](err); ok {
		return f.Code
	}
	if _, ok := errors.AsType[*ping.UnreachableError](err); ok {
		return "unreachable"
	}
	if errors.Is(err, ping.ErrNoReply) {
		return "no-reply"
	}
	return "send-failed"
}

// cause is an error without the device, which is named beside it.
func cause(err error) string {
	if err == nil {
		return "no reason is known"
	}
	if f, ok := errors.AsType[*muster.Failure](err); ok && f.Err != nil {
		return f.Err.Error()
	}
	return err.Error()
}
