package ping

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"sync"
	"time"
)

// What Steady holds to.
const (
	// DefaultInterval is the Interval of a Target that has none.
	DefaultInterval = 10 * time.Second
	// MinInterval is the shortest Interval.
	MinInterval = 20 * time.Millisecond
	// MaxUnderWay is how many intervals a Timeout may be long: so many requests to one target may wait for their reply.
	MaxUnderWay = 32
)

// Target is whom Steady asks and how often.
type Target struct {
	// Key names the target in its Plan and in every Probe of it.
	Key string
	// Addr is whom to ask; one of IPv4 that is given as ::ffff:a.b.c.d is a.b.c.d.
	Addr netip.Addr
	// Interval is the time from one request to the next; 0 is DefaultInterval.
	Interval time.Duration
	// Timeout is how long after a request its reply is in time, at most MaxUnderWay intervals; 0 is DefaultTimeout, or that
	// bound where it is shorter.
	Timeout time.Duration
}

// complete returns the Target with its defaults filled in.
func (t Target) complete() (Target, error) {
	t.Addr = t.Addr.Unmap()
	t.Interval = or(t.Interval, DefaultInterval)
	t.Timeout = or(t.Timeout, min(DefaultTimeout, MaxUnderWay*t.Interval))
	switch {
	case !t.Addr.IsValid():
		return t, fmt.Errorf("ping: target %q has no address", t.Key)
	case t.Interval < MinInterval:
		return t, fmt.Errorf("ping: target %q: an interval of %s is less than %s", t.Key, t.Interval, MinInterval)
	case t.Timeout < 0 || t.Timeout > MaxUnderWay*t.Interval:
		return t, fmt.Errorf("ping: target %q: a timeout of %s is not within %d intervals of %s", t.Key, t.Timeout, MaxUnderWay, t.Interval)
	}
	return t, nil
}

// Plan is the targets of a Steady, which may be changed while they are asked: by the body of its loop and by any other
// goroutine. The zero value has no targets. A Plan must not be copied.
//
// A change takes effect within about 100 ms. It moves no other target: each has its place in its interval from the moment
// it is set to the moment it is removed, and the places are spread so that any number of targets is asked evenly.
type Plan struct {
	mu      sync.Mutex
	targets map[string]*planned
	changes []change // that a loop has not taken note of
	running bool
	stats   Stats
}

// planned is a target and the slot that the loop keeps it in.
type planned struct {
	Target
	slot uint32 // known to the loop alone
}

// change replaces a target; nil stands for none.
type change struct{ old, new *planned }

// Set adds a target, or changes that of the same Key. One that is set as it is goes on undisturbed. A new Interval gives it
// a new place; after a new Addr nothing more is said of the requests to the old one.
func (p *Plan) Set(t Target) error {
	t, err := t.complete()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(t)
	return nil
}

// Remove takes the target with a key out, if there is one. Nothing more is said of it, not even what became of requests that
// are under way.
func (p *Plan) Remove(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(key)
}

// Replace makes targets all that the plan has, as Set and Remove would. When one of them makes no sense, or two have the
// same Key, nothing is changed.
func (p *Plan) Replace(targets iter.Seq[Target]) error {
	wanted := map[string]Target{}
	for t := range targets {
		t, err := t.complete()
		if err != nil {
			return err
		}
		if _, twice := wanted[t.Key]; twice {
			return fmt.Errorf("ping: two targets are called %q", t.Key)
		}
		wanted[t.Key] = t
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.targets {
		if _, ok := wanted[key]; !ok {
			p.remove(key)
		}
	}
	for _, t := range wanted {
		p.set(t)
	}
	return nil
}

// Len is how many targets the plan has.
func (p *Plan) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.targets)
}

// Stats accounts for the Steady that asks the targets, or that did last. It is brought up to date every 100 ms at least,
// unless the body of the loop takes longer, and at the end.
func (p *Plan) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

func (p *Plan) set(t Target) {
	old := p.targets[t.Key]
	if old != nil && old.Target == t {
		return
	}
	if p.targets == nil {
		p.targets = map[string]*planned{}
	}
	p.targets[t.Key] = &planned{Target: t}
	p.note(change{old, p.targets[t.Key]})
}

func (p *Plan) remove(key string) {
	if old := p.targets[key]; old != nil {
		delete(p.targets, key)
		p.note(change{old, nil})
	}
}

func (p *Plan) note(c change) {
	if p.running {
		p.changes = append(p.changes, c)
	}
}

// errBusy is the error of a second loop over the same plan.
var errBusy = errors.New("ping: the plan is being asked already")

// begin gives the plan to a loop, which finds every target among the changes.
func (p *Plan) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		return errBusy
	}
	p.running, p.stats = true, Stats{}
	for _, t := range p.targets {
		p.note(change{nil, t})
	}
	return nil
}

func (p *Plan) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running, p.changes = false, nil
}

// exchange publishes stats and takes the changes.
func (p *Plan) exchange(s *Stats) []change {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Targets = len(p.targets)
	p.stats = *s
	changes := p.changes
	p.changes = nil
	return changes
}
