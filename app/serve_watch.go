package app

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/schedule"
	"github.com/musternet/muster/store/tsdb"
)

// openWatch makes monitor, rules and schedule of what the settings say.
func (s *server) openWatch(ctx context.Context) error {
	w, err := s.app.watching(ctx)
	if err != nil {
		return err
	}
	s.replace(s.app, w)
	if s.rules, err = alert.New(ctx, alert.Config{
		Rules: w.rules, Sender: s.router, States: s.index, Samples: s.samples, Log: s.log, Parse: tsdb.CheckExpr,
		Devices: func() []muster.Device { return s.current().inv.Devices },
	}); err != nil {
		return usage(err)
	}
	if s.monitor, err = monitor.New(monitor.Config{
		Targets: w.targets, Samples: s.samples, States: s.index, Events: s, Log: s.log,
		Flap: s.app.flap(), Self: s.app.uplink(), Ping: ping.Config{Note: func(text string) { s.log.Warn("ping", "note", text) }},
	}); err != nil {
		return usage(err)
	}
	s.schedule, err = schedule.New(schedule.Config{States: s.index, Log: s.log}, s.entries(w))
	return err
}

// backupEntry is the name of the backups of a group.
func backupEntry(group string) string { return "backup/" + group }

// entries are the backups that come again and again.
func (s *server) entries(w watching) []schedule.Entry {
	var entries []schedule.Entry
	for group, plan := range w.plans {
		entries = append(entries, schedule.Entry{
			Name: backupEntry(group), Plan: plan, Do: func(ctx context.Context) error { return s.backUp(ctx, group) },
		})
	}
	return entries
}

// states are what the monitor knows.
func (s *server) states() []Watched {
	return slices.AppendSeq([]Watched{}, watchedAll(s.monitor))
}

// watched is a state as a face shows it.
func watched(s monitor.State) Watched {
	w := Watched{
		Device: s.Device.Name, Address: s.Device.Address, State: s.Health, Loss: s.Loss, Reason: s.Reason, Probes: map[string]ProbeOutcome{},
	}
	if s.Addr.IsValid() {
		w.Address = s.Addr.String()
	}
	if !s.Since.IsZero() {
		since := s.Since.UTC().Truncate(time.Second)
		w.Since = &since
	}
	w.RTT = microseconds(s.RTT)
	switch {
	case s.Maintenance:
		w.Quiet = "maintenance"
	case s.Flapping:
		w.Quiet = "flapping"
	}
	for _, c := range s.Checks {
		w.Probes[c.Name] = probeOutcome(c)
	}
	return w
}

func probeOutcome(c monitor.CheckState) ProbeOutcome {
	o := ProbeOutcome{State: c.Health, RTT: microseconds(c.RTT), Detail: c.Outcome.Detail}
	if f := c.Outcome.Failure; f != nil {
		o.Code, o.Error = f.Code, f.Err.Error()
	}
	return o
}

func microseconds(d time.Duration) *int64 {
	if d <= 0 {
		return nil
	}
	us := d.Microseconds()
	return &us
}

// ruleStates are the alerts that the rules know, those that do not fire yet too.
func (s *server) ruleStates() []AlertRow {
	rows := []AlertRow{}
	for _, a := range s.rules.Alerts() {
		row := alertRow(muster.Alert{Labels: a.Labels, Annotations: map[string]string{"summary": a.Summary}, Starts: a.Since}, string(a.Phase))
		row.Name, row.Count = a.Rule, strconv.Itoa(a.Count)
		rows = append(rows, row)
	}
	return rows
}
