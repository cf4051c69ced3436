package alert

import (
	"fmt"

	"github.com/musternet/muster"
)

// stateJudge fires for each device that is in one of some states. A quiet transition begins nothing. What fires ends when
// the device is in another state that says something of it: unknown does not. That it is well quietly, as between two
// faults of a device that flaps, ends it after a while.
type stateJudge struct{}

func openState() judge { return stateJudge{} }

func checkState(r Rule) error { return checkStates(r.States) }

// checkStates refuses states that there are none of.
func checkStates(states []muster.Health) error {
	for _, s := range states {
		switch s {
		case muster.HealthDown, muster.HealthDegraded, muster.HealthUp:
		case muster.HealthUnknown:
			return fmt.Errorf("state unknown says nothing of a device: name %s or %s", muster.HealthDown, muster.HealthDegraded)
		default:
			return fmt.Errorf("unknown state %q: there are %s, %s, %s", s, muster.HealthDown, muster.HealthDegraded, muster.HealthUp)
		}
	}
	return nil
}

func (stateJudge) hear(d *desk, r *rule, ev muster.Event) {
	if name, ok := healthOf(ev); ok {
		judgeState(d, r, name, finding{device: ev.Device, at: ev.Time, news: true})
	}
}

// healthOf tells which device's health an event is about.
func healthOf(ev muster.Event) (string, bool) {
	if ev.Kind != muster.EventHealth || ev.Transition == nil || ev.Transition.Device == "" {
		return "", false
	}
	return ev.Transition.Device, true
}

func (stateJudge) look(d *desk, r *rule) {
	for name, b := range d.beliefs {
		if name != "" {
			judgeState(d, r, name, finding{device: d.device(name), at: b.Since})
		}
	}
	for key := range r.subjects {
		if _, ok := d.beliefs[key]; !ok {
			d.off(r, key)
		}
	}
}

func judgeState(d *desk, r *rule, name string, f finding) {
	b := d.beliefs[name]
	if !r.selects(f.device) {
		d.off(r, name)
		return
	}
	switch d.verdict(r, b) {
	case well:
		d.off(r, name)
	case fading:
		d.fade(r, name, d.now.run+quietly)
	case unsure:
		d.hold(r, name)
	case wrong:
		f.key, f.wait, f.sample = name, r.For, b.Reason
		f.text = Subject{State: string(b.State), Reason: b.Reason}
		d.on(r, f)
	}
}
