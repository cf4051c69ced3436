package monitor

import (
	"time"

	"github.com/musternet/muster"
)

// Flap says when a device that changes often is told of no more. The zero value stands for the defaults.
type Flap struct {
	Changes int           // more changes than this...; 0: 5
	Within  time.Duration // ... within this time, but at least 60 intervals; 0: 10 minutes
	Calm    time.Duration // how long without a change ends it; 0: as long
}

const flapIntervals = 60

// within is the time in which changes of a device count.
func (f Flap) within(d *device) time.Duration { return max(f.Within, flapIntervals*d.Interval) }

func (f Flap) calm(d *device) time.Duration {
	if f.Calm > 0 {
		return f.Calm
	}
	return f.within(d)
}

// recent are the changes of a device that still count.
func (f *fleet) recent(d *device, now time.Duration) []time.Duration {
	old := 0
	for old < len(d.flips) && now-d.flips[old] > f.flap.within(d) {
		old++
	}
	return d.flips[old:]
}

func (d *device) inMaintenance(at time.Time) bool {
	for _, w := range d.Maintenance {
		if w.Contains(at) {
			return true
		}
	}
	return false
}

// quiet tells whether nobody should be alarmed of what a device has become, and notes what people know.
func (f *fleet) quiet(d *device, to muster.Health, begins bool) bool {
	switch {
	case d.inMaintenance(f.wall()), d.flapping && !begins:
		f.restless[d] = true
		return true
	case begins:
		f.restless[d] = true
	case to == muster.HealthUnknown && (f.cut || d.hidden != "" || !d.isBlind()):
		return true
	case to == d.told, d.told == "" && to == muster.HealthUp:
		d.told = to
		return true
	}
	d.told = to
	return false
}

// rest looks whether a device may be told of again: what was kept quiet is told now, if it still holds.
func (f *fleet) rest(d *device, now time.Duration) {
	after := "maintenance is over: "
	if d.flapping {
		if now-d.flips[len(d.flips)-1] < f.flap.calm(d) {
			return
		}
		d.flapping, d.flips, d.unsaved = false, nil, true
		after = "no longer flapping: "
	}
	if d.gone || !d.inMaintenance(f.wall()) {
		delete(f.restless, d)
		f.makeUp(d, after)
	}
}

// makeUp tells what people do not know yet.
func (f *fleet) makeUp(d *device, after string) {
	told := d.told
	if told == "" {
		told = muster.HealthUp
	}
	if d.gone || d.health == told || d.health == muster.HealthUnknown {
		return
	}
	d.told = d.health
	f.tell(d, told, after+d.reason, false)
}
