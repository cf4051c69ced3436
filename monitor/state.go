package monitor

import (
	"iter"
	"net/netip"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
)

// State is what is known of a device now.
type State struct {
	Device muster.Device
	Addr   netip.Addr // who is asked; zero: its name is not resolved
	Health muster.Health
	Since  time.Time
	Reason string // in words
	Seen   time.Time
	// Loss is the share of its last probes without a reply or with a late one, of that of its checks that lost most.
	Loss float64
	// RTT is the last round trip of its first check that has one.
	RTT         time.Duration
	Checks      []CheckState
	Behind      string // the parent that is to blame, in words: "r1, which is down"; empty: none
	Flapping    bool
	Maintenance bool
}

// CheckState is what is known of one check.
type CheckState struct {
	Name    string
	Health  muster.Health  // unknown, up, degraded or down
	Outcome muster.Outcome // the last one; zero: none yet
	At      time.Time      // of the last outcome; zero: none yet
	RTT     time.Duration  // of the last reply
	Known   int            // how many outcomes the next two are of
	Lost    int            // without a reply
	Late    int
}

// States are the states of all devices by name, each as it is when it is yielded.
func (m *Monitor) States() iter.Seq[State] {
	return func(yield func(State) bool) {
		m.mu.Lock()
		devices := m.fleet.devices
		m.mu.Unlock()
		for len(devices) > 0 {
			n := min(atOnce, len(devices))
			for _, s := range m.some(devices[:n]) {
				if !yield(s) {
					return
				}
			}
			devices = devices[n:]
		}
	}
}

func (m *Monitor) some(devices []*device) []State {
	m.mu.Lock()
	defer m.mu.Unlock()
	states := make([]State, 0, len(devices))
	for _, d := range devices {
		if !d.gone {
			states = append(states, m.state(d))
		}
	}
	return states
}

// state is a copy of what is known of a device. m.mu is held.
func (m *Monitor) state(d *device) State {
	now := m.fleet.wall()
	s := State{
		Device: d.Device, Addr: d.addr, Health: d.health, Since: d.since, Reason: d.reason, Seen: m.seen(d),
		Behind: d.hidden, Flapping: d.flapping, Maintenance: d.inMaintenance(now), Checks: make([]CheckState, len(d.checks)),
	}
	for i, c := range d.checks {
		s.Checks[i] = c.snapshot(now, m.now())
		s.Loss = max(s.Loss, c.loss())
		if s.RTT == 0 {
			s.RTT = c.rtt
		}
	}
	return s
}

func (c *check) snapshot(wall time.Time, now time.Duration) CheckState {
	s := CheckState{Name: c.name, Health: muster.HealthUnknown, RTT: c.rtt}
	switch v := c.says(c.of.rules()); {
	case v == failing:
		s.Health = muster.HealthDown
	case v == well && c.lossy:
		s.Health = muster.HealthDegraded
	case v == well:
		s.Health = muster.HealthUp
	}
	s.Known, s.Lost, s.Late = c.lost(c.of.Loss.Of)
	if c.at != 0 {
		s.At, s.Outcome = wall.Add(c.at-now), c.last()
	}
	return s
}

// last is the last outcome.
func (c *check) last() muster.Outcome {
	if c.outcome != nil {
		return *c.outcome
	}
	o := muster.Outcome{Probe: icmp, Up: c.err == nil}
	if o.Up {
		o.RTT, o.Detail = c.rtt, c.of.addr.String()
		return o
	}
	o.Failure = &muster.Failure{Device: c.of.addr.String(), Stage: muster.StageConnect, Code: codeOf(c.err), Err: c.err, Attempts: 1}
	return o
}

// Lost counts what this machine could not keep up with.
type Lost struct {
	Samples     int `json:"samples"`     // that the store did not take, or not soon enough
	Transitions int `json:"transitions"` // that were not saved
	Events      int `json:"events"`      // quiet ones that were not published
}

// Stats accounts for a Monitor.
type Stats struct {
	Health  map[muster.Health]int `json:"health"` // devices
	Cut     bool                  `json:"cut"`    // it is this machine that cannot be heard
	Ping    ping.Stats            `json:"ping"`
	Probes  int                   `json:"probes"`  // other than pings
	Skipped int                   `json:"skipped"` // of these, because too many others ran
	Lost    Lost                  `json:"lost"`
}

// Stats says what was done so far.
func (m *Monitor) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Stats{Health: map[muster.Health]int{}, Cut: m.fleet.cut, Ping: m.plan.Stats(), Probes: m.probes, Skipped: m.skipped, Lost: m.lost}
	s.Lost.Samples += m.samples.dropped
	for _, d := range m.fleet.devices {
		s.Health[d.health]++
	}
	return s
}

func (m *Monitor) count(f func(*Lost)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.lost)
}
