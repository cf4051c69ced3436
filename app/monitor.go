package app

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/task"
)

// MonitorOptions are the flags of monitor.
type MonitorOptions struct {
	Interval time.Duration // 0: the settings'
	Timeout  time.Duration // 0: the settings'
	Retries  int           // a device is down after so many more probes without an answer; -1: the settings'
	Note     func(string)  // hears what an operator should know; nil: nobody does
}

// monitored are devices as they are watched with these options. A group that the settings do not watch is watched here: a
// person has named its devices.
func (a *App) monitored(ctx context.Context, devices []muster.Device, o MonitorOptions) ([]monitor.Target, error) {
	targets, err := a.targets(ctx, devices, true)
	for i := range targets {
		t := &targets[i]
		if o.Interval > 0 {
			t.Interval = o.Interval
		}
		if o.Timeout > 0 {
			t.Timeout = o.Timeout
		}
		if o.Retries >= 0 {
			t.Down = monitor.Rule{N: o.Retries + 1, Of: o.Retries + 1}
		}
	}
	return targets, err
}

// MonitorOnce asks devices until there is a verdict of each, and yields that with its place among them. The error is not nil
// only once, at the end.
func (a *App) MonitorOnce(ctx context.Context, devices []muster.Device, o MonitorOptions) iter.Seq2[Watched, error] {
	return func(yield func(Watched, error) bool) {
		targets, err := a.monitored(ctx, devices, o)
		if err != nil {
			yield(Watched{}, err)
			return
		}
		for s, err := range monitor.Once(ctx, targets, monitor.Config{Log: a.opts.Log, Ping: ping.Config{Note: o.Note}}) {
			if err != nil {
				yield(Watched{}, a.monitorError(ctx, err))
				return
			}
			if !yield(watched(s), nil) {
				return
			}
		}
	}
}

// monitorError marks what a person can mend by other settings or another command line.
func (a *App) monitorError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return usage(err)
}

// showEvery is how often Monitor shows all states.
const showEvery = time.Second

// Monitor watches devices until ctx ends. tell hears every change of health, show all states again and again; both may be
// nil, and are called by one task at a time. Nothing is kept: that is what serve does.
func (a *App) Monitor(ctx context.Context, devices []muster.Device, o MonitorOptions, tell func(muster.Transition), show func([]Watched)) error {
	targets, err := a.monitored(ctx, devices, o)
	if err != nil {
		return err
	}
	m, err := monitor.New(monitor.Config{
		Targets: targets, Log: a.opts.Log, Events: listener(tell), Ping: ping.Config{Note: o.Note}, Flap: a.flap(), Self: a.uplink(),
	})
	if err != nil {
		return usage(err)
	}
	return task.Scope(ctx, "monitor", func(ctx context.Context, g *task.Group) error {
		g.Go("watch", m.Run)
		for wait := time.Duration(0); pause(ctx, wait); wait = showEvery {
			if show != nil {
				show(slices.Collect(watchedAll(m)))
			}
		}
		return nil
	})
}

// watchedAll are the states of all devices.
func watchedAll(m *monitor.Monitor) iter.Seq[Watched] {
	return func(yield func(Watched) bool) {
		for s := range m.States() {
			if !yield(watched(s)) {
				return
			}
		}
	}
}

// listener hears the transitions among events.
type listener func(muster.Transition)

// PublishAll tells the transitions.
func (l listener) PublishAll(_ context.Context, events []muster.Event) error {
	for _, e := range events {
		if e.Transition != nil && l != nil {
			l(*e.Transition)
		}
	}
	return nil
}

func (a *App) flap() monitor.Flap {
	f := a.settings.Monitor.Flap
	return monitor.Flap{Changes: f.Changes, Within: time.Duration(f.In), Calm: time.Duration(f.Quiet)}
}

func (a *App) uplink() monitor.Uplink {
	u := a.settings.Monitor.Uplink
	return monitor.Uplink{Off: u.Off, AtLeast: u.Least}
}

// errNoSamples says that nothing was ever measured.
var errNoSamples = errors.New("nothing was measured yet")
