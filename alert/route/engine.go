package route

import (
	"context"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/musternet/muster/task"
)

// engine is one configuration at work.
type engine struct {
	inhibitor  *inhibit.Inhibitor
	dispatcher *dispatch.Dispatcher
	stage      *finishing
}

// Reload reads the configuration file again and goes on by it. When there is something wrong with it the error matches
// ErrConfig, and the Router goes on by the old one. A Router without a file has nothing to read: see Replace.
func (r *Router) Reload(ctx context.Context) error {
	if r.o.ConfigFile == "" {
		return nil
	}
	return r.reload(ctx, r.o)
}

// Replace goes on by another configuration, with the promises of Reload. Nil: nobody is notified.
func (r *Router) Replace(ctx context.Context, config []byte) error {
	o := r.o
	o.ConfigFile, o.Config = "", config
	return r.reload(ctx, o)
}

// reload waits for the notifications under way, at most the grace: two configurations at work would tell some twice.
func (r *Router) reload(ctx context.Context, o Options) error {
	conf, err := o.load()
	if err != nil {
		return err
	}
	p, err := o.build(conf)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return ErrClosed
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	o.warn(conf)
	r.plan.Store(p)
	r.api.Update(conf, r.mark)
	if r.tasks != nil {
		r.stop()
		r.start()
	}
	return nil
}

// begin puts the configuration to work by tasks of g.
func (r *Router) begin(g *task.Group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks = g
	r.start()
}

func (r *Router) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks = nil
	r.stop()
}

// start is called with the lock. The inhibitor has seen all alerts before the dispatcher routes the first, so that nothing is
// told that is inhibited.
func (r *Router) start() {
	p := r.plan.Load()
	e := &engine{inhibitor: inhibit.NewInhibitor(r.alerts, p.conf.InhibitRules, r.o.Log, noEvents)}
	e.stage = &finishing{grace: r.o.Grace, next: r.pipeline.New(
		p.receivers,
		func() time.Duration { return 0 },
		e.inhibitor,
		r.silencer,
		timeinterval.NewIntervener(p.intervals),
		r.groups,
		r.notifications,
		nil,
	)}
	e.dispatcher = dispatch.NewDispatcher(
		r.alerts, p.routes, e.stage, r.groups,
		func(d time.Duration) time.Duration { return max(d, notify.MinTimeout) },
		tidyGroups, nil, r.o.Log, noEvents, r.metrics,
	)
	begun := time.Now()
	r.tasks.Go("inhibit", func(context.Context) error { e.inhibitor.Run(); return nil })
	e.inhibitor.WaitForLoading()
	r.tasks.Go("dispatch", func(context.Context) error { e.dispatcher.Run(begun); return nil })
	e.dispatcher.WaitForLoading()
	r.engine.Store(e)
}

// stop is called with the lock.
func (r *Router) stop() {
	e := r.engine.Load()
	if e == nil {
		return
	}
	e.inhibitor.Stop()
	e.dispatcher.Stop()
	e.stage.end()
	if r.tasks == nil {
		r.engine.Store(nil)
	}
}

// warn tells what a configuration asks for and does not get, or not as it may be thought.
func (o Options) warn(conf *config.Config) {
	if conf.TracingConfig.Endpoint != "" {
		o.Log.Warn("the configuration of alerting has tracing, which this process does not do")
	}
	dispatch.NewRoute(conf.Route, nil).Walk(func(r *dispatch.Route) {
		if r.RouteOpts.RepeatInterval > retention {
			o.Log.Warn("repeat_interval is longer than notifications are remembered: they will be repeated sooner",
				"route", r.Key(), "repeat_interval", r.RouteOpts.RepeatInterval, "remembered", retention)
		}
		if r.RouteOpts.RepeatInterval < r.RouteOpts.GroupInterval {
			o.Log.Warn("repeat_interval is shorter than group_interval: notifications are repeated with the next group_interval",
				"route", r.Key(), "repeat_interval", r.RouteOpts.RepeatInterval, "group_interval", r.RouteOpts.GroupInterval)
		}
	})
}
