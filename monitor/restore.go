package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// againFor is how long before the last change of all transitions are published again at a start.
const againFor = 10 * time.Second

// restore goes on with what was known when the last run ended, however it ended.
func (m *Monitor) restore(ctx context.Context) error {
	if m.cfg.States == nil {
		return nil
	}
	known, err := m.cfg.States.Healths(ctx)
	if err != nil {
		return fmt.Errorf("monitor: read what was known: %w", err)
	}
	last := m.restoreAll(known)
	if m.cfg.Events == nil || last.IsZero() {
		return nil
	}
	transitions, err := m.cfg.States.TransitionsSince(ctx, "", last.Add(-againFor))
	if err != nil {
		return fmt.Errorf("monitor: read the last transitions: %w", err)
	}
	return m.publishAgain(ctx, transitions)
}

func (m *Monitor) restoreAll(known []store.Health) (last time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range known {
		if h.Since.After(last) {
			last = h.Since
		}
		if h.Device == "" {
			m.fleet.cut, m.fleet.cutReason, m.fleet.cutSince = h.State == muster.HealthDown, h.Reason, h.Since
			m.fleet.cutAt = m.now()
		} else if d := m.fleet.byName[h.Device]; d != nil {
			m.restoreDevice(d, h)
		}
	}
	return last
}

// restoreDevice goes on with one device. What it stands on counts only if it is not from long ago.
func (m *Monitor) restoreDevice(d *device, h store.Health) {
	var recent memory
	if err := json.Unmarshal(h.Recent, &recent); len(h.Recent) > 0 && err != nil {
		m.cfg.Log.Warn("what was known is not readable", "device", h.Device, "err", err)
	}
	d.health, d.since, d.reason, d.seen = h.State, h.Since, h.Reason, h.Seen
	d.told, d.hidden, d.flapping = recent.Told, recent.Hidden, h.Flapping
	m.fleet.setSettled(d, recent.Settled)
	now := m.now()
	if d.flapping {
		d.flips = []time.Duration{now}
	}
	if d.flapping || d.told != d.health {
		m.fleet.restless[d] = true
	}
	age := m.fleet.wall().Sub(h.Seen)
	stale := age > time.Duration(d.Down.N+2)*d.Interval+seenEvery
	for _, c := range d.checks {
		if i := slices.IndexFunc(recent.Checks, func(m memo) bool { return m.Name == c.name }); i >= 0 {
			c.restore(recent.Checks[i], stale, now)
		}
	}
}

func (c *check) restore(m memo, stale bool, now time.Duration) {
	c.history = history{
		answered: m.Answered, late: m.Late, known: min(m.Known, MaxOf), run: min(m.Run, MaxOf),
		verdict: min(m.Verdict, failing), lossy: m.Lossy, newest: now,
	}
	if stale {
		c.run = 0
	}
}

// publishAgain tells of transitions that the last run may not have come to tell.
func (m *Monitor) publishAgain(ctx context.Context, some []muster.Transition) error {
	var events []muster.Event
	m.mu.Lock()
	for _, t := range some {
		if d := m.fleet.byName[t.Device]; d != nil {
			events = append(events, event(t, d.Device))
		} else if t.Device == "" {
			events = append(events, event(t, muster.Device{}))
		}
	}
	m.mu.Unlock()
	if err := m.cfg.Events.PublishAll(ctx, events); err != nil {
		return fmt.Errorf("monitor: publish the last transitions again: %w", err)
	}
	return nil
}
