package storetest

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

var _ store.Watch = (*Watch)(nil)

// Watch keeps the state of what runs for ever in memory. The zero value is empty. Fault, where set, is asked before each
// write and says how it fails.
type Watch struct {
	Fault func(ctx context.Context) error

	mu          sync.Mutex
	healths     map[string]store.Health
	transitions []muster.Transition
	firings     map[[2]string]store.Firing // by rule and key
	schedules   map[string]store.Schedule
}

// change calls f with everything locked, unless the write is to fail.
func (x *Watch) change(ctx context.Context, f func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if x.Fault != nil {
		if err := x.Fault(ctx); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.healths == nil {
		x.healths, x.firings = make(map[string]store.Health), make(map[[2]string]store.Firing)
		x.schedules = make(map[string]store.Schedule)
	}
	f()
	return nil
}

// SaveHealth implements store.Watch.
func (x *Watch) SaveHealth(ctx context.Context, some []store.Health) error {
	return x.change(ctx, func() {
		for _, h := range some {
			h.Recent = bytes.Clone(h.Recent)
			x.healths[h.Device] = h
		}
	})
}

// DropHealth implements store.Watch.
func (x *Watch) DropHealth(ctx context.Context, devices []string) error {
	return x.change(ctx, func() {
		for _, name := range devices {
			delete(x.healths, name)
		}
	})
}

// Healths implements store.Watch.
func (x *Watch) Healths(context.Context) ([]store.Health, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := sorted(x.healths, func(a, b store.Health) int { return cmp.Compare(a.Device, b.Device) })
	for i := range all {
		all[i].Recent = bytes.Clone(all[i].Recent)
	}
	return all, nil
}

// AddTransitions implements store.Watch.
func (x *Watch) AddTransitions(ctx context.Context, some []muster.Transition, forget time.Time) error {
	return x.change(ctx, func() {
		x.transitions = append(x.transitions, some...)
		slices.SortStableFunc(x.transitions, func(a, b muster.Transition) int { return a.Time.Compare(b.Time) })
		x.transitions = slices.DeleteFunc(x.transitions, func(t muster.Transition) bool { return t.Time.Before(forget) })
	})
}

// TransitionsSince implements store.Watch.
func (x *Watch) TransitionsSince(_ context.Context, device string, since time.Time) (some []muster.Transition, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, t := range x.transitions {
		if (device == "" || t.Device == device) && !t.Time.Before(since) {
			some = append(some, t)
		}
	}
	return some, nil
}

// SaveFirings implements store.Watch.
func (x *Watch) SaveFirings(ctx context.Context, some []store.Firing) error {
	return x.change(ctx, func() {
		for _, f := range some {
			if f.State == nil {
				delete(x.firings, [2]string{f.Rule, f.Key})
				continue
			}
			f.State = bytes.Clone(f.State)
			x.firings[[2]string{f.Rule, f.Key}] = f
		}
	})
}

// Firings implements store.Watch.
func (x *Watch) Firings(context.Context) ([]store.Firing, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := sorted(x.firings, func(a, b store.Firing) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key))
	})
	for i := range all {
		all[i].State = bytes.Clone(all[i].State)
	}
	return all, nil
}

// SaveSchedule implements store.Watch.
func (x *Watch) SaveSchedule(ctx context.Context, s store.Schedule) error {
	return x.change(ctx, func() { x.schedules[s.Name] = s })
}

// Schedules implements store.Watch.
func (x *Watch) Schedules(context.Context) ([]store.Schedule, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return sorted(x.schedules, func(a, b store.Schedule) int { return cmp.Compare(a.Name, b.Name) }), nil
}

func sorted[K comparable, V any](m map[K]V, order func(a, b V) int) []V {
	return slices.SortedFunc(maps.Values(m), order)
}
