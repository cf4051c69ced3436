package monitor

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/probe"
	"github.com/musternet/muster/task"
)

// Monitor watches devices. It is made by New, and its methods may be called by several goroutines.
type Monitor struct {
	cfg   Config
	began time.Time // a second before, so that no time of the monitor is 0
	plan  ping.Plan
	own   map[netip.Addr]bool

	probed  chan struct{} // there is something new to probe
	resolve chan struct{} // there is a name to resolve
	told    chan struct{} // there are transitions

	mu      sync.Mutex
	fleet   fleet
	agenda  agenda
	places  uint64
	samples queue
	dropped []string // devices whose state is to be forgotten
	probes  int      // other than pings
	skipped int      // of these
	lost    Lost
	decided []*device // by Once, not yielded yet
}

// New returns a Monitor that watches when it runs. The error says which target makes no sense.
func New(c Config) (*Monitor, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	m := &Monitor{
		cfg: c, began: time.Now().Add(-time.Second), own: ownAddrs(), fleet: newFleet(c),
		probed: make(chan struct{}, 1), resolve: make(chan struct{}, 1), told: make(chan struct{}, 1),
	}
	return m, m.Replace(c.Targets)
}

// Run watches until ctx ends, and returns nil then, when everything it started has ended and what it knows is kept. An
// error says that it could not begin: what was known could not be read. A Monitor runs once.
func (m *Monitor) Run(ctx context.Context) error {
	if err := m.restore(ctx); err != nil {
		return err
	}
	return task.Scope(ctx, "monitor", func(_ context.Context, g *task.Group) error {
		g.Go("ping", m.ping)
		g.Go("probe", m.probe)
		g.Go("resolve", m.resolveAll)
		g.Go("judge", m.judge)
		g.Go("samples", m.sample)
		g.Go("keep", m.keep)
		return nil
	})
}

// judge does what time alone brings about.
func (m *Monitor) judge(ctx context.Context) error {
	return every(ctx, 100*time.Millisecond, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.fleet.tick(m.now())
		m.announce()
	})
}

// every calls f again and again until ctx ends.
func every(ctx context.Context, d time.Duration, f func()) error {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			f()
		case <-ctx.Done():
			return nil
		}
	}
}

func (m *Monitor) now() time.Duration { return time.Since(m.began) }

// announce wakes who tells of transitions. m.mu is held.
func (m *Monitor) announce() {
	if len(m.fleet.out) > 0 {
		nudge(m.told)
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake
	}
}

// took takes a result. m.mu is held.
func (m *Monitor) took(c *check, r result, now time.Duration) {
	if c.of.gone || c.turn.gone {
		return
	}
	m.fleet.take(c, r, now)
	m.measure(c, r)
	m.announce()
	if m.fleet.single {
		m.decide(c.of)
	}
}

// Replace makes targets all that is watched. Those that were watched before keep their state and their place in time; what
// is removed is forgotten. When one of them makes no sense nothing is changed.
func (m *Monitor) Replace(targets []Target) error {
	next, err := prepare(targets)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	wanted := make(map[string]bool, len(next))
	for _, p := range next {
		wanted[p.Device.Name] = true
		m.set(p, now)
	}
	for name, d := range m.fleet.byName {
		if !wanted[name] {
			m.remove(d)
		}
	}
	m.fleet.link(m.cfg.Log)
	m.samples.bound = max(samplesLeast, samplesEach*m.fleet.checks())
	nudge(m.probed)
	nudge(m.resolve)
	return m.plan.Replace(m.pings())
}

// prepared is a target with what asks it.
type prepared struct {
	Target
	probers []probe.Prober
}

func prepare(targets []Target) ([]prepared, error) {
	all := make([]prepared, 0, len(targets))
	names := make(map[string]bool, len(targets))
	for _, t := range targets {
		t, err := t.complete()
		if err != nil {
			return nil, err
		}
		if names[t.Device.Name] {
			return nil, fmt.Errorf("monitor: two targets are called %q", t.Device.Name)
		}
		names[t.Device.Name] = true
		p := prepared{Target: t, probers: make([]probe.Prober, len(t.Probes))}
		for i, c := range t.Probes {
			if p.probers[i], err = c.open(); err != nil {
				return nil, fmt.Errorf("monitor: %q: probe %s: %w", t.Device.Name, c.name(), err)
			}
		}
		all = append(all, p)
	}
	return all, unlooped(targets)
}

// open returns what asks; nil for a ping.
func (c Check) open() (probe.Prober, error) {
	if c.Kind == icmp {
		return nil, nil
	}
	return probe.New(c.Kind, c.Options)
}

// set adds a target or changes that of the same name.
func (m *Monitor) set(p prepared, now time.Duration) {
	d := m.fleet.byName[p.Device.Name]
	if d == nil {
		d = &device{health: muster.HealthUnknown, since: m.fleet.wall(), reason: "not enough probes yet"}
		m.fleet.byName[p.Device.Name] = d
	}
	before := d.Target
	if d.Target = p.Target; p.Addr.IsValid() || before.Device.Address != p.Device.Address {
		d.addr, d.unresolved = p.Addr, nil
	}
	d.ours = m.own[d.addr] || d.addr.IsLoopback()
	old := d.checks
	d.icmp = nil
	d.checks = make([]*check, len(p.Probes))
	for i, spec := range p.Probes {
		d.checks[i] = m.check(d, old, spec, p.probers[i])
		if spec.Kind == icmp {
			d.icmp = d.checks[i]
		}
		if spec.Kind != icmp && (before.Interval != d.Interval || d.checks[i].turn.place == 0) {
			m.place(d.checks[i], now)
		}
	}
	for _, c := range old {
		c.turn.gone = !slices.Contains(d.checks, c)
	}
}

// check finds the check of a name among those that the device had, or makes a new one.
func (m *Monitor) check(d *device, old []*check, spec Check, by probe.Prober) *check {
	i := slices.IndexFunc(old, func(c *check) bool { return c.name == spec.name() && c.kind == spec.Kind })
	c := &check{of: d, name: spec.name(), kind: spec.Kind}
	if i >= 0 {
		c = old[i]
	}
	c.port, c.prober = spec.Port, by
	group := d.Device.GroupName()
	if c.labels[muster.LabelGroup] != group {
		c.labels = map[string]string{muster.LabelDevice: d.Device.Name, muster.LabelGroup: group, LabelProbe: c.name}
	}
	return c
}

func (m *Monitor) remove(d *device) {
	d.gone = true
	m.fleet.setSettled(d, "")
	m.fleet.decided(d)
	delete(m.fleet.restless, d)
	delete(m.fleet.byName, d.Device.Name)
	m.dropped = append(m.dropped, d.Device.Name)
}

// pings are the targets of the plan.
func (m *Monitor) pings() iter.Seq[ping.Target] {
	return func(yield func(ping.Target) bool) {
		for _, d := range m.fleet.devices {
			if t, ok := d.ping(); ok && !yield(t) {
				return
			}
		}
	}
}

// ping is the device as a target of pings, if it is one.
func (d *device) ping() (ping.Target, bool) {
	if d.icmp == nil || !d.addr.IsValid() || d.decided {
		return ping.Target{}, false
	}
	return ping.Target{Key: d.Device.Name, Addr: d.addr, Interval: d.Interval, Timeout: d.timeout(icmp)}, true
}

// checks counts them.
func (f *fleet) checks() (n int) {
	for _, d := range f.devices {
		n += len(d.checks)
	}
	return n
}

// link orders the devices and ties them to their parents.
func (f *fleet) link(log logger) {
	f.devices = f.devices[:0:0]
	for _, d := range f.byName {
		f.devices = append(f.devices, d)
		d.parents, d.children = nil, nil
	}
	slices.SortFunc(f.devices, func(a, b *device) int { return strings.Compare(a.Device.Name, b.Device.Name) })
	for _, d := range f.devices {
		for _, name := range d.Parents {
			p := f.byName[name]
			if p == nil {
				log.Warn("parent is not watched", "device", d.Device.Name, "parent", name)
				continue
			}
			d.parents, p.children = append(d.parents, p), append(p.children, d)
		}
	}
}

// logger is the part of slog.Logger that link needs.
type logger interface{ Warn(msg string, args ...any) }
