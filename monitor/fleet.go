package monitor

import (
	"fmt"
	"slices"
	"time"

	"github.com/musternet/muster"
)

// fleet is the state of all devices. It is a machine of results and times alone: it waits for nothing, starts nothing and
// is guarded by who calls it.
type fleet struct {
	wall     func() time.Time // nothing but maintenance and the times that are shown depends on it
	single   bool             // each device is judged by itself, as Once wants it
	flap     Flap
	uplink   Uplink
	devices  []*device
	byName   map[string]*device
	wereUp   int              // how many devices were up when something was known of them last
	waiting  map[*device]bool // for a verdict on others
	restless map[*device]bool // flapping or in maintenance, or people know something else of them
	out      []muster.Transition
	unsaved  []*device // since their health changed

	heard     time.Duration // since when so many have answered that this machine is heard
	heardAt   time.Duration // when that was looked at
	answers   []time.Duration
	cut       bool // it is this machine that cannot be heard
	cutReason string
	cutAt     time.Duration
	cutSince  time.Time
}

func newFleet(c Config) fleet {
	return fleet{
		wall: time.Now, flap: c.Flap, uplink: c.Self, byName: map[string]*device{},
		waiting: map[*device]bool{}, restless: map[*device]bool{},
	}
}

// take takes a result of a check.
func (f *fleet) take(c *check, r result, now time.Duration) {
	d := c.of
	rules := d.rules()
	if f.cut && r.rtt > 0 && r.kind != late && !d.ours {
		f.hearAgain(d, r, now)
	}
	before, lossy := c.says(rules), c.lossy
	c.take(r, now)
	if c.says(rules) != before || c.lossy != lossy || d.waits != 0 {
		f.review(d, now)
	}
	if len(f.waiting) > 0 {
		f.reviewAll(d.children, now)
	}
}

// tick does what time alone brings about. It wants to be called some times a second.
func (f *fleet) tick(now time.Duration) {
	if f.cut && !slices.ContainsFunc(f.devices, func(d *device) bool { return !d.ours }) {
		f.back(now, "nobody else is watched any more")
	}
	for d := range f.waiting {
		f.review(d, now)
	}
	for d := range f.restless {
		f.rest(d, now)
	}
}

// review judges a device anew.
func (f *fleet) review(d *device, now time.Duration) {
	if d.gone {
		return
	}
	if health, reason := f.verdict(d, now); health != "" {
		f.become(d, health, reason, now)
	}
}

func (f *fleet) reviewAll(some []*device, now time.Duration) {
	for _, d := range some {
		f.review(d, now)
	}
}

// verdict is what a device is, seen together with the others. Empty: as it was.
func (f *fleet) verdict(d *device, now time.Duration) (muster.Health, string) {
	if f.cut {
		return muster.HealthUnknown, f.cutReason
	}
	raw := d.judge()
	if f.single {
		return raw, d.why(raw)
	}
	if raw == muster.HealthDown && d.hidden != "" && !f.behind(d) {
		d.forget()
		raw = d.judge()
	}
	down := raw == muster.HealthDown
	switch {
	case down && d.silent() && f.behind(d):
		f.decided(d)
		return muster.HealthUnknown, "behind " + d.hidden
	case down && d.health != muster.HealthDown, raw == muster.HealthUnknown && d.isBlind():
		return f.accuse(d, raw, now)
	}
	d.hidden = ""
	f.decided(d)
	return raw, d.why(raw)
}

// accuse calls a device down, or such that it cannot be asked, unless others are to blame for it.
func (f *fleet) accuse(d *device, raw muster.Health, now time.Duration) (muster.Health, string) {
	if d.silent() {
		if raw == muster.HealthDown && f.suspects(d) && f.mayWait(d, now) {
			return "", ""
		}
		cut, soon := f.cutOff(d, now)
		if cut {
			f.cutNow(d, now)
			return "", ""
		}
		if soon && f.mayWait(d, now) {
			return "", ""
		}
	}
	d.hidden = ""
	f.decided(d)
	return raw, d.why(raw)
}

func (f *fleet) decided(d *device) {
	d.waits = 0
	delete(f.waiting, d)
}

// mayWait tells whether the verdict on a device may wait any longer: for an interval and timeout of its slowest parent, or
// for as long as that parent takes for its own verdict.
func (f *fleet) mayWait(d *device, now time.Duration) bool {
	if d.waits == 0 {
		d.waits = now + d.Interval + d.longest()
		for _, p := range d.parents {
			own := d.first + time.Duration(p.Down.N)*p.Interval + p.longest()
			d.waits = max(d.waits, now+p.Interval+p.longest(), own)
		}
		f.waiting[d] = true
	}
	return now < d.waits
}

// longest is the longest time that a probe of the device may take.
func (d *device) longest() (t time.Duration) {
	for _, c := range d.checks {
		t = max(t, d.timeout(c.kind))
	}
	return t
}

// behind tells whether all parents of a device are down or hidden themselves, and notes one of them.
func (f *fleet) behind(d *device) bool {
	if len(d.parents) == 0 {
		return false
	}
	for _, p := range d.parents {
		if p.health != muster.HealthDown && p.hidden == "" {
			return false
		}
	}
	d.hidden = d.parents[0].says()
	return true
}

// says is the device and its state, for those behind it.
func (d *device) says() string {
	if d.hidden != "" {
		return d.Device.Name + ", which is behind " + d.hidden
	}
	return d.Device.Name + ", which is down"
}

// suspects tells whether no parent of a silent device has shown since that it is up, so that its verdict may be coming.
func (f *fleet) suspects(d *device) bool {
	for _, p := range d.parents {
		if !p.silent() && p.answered >= d.silence() {
			return false
		}
	}
	return len(d.parents) > 0
}

// forget makes all checks of a device unsure.
func (d *device) forget() {
	d.hidden, d.first, d.missed = "", 0, 0
	for _, c := range d.checks {
		c.forget()
	}
}

// become changes the health of a device.
func (f *fleet) become(d *device, to muster.Health, reason string, now time.Duration) {
	from := d.health
	if to == from {
		if reason != d.reason && to != muster.HealthUp {
			d.reason, d.unsaved = reason, true
		}
		return
	}
	d.health, d.since, d.reason = to, f.wall(), reason
	begins := f.settle(d, to, now)
	if begins {
		reason = fmt.Sprintf("flapping, %d changes within %s: %s", len(d.flips), f.flap.within(d), reason)
	}
	f.tell(d, from, reason, f.quiet(d, to, begins))
	f.reviewAll(d.children, now)
}

// tell makes a Transition to what the device is now.
func (f *fleet) tell(d *device, from muster.Health, reason string, quiet bool) {
	f.changed(d)
	f.out = append(f.out, muster.Transition{
		Time: f.wall(), Device: d.Device.Name, From: from, To: d.health, Reason: reason, Quiet: quiet,
	})
}

func (f *fleet) changed(d *device) {
	d.unsaved = true
	f.unsaved = append(f.unsaved, d)
}

// settle notes a health that is not unknown, and tells whether the device begins to flap with it.
func (f *fleet) settle(d *device, to muster.Health, now time.Duration) (begins bool) {
	if to == muster.HealthUnknown || to == d.settled {
		return false
	}
	if d.settled != "" {
		d.flips = append(f.recent(d, now), now)
		begins = !d.flapping && len(d.flips) > f.flap.Changes
	}
	f.setSettled(d, to)
	d.flapping = d.flapping || begins
	return begins
}

func (f *fleet) setSettled(d *device, to muster.Health) {
	if d.wasUp() {
		f.wereUp--
	}
	d.settled = to
	if d.wasUp() {
		f.wereUp++
	}
}
