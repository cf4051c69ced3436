package monitor

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/probe"
)

// Target is a device and how it is watched.
type Target struct {
	Device muster.Device
	// Addr is whom to ask. The zero Addr is the Device's Address, which is resolved where it is a name.
	Addr netip.Addr
	// Probes are what it is asked. None is a ping.
	Probes []Check
	// Interval is the time from one probe to the next; 0 is ping.DefaultInterval.
	Interval time.Duration
	// Timeout is how long a probe may take; 0 is that of its kind.
	Timeout time.Duration
	// Down says which outcomes make a check fail, Up which make it well; zero: 3 of 3 and 2 of 2. Loss says how many late
	// or lost make it degraded that is well; zero: 8 of 32. It is over when half as many are.
	Down, Up, Loss Rule
	// Parents are the names of the devices on the way to this one. Those that are no targets are not heeded.
	Parents []string
	// Maintenance are the times at which nobody should be alarmed.
	Maintenance []Window
}

// Check is one thing that a device is asked.
type Check struct {
	Name    string // tells it from the others of its device; empty: the kind, with the port where one is given: "tcp:830"
	Kind    string // one of probe.Kinds
	Port    int    // 0: that of the kind
	Options probe.Options
}

// Rule is fulfilled by N of the last Of outcomes.
type Rule struct{ N, Of int }

// MaxOf bounds Rule.Of.
const MaxOf = 64

func (r Rule) check(what string) error {
	if r.N < 1 || r.Of < r.N || r.Of > MaxOf {
		return fmt.Errorf("%s: %d of %d is no rule: it takes 1 to %d, and no more than there are", what, r.N, r.Of, MaxOf)
	}
	return nil
}

const icmp = "icmp"

func (c Check) name() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Port != 0:
		return c.Kind + ":" + strconv.Itoa(c.Port)
	}
	return c.Kind
}

// complete fills in the defaults and checks what is given.
func (t Target) complete() (Target, error) {
	if !t.Addr.IsValid() {
		t.Addr, _ = netip.ParseAddr(t.Device.Address)
	}
	t.Addr = t.Addr.Unmap()
	t.Interval = cmp.Or(t.Interval, ping.DefaultInterval)
	t.Down, t.Up, t.Loss = cmp.Or(t.Down, Rule{3, 3}), cmp.Or(t.Up, Rule{2, 2}), cmp.Or(t.Loss, Rule{8, 32})
	if len(t.Probes) == 0 {
		t.Probes = onlyPing
	}
	if err := t.check(); err != nil {
		return t, fmt.Errorf("monitor: %q: %w", t.Device.Name, err)
	}
	return t, nil
}

// onlyPing is shared by all targets that name no probes.
var onlyPing = []Check{{Kind: icmp}}

func (t Target) check() error {
	switch {
	case t.Device.Name == "":
		return fmt.Errorf("a device needs a name")
	case !t.Addr.IsValid() && t.Device.Address == "":
		return fmt.Errorf("it has no address")
	case t.Interval < ping.MinInterval:
		return fmt.Errorf("an interval of %s is less than %s", t.Interval, ping.MinInterval)
	case t.Timeout < 0 || t.Timeout > ping.MaxUnderWay*t.Interval:
		return fmt.Errorf("a timeout of %s is not within %d intervals of %s", t.Timeout, ping.MaxUnderWay, t.Interval)
	}
	for what, r := range map[string]Rule{"down": t.Down, "up": t.Up, "loss": t.Loss} {
		if err := r.check(what); err != nil {
			return err
		}
	}
	for _, w := range t.Maintenance {
		if err := w.check(); err != nil {
			return err
		}
	}
	return t.checkProbes()
}

func (t Target) checkProbes() error {
	pings := 0
	for i, c := range t.Probes {
		if c.Kind == icmp {
			pings++
		}
		twice := slices.ContainsFunc(t.Probes[:i], func(o Check) bool { return o.name() == c.name() })
		switch {
		case twice:
			return fmt.Errorf("two probes are called %q", c.name())
		case pings > 1:
			return fmt.Errorf("one ping is enough")
		case c.Port < 0 || c.Port > 65535:
			return fmt.Errorf("probe %s: there is no port %d", c.name(), c.Port)
		}
	}
	return nil
}

// kinds are the timeouts of all kinds of probes.
var kinds = timeouts()

func timeouts() map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, k := range probe.Kinds() {
		all[k.Name] = k.Timeout
	}
	return all
}

// timeout is how long a probe of a kind may take.
func (t *Target) timeout(kind string) time.Duration {
	if t.Timeout != 0 {
		return t.Timeout
	}
	return min(kinds[kind], ping.MaxUnderWay*t.Interval)
}

// unlooped tells which devices are parents of each other, directly or not.
func unlooped(targets []Target) error {
	parents := make(map[string][]string)
	for _, t := range targets {
		if len(t.Parents) > 0 {
			parents[t.Device.Name] = t.Parents
		}
	}
	w := walk{parents: parents, done: map[string]bool{}}
	for _, t := range targets {
		if err := w.up(t.Device.Name); err != nil {
			return err
		}
	}
	return nil
}

// walk goes from devices to their parents.
type walk struct {
	parents map[string][]string
	done    map[string]bool
	path    []string
}

func (w *walk) up(name string) error {
	if w.done[name] || w.parents[name] == nil {
		return nil
	}
	if i := slices.Index(w.path, name); i >= 0 {
		return fmt.Errorf("monitor: the parents of %q lead back to it: %s", name, arrows(append(w.path[i:], name)))
	}
	w.path = append(w.path, name)
	for _, p := range w.parents[name] {
		if err := w.up(p); err != nil {
			return err
		}
	}
	w.path = w.path[:len(w.path)-1]
	w.done[name] = true
	return nil
}

// maxPath is how many devices of a loop are named.
const maxPath = 10

func arrows(names []string) (text string) {
	for i, name := range names {
		switch {
		case i == 0:
			text = name
		case i == maxPath && i < len(names)-1:
			return text + " -> ... -> " + names[len(names)-1]
		default:
			text += " -> " + name
		}
	}
	return text
}
