package monitor

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/task"
)

const (
	onceInterval = 200 * time.Millisecond
	onceRate     = 20_000 // pings a second, where there are so many targets that this is less
)

// Once asks each target as often as its rules need for a verdict, but in quick succession, and yields its State as soon as
// there is one: each target once. Those behind others come when these have theirs. It heeds neither Samples, States, Events
// nor Self of a Config, and no Targets. What this machine cannot send to one target concerns that target alone: it is unknown,
// with the reason. An error beside a State without Device is about the whole and the last thing that is yielded: a Config or
// a target that makes no sense, the end of ctx.
func Once(ctx context.Context, targets []Target, c Config) iter.Seq2[State, error] {
	return func(yield func(State, error) bool) {
		c.Samples, c.States, c.Events = nil, nil, nil
		m, err := newOnce(targets, c)
		if err != nil {
			yield(State{}, err)
			return
		}
		m.once(ctx, yield)
	}
}

func newOnce(targets []Target, c Config) (*Monitor, error) {
	quick := slices.Clone(targets)
	for i := range quick {
		quick[i].Interval = quick[i].quickly(len(targets))
	}
	c.Targets = nil
	m, err := New(c)
	if err != nil {
		return nil, err
	}
	m.fleet.single = true
	return m, m.Replace(quick)
}

// quickly is the interval in which a target of so many is asked.
func (t Target) quickly(of int) time.Duration {
	longest := t.Timeout
	if longest == 0 {
		longest = ping.DefaultTimeout
	}
	return max(onceInterval, time.Duration(of)*time.Second/onceRate, longest/ping.MaxUnderWay+1)
}

// decide notes that a device has its verdict, once none of its checks is unsure. m.mu is held.
func (m *Monitor) decide(d *device) {
	sure := !slices.ContainsFunc(d.checks, func(c *check) bool { return c.says(d.rules()) == unsure })
	if d.decided || !sure && d.unresolved == nil {
		return
	}
	d.decided = true
	d.reason = d.why(d.health)
	m.plan.Remove(d.Device.Name)
	m.decided = append(m.decided, d)
	nudge(m.told)
}

// once asks until all devices have their verdict.
func (m *Monitor) once(ctx context.Context, yield func(State, error) bool) {
	over := false
	say := func(s State, err error) bool {
		over = over || !yield(s, err)
		return !over
	}
	err := task.Scope(ctx, "once", func(ctx context.Context, g *task.Group) error {
		defer g.Cancel(task.ErrStopped)
		g.Go("ping", m.ping)
		g.Go("probe", m.probe)
		g.Go("resolve", m.resolveOnce)
		return m.verdictsOf(ctx, say)
	})
	if err != nil && !over {
		yield(State{}, fmt.Errorf("monitor: %w", err))
	}
}

// resolveOnce looks up the names. One that has no address has its verdict.
func (m *Monitor) resolveOnce(ctx context.Context) error {
	m.lookUp(ctx, false)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.fleet.devices {
		if !d.addr.IsValid() {
			m.decide(d)
		}
	}
	return nil
}

// verdictsOf yields the verdicts as they come.
func (m *Monitor) verdictsOf(ctx context.Context, say func(State, error) bool) error {
	var down []*device // with parents
	for left := len(m.fleet.devices); left > 0; {
		select {
		case <-m.told:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for _, s := range m.verdicts(&down, &left) {
			if !say(s, nil) {
				return nil
			}
		}
	}
	for _, s := range m.blame(down) {
		if !say(s, nil) {
			return nil
		}
	}
	return nil
}

// verdicts takes what was decided. A device that is down and has parents is put aside.
func (m *Monitor) verdicts(down *[]*device, left *int) (states []State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.decided {
		*left--
		if d.health == muster.HealthDown && len(d.parents) > 0 {
			*down = append(*down, d)
			continue
		}
		states = append(states, m.state(d))
	}
	m.decided = nil
	return states
}

// blame judges the devices that are down together with their parents.
func (m *Monitor) blame(down []*device) (states []State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for again := true; again; {
		again = false
		for _, d := range down {
			if d.hidden == "" && d.silent() && m.fleet.behind(d) {
				d.health, d.reason, again = muster.HealthUnknown, "behind "+d.hidden, true
			}
		}
	}
	for _, d := range down {
		states = append(states, m.state(d))
	}
	return states
}
