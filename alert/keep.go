package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// What is kept beside the subjects of rules has no rule: how long muster has run, the health of devices that are not up, and
// the IDs of the last events.
var clockRow = row{"", "clock"}

const (
	beliefKey = "device/"
	eventKey  = "event/"
)

// settled is for how long what was heard of a device that the store does not name may be newer than the store.
const settled = time.Minute

type clockState struct {
	Run time.Duration `json:"run"`
}

// state gives a row as the store keeps it; nil: it is to be removed.
func (d *desk) state(id row) []byte {
	var v any
	switch {
	case id == clockRow:
		v = clockState{d.now.run}
	case id.rule == "" && strings.HasPrefix(id.key, eventKey):
		n, ok := d.taken.numbers[strings.TrimPrefix(id.key, eventKey)]
		if !ok {
			return nil
		}
		v = n
	case id.rule == "":
		b, ok := d.beliefs[strings.TrimPrefix(id.key, beliefKey)]
		if !ok || b.State == muster.HealthUp && b.Told == muster.HealthUp {
			return nil
		}
		v = b
	default:
		s := d.subject(id)
		if s == nil {
			return nil
		}
		v = s
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("alert: %v", err)) // these types have nothing that does not marshal
	}
	return data
}

func (d *desk) subject(id row) *subject {
	for _, r := range d.rules {
		if r.Name == id.rule {
			return r.subjects[id.key]
		}
	}
	return nil
}

// unsaved gives all that the store does not know yet, and takes it for known.
func (d *desk) unsaved() []store.Firing {
	if len(d.dirty) == 0 {
		return nil
	}
	d.dirty[clockRow] = struct{}{}
	some := make([]store.Firing, 0, len(d.dirty))
	for id := range d.dirty {
		some = append(some, store.Firing{Rule: id.rule, Key: id.key, State: d.state(id)})
	}
	clear(d.dirty)
	return some
}

// restore takes over what was kept: rules as if they were gone, which replace brings back. It returns for how long muster
// has run, and what could not be read: that is left out, and removed.
func (d *desk) restore(some []store.Firing) (run time.Duration, bad []error) {
	byName := map[string]*rule{}
	for _, f := range some {
		at, err := d.restoreOne(byName, f)
		if err != nil {
			d.dirty[row{f.Rule, f.Key}] = struct{}{}
			bad = append(bad, fmt.Errorf("state of rule %q for %q: %w", f.Rule, f.Key, err))
		}
		run = max(run, at)
	}
	for _, r := range byName {
		d.rules = append(d.rules, r)
	}
	d.taken.sort()
	d.cut = d.beliefs[""].State == muster.HealthDown
	return run, bad
}

func (d *desk) restoreOne(byName map[string]*rule, f store.Firing) (time.Duration, error) {
	if f.Rule == "" {
		return d.restoreOwn(f)
	}
	s := &subject{}
	if err := json.Unmarshal(f.State, s); err != nil {
		return 0, err
	}
	if len(s.Labels) == 0 {
		return 0, errors.New("it has no labels")
	}
	if !s.Fired.IsZero() {
		s.change = 1 // it is told again, whether it was told or not
	}
	if byName[f.Rule] == nil {
		byName[f.Rule] = retired(f.Rule, map[string]*subject{})
	}
	byName[f.Rule].subjects[f.Key] = s
	return max(s.Since, s.Over), nil
}

func (d *desk) restoreOwn(f store.Firing) (time.Duration, error) {
	if f.Key == clockRow.key {
		var c clockState
		err := json.Unmarshal(f.State, &c)
		return c.Run, err
	}
	if id, ok := strings.CutPrefix(f.Key, eventKey); ok {
		return 0, d.taken.restore(id, f.State)
	}
	var b belief
	if err := json.Unmarshal(f.State, &b); err != nil {
		return 0, err
	}
	d.beliefs[strings.TrimPrefix(f.Key, beliefKey)] = b
	return 0, nil
}

// agree takes over at a start what the monitor has kept, which it will go on from: what it says wins over what was heard.
// Whether people were told it does not say; what was not heard here is taken for told.
func (d *desk) agree(healths []store.Health) {
	kept := map[string]bool{}
	for _, h := range healths {
		kept[h.Device] = true
		b, ok := d.beliefs[h.Device]
		switch {
		case !ok && h.State == muster.HealthUp: // as the store has it
			d.beliefs[h.Device] = belief{State: h.State, Told: h.State, Since: h.Since}
		case !ok || b.State != h.State:
			d.believe(h.Device, belief{State: h.State, Told: h.State, Reason: h.Reason, Since: h.Since})
		}
	}
	for name := range d.beliefs {
		if !kept[name] {
			d.drop(name)
		}
	}
}

// unwatch drops at a reload the devices that the monitor keeps no more.
func (d *desk) unwatch(healths []store.Health) {
	kept := map[string]bool{"": true}
	for _, h := range healths {
		kept[h.Device] = true
	}
	for name, b := range d.beliefs {
		if !kept[name] && d.now.run-b.heard >= settled {
			d.drop(name)
		}
	}
}
