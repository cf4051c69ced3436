package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) monitorCommand() *cobra.Command {
	var once bool
	var interval, timeout span
	var retries int
	c := &cobra.Command{
		Use:   "monitor [SELECTOR...]",
		Short: "Watch whether devices answer",
		Long: `Watch whether devices answer, by ping unless the settings name other probes. On a terminal it is a table that is renewed;
elsewhere a line for each change. A device is down after three probes without an answer and up again after two with one,
unless --retries or the settings say otherwise; the settings' maintenance, parents and uplink hold.

--once asks just as often as a verdict takes and ends: exit 1 unless all are up. Nothing is kept: that is what serve does.`,
		Example: `  muster monitor
  muster monitor @core --interval 1s
  muster monitor --once -o ndjson
  muster monitor -o ndjson | jq 'select(.to == "down")'
  muster monitor report --since 7d`,
	}
	sel := p.newSelector(c)
	f := c.Flags()
	f.BoolVar(&once, "once", false, "ask until there is a verdict of each, print it and end")
	f.Var(&interval, "interval", "time from one probe to the next (default: the settings', or 10s)")
	f.Var(&timeout, "timeout", "how long each probe waits (default: the settings', or 2s)")
	f.IntVar(&retries, "retries", 0, "a device is down after `N` more probes without an answer (default: the settings', or 2)")
	c.RunE = func(c *cobra.Command, args []string) error {
		o := app.MonitorOptions{Interval: interval.duration(), Timeout: timeout.duration(), Retries: -1, Note: func(s string) { p.warn([]string{s}) }}
		if c.Flags().Changed("retries") {
			if o.Retries = retries; retries < 0 {
				return usage("--retries is not negative")
			}
		}
		terms, err := sel.terms(args)
		if err != nil {
			return err
		}
		return p.withDevices(c.Context(), terms, func(a *app.App, devices []muster.Device) error {
			if once {
				return p.monitorOnce(c.Context(), a, devices, o)
			}
			return p.monitor(c.Context(), a, devices, o)
		})
	}
	c.AddCommand(p.monitorReportCommand())
	return c
}

type monitorSummary struct {
	Total    int `json:"total"`
	Up       int `json:"up"`
	Degraded int `json:"degraded"`
	Down     int `json:"down"`
	Unknown  int `json:"unknown"`
}

func (s *monitorSummary) count(h muster.Health) {
	s.Total++
	switch h {
	case muster.HealthUp:
		s.Up++
	case muster.HealthDegraded:
		s.Degraded++
	case muster.HealthDown:
		s.Down++
	default:
		s.Unknown++
	}
}

// String is the sentence below a table.
func (s *monitorSummary) String() string {
	return fmt.Sprintf("%d devices: %d up, %d degraded, %d down, %d unknown.", s.Total, s.Up, s.Degraded, s.Down, s.Unknown)
}

// monitorOnce prints one verdict of each device.
func (p *program) monitorOnce(ctx context.Context, a *app.App, devices []muster.Device, o app.MonitorOptions) error {
	out := newOutput(p, monitorView())
	place := map[string]int{}
	for i, d := range devices {
		place[d.Name] = i
	}
	var sum monitorSummary
	for w, err := range a.MonitorOnce(ctx, devices, o) {
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			return err
		}
		sum.count(w.State)
		if err := out.add(place[w.Device], w); err != nil {
			return err
		}
	}
	if err := out.end(sum, sum.String()); err != nil {
		return err
	}
	return interruptedOr(ctx, sum.Total-sum.Up)
}

// transitionRow is one change of health.
type transitionRow struct {
	Time   time.Time     `json:"time"`
	Device string        `json:"device"` // empty: this machine's way to the network
	From   muster.Health `json:"from"`
	To     muster.Health `json:"to"`
	Reason string        `json:"reason"`
	Quiet  bool          `json:"quiet"` // nobody should be alarmed
}

func newTransitionRow(t muster.Transition) transitionRow {
	return transitionRow{t.Time.UTC().Truncate(time.Millisecond), t.Device, t.From, t.To, t.Reason, t.Quiet}
}

// monitor watches until it is interrupted, which is how it ends.
func (p *program) monitor(ctx context.Context, a *app.App, devices []muster.Device, o app.MonitorOptions) error {
	p.forever = true
	live := p.stdoutTerminal && p.format == formatTable && p.getenv("TERM") != "dumb"
	var failed error
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tell := func(t muster.Transition) {
		if err := p.printTransition(newTransitionRow(t)); err != nil {
			failed = err
			cancel(err)
		}
	}
	var show func([]app.Watched)
	if live {
		tell, show = nil, func(all []app.Watched) {
			if err := p.showMonitor(all); err != nil {
				failed = err
				cancel(err)
			}
		}
		defer func() { _ = p.print("\n") }() // the prompt comes below the table
	}
	if p.format != formatTable && p.format != formatNDJSON {
		return usage("monitor goes on for ever: -o is table or ndjson; for the others add --once")
	}
	err := a.Monitor(ctx, devices, o, tell, show)
	if ctx.Err() != nil {
		return failed
	}
	return err
}

// printTransition prints one change: an object, or a line for people.
func (p *program) printTransition(r transitionRow) error {
	if p.format == formatNDJSON {
		object, err := encodeJSON(r, "")
		if err != nil {
			return err
		}
		return p.print(string(object) + "\n")
	}
	name := r.Device
	if name == "" {
		name = "(this machine)"
	}
	words := compact(r.Time.Local().Format("15:04:05"), name, strings.ToUpper(string(r.To)), "was "+string(r.From), r.Reason)
	if r.Quiet {
		words = append(words, "(quiet)")
	}
	return p.print(visible(strings.Join(words, "  ")) + "\n")
}

// Escape sequences of a table that is renewed in place. Lines that are too long are cut by the terminal, which knows best
// how wide it is and how wide characters are.
const (
	homeScreen = "\x1b[H\x1b[?7l"
	eraseToEnd = "\x1b[K"
	eraseBelow = "\x1b[J\x1b[?7h"
)

// rowsBeside is how many rows of a screen are not for devices: the headings, how many are not shown, the sentence.
const rowsBeside = 3

// showMonitor renews the table on the terminal: as many devices as it has room for, those that are wrong first.
func (p *program) showMonitor(all []app.Watched) error {
	var sum monitorSummary
	for _, w := range all {
		sum.count(w.State)
	}
	slices.SortStableFunc(all, func(a, b app.Watched) int { return urgency(b.State) - urgency(a.State) })
	var b strings.Builder
	shown := all[:min(len(all), max(p.screenRows()-rowsBeside, 1))]
	if err := monitorView().table(&b, shown, p.colour); err != nil {
		return err
	}
	if more := len(all) - len(shown); more > 0 {
		fmt.Fprintf(&b, "... and %d more\n", more)
	}
	fmt.Fprintf(&b, "%s  %s", time.Now().Format("15:04:05"), sum.String())
	return p.print(homeScreen + strings.ReplaceAll(b.String(), "\n", eraseToEnd+"\n") + eraseToEnd + eraseBelow)
}

// screenRows is how many rows the terminal has now: people change that.
func (p *program) screenRows() int {
	fd, _ := terminalOf(p.stdout)
	_, rows, err := term.GetSize(fd)
	if err != nil || rows <= 0 {
		return 24
	}
	return rows
}

// urgency says which states a person wants to see first.
func urgency(h muster.Health) int {
	return slices.Index([]muster.Health{muster.HealthUp, muster.HealthUnknown, muster.HealthDegraded, muster.HealthDown}, h)
}

func monitorView() view[app.Watched] {
	return view[app.Watched]{
		columns: []column[app.Watched]{
			{head: "DEVICE", cell: func(w app.Watched) string { return w.Device }},
			{head: "ADDRESS", cell: func(w app.Watched) string { return w.Address }},
			{head: "STATE", cell: func(w app.Watched) string { return string(w.State) }, tone: func(w app.Watched) tone {
				return map[muster.Health]tone{muster.HealthUp: good, muster.HealthDegraded: changed, muster.HealthDown: bad}[w.State]
			}},
			{head: "RTT", cell: func(w app.Watched) string { return milliseconds(w.RTT) }, right: true},
			{head: "LOSS", cell: func(w app.Watched) string { return strconv.FormatFloat(100*w.Loss, 'f', 0, 64) + "%" }, right: true},
			{head: "SINCE", cell: func(w app.Watched) string { return clock(w.Since) }},
			{head: "REASON", cell: func(w app.Watched) string { return strings.Join(compact(w.Reason, w.Quiet), "  ") }},
		},
		word: func(w app.Watched) string { return w.Device },
	}
}

func (p *program) monitorReportCommand() *cobra.Command {
	since := span(7 * day)
	c := &cobra.Command{
		Use:   "report [SELECTOR...]",
		Short: "Tell how available devices were, and how fast",
		Long:  `Tell how devices fared, by what muster serve has measured: availability, median and 95th percentile of the round trip, how often they went down.`,
		Example: `  muster monitor report
  muster monitor report @core --since 30d -o csv`,
	}
	sel := p.newSelector(c)
	c.Flags().Var(&since, "since", "the period up to now")
	c.RunE = func(c *cobra.Command, args []string) error {
		terms, err := sel.terms(args)
		if err != nil {
			return err
		}
		return p.withDevices(c.Context(), terms, func(a *app.App, devices []muster.Device) error {
			rows, err := a.Report(c.Context(), devices, since.duration())
			if err != nil {
				return err
			}
			return all(p, reportView(), rows)
		})
	}
	return c
}

func reportView() view[app.Report] {
	return view[app.Report]{
		columns: []column[app.Report]{
			{head: "DEVICE", cell: func(r app.Report) string { return r.Device }},
			{head: "AVAILABLE", cell: func(r app.Report) string {
				if r.Availability == nil {
					return "-"
				}
				return strconv.FormatFloat(100**r.Availability, 'f', 3, 64) + "%"
			}, right: true},
			{head: "MEDIAN", cell: func(r app.Report) string { return milliseconds(r.Median) }, right: true},
			{head: "P95", cell: func(r app.Report) string { return milliseconds(r.P95) }, right: true},
			{head: "DOWN", cell: func(r app.Report) string { return strconv.Itoa(r.Downs) }, right: true},
		},
		word: func(r app.Report) string { return r.Device },
	}
}

// milliseconds are microseconds as people read them: 0.05 ms.
func milliseconds(us *int64) string {
	if us == nil {
		return "-"
	}
	return strconv.FormatFloat(float64(*us)/1000, 'f', 2, 64) + " ms"
}
