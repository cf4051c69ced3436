package alert

import (
	"maps"
	"slices"
	"time"

	"github.com/musternet/muster"
)

// belief is the health of a device as the desk was told, by transitions that were quiet or not.
type belief struct {
	State  muster.Health `json:"state"`
	Told   muster.Health `json:"told,omitempty"` // by the last transition that was not quiet: what people know
	Reason string        `json:"reason,omitempty"`
	Since  time.Time     `json:"since,omitzero"`

	heard time.Duration // by the running time
}

// after is what a belief becomes by a transition.
func (b belief) after(t *muster.Transition) belief {
	told := t.To
	if t.Quiet {
		told = b.Told
	}
	return belief{State: t.To, Told: told, Reason: t.Reason, Since: t.Time}
}

// row names what is kept in the store.
type row struct{ rule, key string }

// desk is all that the rules know at one time. It does nothing by itself, and waits for nothing: an Engine keeps it in the
// present, Replay in the past.
type desk struct {
	now     moment
	rules   []*rule
	devices map[string]muster.Device
	beliefs map[string]belief // of every device that is watched
	cut     bool              // this machine has no way to the network: nothing can be said of anybody
	dirty   map[row]struct{}  // what the store does not know yet
	taken   taken             // the last events
	fired   int               // how often anything began to fire
}

func newDesk(devices []muster.Device) *desk {
	d := &desk{beliefs: map[string]belief{}, dirty: map[row]struct{}{}, taken: newTaken()}
	d.know(devices)
	return d
}

// know replaces the devices of the inventory.
func (d *desk) know(devices []muster.Device) {
	d.devices = make(map[string]muster.Device, len(devices))
	for _, dev := range devices {
		d.devices[dev.Name] = dev
	}
}

// device is a device as the inventory has it.
func (d *desk) device(name string) muster.Device {
	if dev, ok := d.devices[name]; ok {
		return dev
	}
	return muster.Device{Name: name}
}

// take hears an event, and lets every rule hear it. One that was taken is not heard again.
func (d *desk) take(ev muster.Event) {
	if d.taken.has(ev.ID) {
		return
	}
	d.remember(ev.ID)
	was := d.cut
	ev = d.learn(ev)
	for _, r := range d.rules {
		r.judge.hear(d, r, ev)
	}
	if d.cut != was {
		d.look()
	}
}

// learn adds an event to what is known. The event comes back with the device as the inventory has it, and with the
// platform that was found where the inventory has none.
func (d *desk) learn(ev muster.Event) muster.Event {
	if ev.Kind == muster.EventHealth && ev.Transition != nil {
		d.believe(ev.Transition.Device, d.beliefs[ev.Transition.Device].after(ev.Transition))
		ev.Device.Name = ev.Transition.Device
	}
	if dev, ok := d.devices[ev.Device.Name]; ok {
		if dev.Platform == "" {
			dev.Platform = ev.Device.Platform
		}
		ev.Device = dev
	}
	if ev.Time.IsZero() {
		ev.Time = d.now.wall
	}
	return ev
}

// believe notes the health of a device, or with an empty name of this machine's way to the network.
func (d *desk) believe(name string, b belief) {
	b.heard = d.now.run
	d.beliefs[name] = b
	d.dirty[row{"", beliefKey + name}] = struct{}{}
	if name == "" {
		d.cut = b.State == muster.HealthDown
	}
}

// look lets every rule judge anew.
func (d *desk) look() {
	for _, r := range d.rules {
		r.judge.look(d, r)
	}
}

// tick lets time do what it does.
func (d *desk) tick() {
	for _, r := range d.rules {
		for key, s := range r.subjects {
			d.ripen(r, key, s)
		}
	}
	d.rules = slices.DeleteFunc(d.rules, func(r *rule) bool { return r.retired && len(r.subjects) == 0 })
}

func (d *desk) ripen(r *rule, key string, s *subject) {
	fired, changed := s.ripen(d.now)
	if fired {
		d.fired++
	}
	if gone := s.finished(d.now); gone {
		delete(r.subjects, key)
		changed = true
	}
	if changed {
		d.dirty[row{r.Name, key}] = struct{}{}
	}
}

// on says that something is wrong with a subject.
func (d *desk) on(r *rule, f finding) {
	s := r.subjects[f.key]
	if s == nil {
		s = &subject{}
		r.subjects[f.key] = s
	}
	if f.at.IsZero() {
		f.at = d.now.wall
	}
	if s.Labels == nil || !s.Pending && !s.firing() && s.told == s.change {
		s.Labels, s.Device = labelsOf(r, f.device, f.labels), f.device.Name
	}
	s.Kind = r.Kind
	s.see(f, d.now)
	s.describe(r, f)
	d.dirty[row{r.Name, f.key}] = struct{}{}
	d.ripen(r, f.key, s)
}

// off says that nothing is wrong with a subject any more.
func (d *desk) off(r *rule, key string) {
	s := r.subjects[key]
	if s == nil || !s.end(d.now) {
		return
	}
	d.dirty[row{r.Name, key}] = struct{}{}
	d.ripen(r, key, s)
}

// hold says that nothing can be known of a subject: what fires goes on, and nothing begins.
func (d *desk) hold(r *rule, key string) { d.fade(r, key, 0) }

// fade is hold with an end: what fires goes on until then, by the running time, unless more is heard of it.
func (d *desk) fade(r *rule, key string, until time.Duration) {
	s := r.subjects[key]
	if s == nil || !s.Pending && !s.firing() {
		return
	}
	s.Pending = false
	if until == 0 || s.Until == 0 {
		s.Until = until
	}
	d.dirty[row{r.Name, key}] = struct{}{}
	d.ripen(r, key, s)
}

// verdict is what the health of a device means to a rule.
type verdict int

const (
	well   verdict = iota
	fading         // well, but people were told that it is not, and not yet that it is: it flaps, or somebody works at it
	unsure         // nobody can say, or nobody wants to be alarmed
	wrong
)

// quietly is for how long a device has to be well until that counts although nobody said it aloud.
const quietly = 15 * time.Minute

// verdict judges the health of a device. What was told aloud counts, as long as it is so.
func (d *desk) verdict(r *rule, b belief) verdict {
	is, told := slices.Contains(r.States, b.State), slices.Contains(r.States, b.Told)
	switch {
	case d.cut, b.State == muster.HealthUnknown, is && !told:
		return unsure
	case is:
		return wrong
	case told:
		return fading
	default:
		return well
	}
}

// replace puts other rules in place. A rule that has the name of one before goes on with its subjects, unless it is of
// another kind: then those end. What fires of a rule that is gone ends too.
func (d *desk) replace(rules []Rule) {
	old := map[string]*rule{}
	for _, r := range d.rules {
		old[r.Name] = r
	}
	d.rules = nil
	for _, one := range rules {
		r := newRule(one)
		if was := old[r.Name]; was != nil {
			r.subjects = was.subjects
			delete(old, r.Name)
		}
		d.rules = append(d.rules, r)
		for key, s := range r.subjects {
			if s.Kind != r.Kind {
				d.off(r, key)
			}
		}
	}
	d.retire(old)
}

// retire ends what rules that are gone have left.
func (d *desk) retire(old map[string]*rule) {
	for _, name := range slices.Sorted(maps.Keys(old)) {
		r := retired(name, old[name].subjects)
		r.judge.look(d, r)
		d.rules = append(d.rules, r)
	}
}

// forget drops the devices that the inventory has no more, if it has any.
func (d *desk) forget() {
	if len(d.devices) == 0 {
		return
	}
	for name := range d.beliefs {
		if _, ok := d.devices[name]; !ok && name != "" {
			d.drop(name)
		}
	}
	for _, r := range d.rules {
		for key, s := range r.subjects {
			if _, ok := d.devices[s.Device]; !ok && s.Device != "" {
				d.off(r, key)
			}
		}
	}
}

// drop forgets the health of a device.
func (d *desk) drop(name string) {
	delete(d.beliefs, name)
	d.cut = d.cut && name != ""
	d.dirty[row{"", beliefKey + name}] = struct{}{}
}
