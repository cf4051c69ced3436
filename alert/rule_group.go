package alert

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/musternet/muster"
)

// groupJudge fires when so many of some devices are in a state at once: one alert, whoever they are. Devices are those that
// are watched and selected. Those of which nobody can say anything keep alive what fires, and begin nothing.
type groupJudge struct {
	tallies map[string]*tally
	places  map[string]place // of each device
}

// tally counts the devices of one group.
type tally struct {
	wrong  []string // their names, sorted
	unsure int
	all    int
}

// place is where a device was counted, and as what.
type place struct {
	key string
	v   verdict
}

func openGroup() judge { return &groupJudge{} }

func checkGroup(r Rule) error {
	switch {
	case r.Count == 0 && r.Share == 0:
		return errors.New("say how many: a count of devices, or a share of them")
	case r.Count != 0 && r.Share != 0:
		return errors.New("a count and a share are two rules: name one of them")
	case r.Share < 0 || r.Share > 1 || math.IsNaN(r.Share):
		return errors.New("a share is above 0 and at most 1, which is all of them")
	case r.Least < 0:
		return errors.New("least is a number of devices, and not negative")
	}
	return checkStates(r.States)
}

func (g *groupJudge) hear(d *desk, r *rule, ev muster.Event) {
	name, ok := healthOf(ev)
	if !ok {
		return
	}
	g.leave(name)
	key, v, ok := g.enter(d, r, ev.Device)
	if ok {
		g.decide(d, r, key, finding{at: ev.Time, sample: ev.Transition.Reason, news: v == wrong})
	}
}

func (g *groupJudge) look(d *desk, r *rule) {
	g.tallies, g.places = map[string]*tally{}, map[string]place{}
	for name := range d.beliefs {
		if name != "" {
			g.enter(d, r, d.device(name))
		}
	}
	for key := range g.tallies {
		g.decide(d, r, key, finding{})
	}
	for key := range r.subjects {
		if g.tallies[key] == nil {
			d.off(r, key)
		}
	}
}

// leave takes a device out of the count.
func (g *groupJudge) leave(name string) {
	p, ok := g.places[name]
	if !ok {
		return
	}
	t := g.tallies[p.key]
	t.all--
	switch p.v {
	case wrong:
		i, _ := slices.BinarySearch(t.wrong, name)
		t.wrong = slices.Delete(t.wrong, i, i+1)
	case unsure:
		t.unsure--
	}
	delete(g.places, name)
}

// enter counts a device in its group, if it has one.
func (g *groupJudge) enter(d *desk, r *rule, dev muster.Device) (key string, v verdict, ok bool) {
	key = groupOf(r, dev)
	if !r.selects(dev) || r.By != "" && key == "" {
		return "", well, false
	}
	t := g.tallies[key]
	if t == nil {
		t = &tally{}
		g.tallies[key] = t
	}
	v = d.verdict(r, d.beliefs[dev.Name])
	t.all++
	switch v {
	case wrong:
		i, _ := slices.BinarySearch(t.wrong, dev.Name)
		t.wrong = slices.Insert(t.wrong, i, dev.Name)
	case unsure:
		t.unsure++
	}
	g.places[dev.Name] = place{key, v}
	return key, v, true
}

// groupOf is what a device is counted under.
func groupOf(r *rule, dev muster.Device) string {
	switch r.By {
	case "":
		return ""
	case muster.LabelGroup:
		return dev.GroupName()
	default:
		return dev.Tags[r.By]
	}
}

// decide judges a group by its count.
func (g *groupJudge) decide(d *desk, r *rule, key string, f finding) {
	t := g.tallies[key]
	need := r.Count
	if r.Share > 0 {
		need = max(1, int(math.Ceil(r.Share*float64(t.all)-1e-9)))
	}
	n := len(t.wrong)
	switch {
	case n >= need && t.all >= r.Least:
		d.on(r, g.found(r, key, t, f))
	case n+t.unsure >= need && t.all >= r.Least:
		d.hold(r, key)
	default:
		d.off(r, key)
	}
}

func (g *groupJudge) found(r *rule, key string, t *tally, f finding) finding {
	names := list(t.wrong)
	f.key, f.wait, f.count = key, r.For, len(t.wrong)
	if r.By != "" {
		f.labels = map[string]string{byLabel(r.By): key}
	}
	if f.sample == "" {
		f.sample = names
	}
	f.text = Subject{
		State: words(r.States), Count: len(t.wrong), Of: t.all, By: key, List: names,
		Reason: strings.TrimSpace(f.sample),
	}
	return f
}

// byLabel is the label that tells the alerts of a rule apart.
func byLabel(by string) string {
	if by == muster.LabelGroup {
		return by
	}
	return LabelName(by)
}
