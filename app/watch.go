package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/probe"
	"github.com/musternet/muster/schedule"
	"github.com/musternet/muster/store/tsdb"
)

// What the settings are checked by; none of it looks at a file.

func checkPlan(text string) error {
	_, err := schedule.Parse(text)
	return err
}

func probeNames() []string {
	var names []string
	for _, k := range probe.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

func checkProbe(p settings.Probe) (field string, err error) {
	p.CAFile = ""
	_, err = probe.New(p.Kind, probeOptions(p))
	return "", err
}

func ruleNames() []string {
	var names []string
	for _, k := range alert.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

func checkRule(r settings.Rule) (field string, err error) {
	if r.When == kindLog {
		made, err := logRule(r)
		if err == nil {
			err = logwatch.Check([]logwatch.Rule{made})
		}
		if err != nil {
			return "", ruleCause(err)
		}
	}
	err = alert.Check([]alert.Rule{ruleOf(r)}, tsdb.CheckExpr)
	if wrong, ok := errors.AsType[*alert.RuleError](err); ok {
		err = wrong.Err
	}
	return "", err
}

// watching is what the settings and the inventory say of what runs for ever.
type watching struct {
	devices []muster.Device
	targets []monitor.Target
	rules   []alert.Rule
	logs    []logwatch.Rule
	plans   map[string]schedule.Plan // by group
}

// watching reads the settings and the inventory.
func (a *App) watching(ctx context.Context) (w watching, err error) {
	w.devices = a.inv.Devices
	if w.targets, err = a.targets(ctx, w.devices, false); err != nil {
		return w, err
	}
	if w.rules, err = a.rules(ctx); err != nil {
		return w, err
	}
	if w.logs, err = a.logRules(ctx); err != nil {
		return w, err
	}
	w.plans, err = a.plans(w.devices)
	return w, err
}

// plans say when the groups of some devices are backed up.
func (a *App) plans(devices []muster.Device) (map[string]schedule.Plan, error) {
	plans := map[string]schedule.Plan{}
	for _, d := range devices {
		group := d.GroupName()
		if _, done := plans[group]; done {
			continue
		}
		b := a.settings.BackupFor(group)
		text := b.Cron
		if text == "" {
			text = time.Duration(b.Every).String()
		}
		if b.Every == settings.Off {
			continue
		}
		plan, err := schedule.Parse(text)
		if err != nil {
			return nil, usage(fmt.Errorf("backups of group %s: %w", group, err))
		}
		plan.Jitter, plan.Zone = time.Duration(*b.Jitter), b.Timezone.Location()
		plans[group] = plan
	}
	return plans, nil
}

// targets says how devices are watched; with named also those that the settings do not watch.
func (a *App) targets(ctx context.Context, devices []muster.Device, named bool) ([]monitor.Target, error) {
	var targets []monitor.Target
	windows := map[string]func(muster.Device) []monitor.Window{} // by group
	for _, d := range devices {
		w := a.settings.MonitorFor(d.Group)
		if w.Off && !named {
			continue
		}
		group := d.GroupName()
		if windows[group] == nil {
			var err error
			if windows[group], err = a.windows(ctx, w.Maintenance); err != nil {
				return nil, err
			}
		}
		targets = append(targets, monitor.Target{
			Device: d, Probes: checks(d, w.Probes), Interval: time.Duration(w.Interval), Timeout: time.Duration(w.Timeout),
			Down: rule(w.Down), Up: rule(w.Up), Loss: rule(w.Loss), Parents: d.Parents, Maintenance: windows[group](d),
		})
	}
	return targets, nil
}

func rule(o settings.Of) monitor.Rule { return monitor.Rule{N: o.N, Of: o.M} }

// checks are what a device is asked. The port of its SSH is its own.
func checks(d muster.Device, probes []settings.Probe) []monitor.Check {
	var checks []monitor.Check
	for _, p := range probes {
		c := monitor.Check{Name: p.As, Kind: p.Kind, Port: p.Port, Options: probeOptions(p)}
		if c.Kind == "ssh" && c.Port == 0 && d.Port != 0 && d.Transport != "telnet" {
			c.Name, c.Port = "ssh", d.Port
		}
		checks = append(checks, c)
	}
	return checks
}

func probeOptions(p settings.Probe) probe.Options {
	return probe.Options{
		HTTP: probe.HTTP{Path: p.Path, Status: p.Status, Body: p.Body, Redirects: p.Redirects, CAFile: p.CAFile, Insecure: p.Insecure},
		DNS:  probe.DNS{Name: p.Name, Type: p.Type, Answer: p.Answer},
	}
}

// windows returns what tells the times of maintenance of a device.
func (a *App) windows(ctx context.Context, all []settings.Window) (func(muster.Device) []monitor.Window, error) {
	picks := make([]func(muster.Device) bool, len(all))
	for i, w := range all {
		var err error
		if picks[i], err = a.picker(ctx, w.Select); err != nil {
			return nil, usage(fmt.Errorf("maintenance %s: %w", w.Name, err))
		}
	}
	return func(d muster.Device) []monitor.Window {
		var own []monitor.Window
		for i, w := range all {
			if picks[i] == nil || picks[i](d) {
				own = append(own, window(w))
			}
		}
		return own
	}, nil
}

func window(w settings.Window) monitor.Window {
	out := monitor.Window{From: w.From.At, To: w.To.At, Start: w.From.Clock, End: w.To.Clock, Location: w.Timezone.Location()}
	for _, d := range w.Days {
		out.Days = append(out.Days, time.Weekday(d))
	}
	return out
}

// picker tells whether a device is one of those that selectors choose now; nil: all are.
func (a *App) picker(ctx context.Context, terms []string) (func(muster.Device) bool, error) {
	if len(terms) == 0 {
		return nil, nil
	}
	none := func(context.Context) ([]string, error) { return nil, nil }
	picked, err := a.inv.Select(ctx, terms, inventory.Outside{Failed: none, Stale: none})
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(picked.Devices))
	for _, d := range picked.Devices {
		names[d.Name] = true
	}
	return func(d muster.Device) bool { return names[d.Name] }, nil
}

// rules are those of the settings, and of the shipped ones those whose name no other rule has.
func (a *App) rules(ctx context.Context) ([]alert.Rule, error) {
	var all []alert.Rule
	for _, r := range a.settings.Alerts.Rules {
		made, err := a.rule(ctx, r)
		if err != nil {
			return nil, usage(fmt.Errorf("alert rule %s: %w", r.Name, err))
		}
		all = append(all, made)
	}
	if !a.settings.Alerts.Shipped() {
		return all, nil
	}
	for _, d := range alert.Defaults() {
		if !slices.ContainsFunc(all, func(r alert.Rule) bool { return r.Name == d.Name }) {
			all = append(all, d)
		}
	}
	return all, nil
}

func (a *App) rule(ctx context.Context, r settings.Rule) (alert.Rule, error) {
	pick, err := a.picker(ctx, r.Select)
	made := ruleOf(r)
	made.Select = pick
	return made, err
}

// ruleOf is a rule of the settings but for the devices that it is about.
func ruleOf(r settings.Rule) alert.Rule {
	if r.When == kindLog { // which messages it is about is package logwatch's to know
		return alert.Rule{
			Name: r.Name, Kind: r.When, Labels: r.Labels, Summary: r.Summary, Description: r.Description, Keep: time.Duration(r.Keep),
		}
	}
	return alert.Rule{
		Name: r.Name, Kind: r.When, For: time.Duration(r.For), Labels: r.Labels, Summary: r.Summary,
		Description: r.Description, States: r.Healths(), Count: r.Count, Share: float64(r.Share) / 100, Least: r.Least, By: r.By,
		Expr: r.Expr, Every: time.Duration(r.Every), Event: muster.EventKind(r.Event), Match: r.Match, Keep: time.Duration(r.Keep),
	}
}
