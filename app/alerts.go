package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/event"
	"github.com/musternet/muster/logwatch"
)

// RuleRow is a rule as people look at it.
type RuleRow struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Severity string   `json:"severity"`
	ForMS    int64    `json:"for_ms"`
	About    string   `json:"about"` // what it looks at: states, an event, an expression
	Select   []string `json:"select"`
	Shipped  bool     `json:"shipped"`
}

// Rules are the rules that hold.
func (a *App) Rules(ctx context.Context) ([]RuleRow, error) {
	rules, err := a.rules(ctx)
	if err != nil {
		return nil, err
	}
	logs, err := a.logRules(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]RuleRow, len(rules))
	for i, r := range rules {
		text := about(r)
		for _, l := range logs {
			if l.Name == r.Name {
				text = aboutLog(l)
			}
		}
		rows[i] = RuleRow{
			Name: r.Name, Kind: r.Kind, ForMS: r.For.Milliseconds(), About: text, Select: []string{}, Shipped: true,
			Severity: r.Labels[muster.LabelSeverity],
		}
		if rows[i].Severity == "" {
			rows[i].Severity = alert.DefaultSeverity
		}
		for _, own := range a.settings.Alerts.Rules {
			if own.Name == r.Name {
				rows[i].Shipped, rows[i].Select = false, append(rows[i].Select, own.Select...)
			}
		}
	}
	return rows, nil
}

// about says what a rule looks at.
func about(r alert.Rule) string {
	switch {
	case r.Expr != "":
		return r.Expr
	case r.Event != "":
		return string(r.Event)
	case r.Kind == "uplink":
		return "this machine's way to the network"
	}
	states := r.States
	if len(states) == 0 {
		states = []muster.Health{muster.HealthDown}
	}
	text := fmt.Sprint(states)
	text = text[1 : len(text)-1]
	switch {
	case r.Share > 0:
		return fmt.Sprintf("%.0f%% of at least %d: %s", 100*r.Share, max(1, r.Least), text)
	case r.Count > 1:
		return fmt.Sprintf("%d devices: %s", r.Count, text)
	}
	return text
}

// aboutLog says which messages a rule is about.
func aboutLog(r logwatch.Rule) string {
	var all []string
	add := func(name string, values ...string) {
		if text := strings.Join(values, " or "); text != "" {
			all = append(all, name+" "+text)
		}
	}
	if r.Severity != nil {
		add("severity", r.Severity.String())
	}
	for _, f := range r.Facilities {
		add("facility", f.String())
	}
	add("app", r.Apps...)
	add("mnemonic", r.Mnemonics...)
	add("text", r.Text)
	add("match", r.Match)
	text := strings.Join(all, ", ")
	if r.Count > 1 {
		text = strings.TrimSpace(fmt.Sprintf("%s, %d within %s", text, r.Count, r.Within))
	}
	return text
}

// TestRow is how often a rule would have begun to fire.
type TestRow struct {
	Name  string `json:"name"`
	Fired int    `json:"fired"`
}

// TestRules tells how often rules would have begun to fire in a period, by what is stored of it. No name means all.
func (a *App) TestRules(ctx context.Context, names []string, period time.Duration) ([]TestRow, error) {
	rules, err := a.rules(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.ContainsFunc(rules, func(r alert.Rule) bool { return r.Name == name }) {
			return nil, fmt.Errorf("%w: there is no rule %q; list them with: muster alert rules", ErrUsage, name)
		}
	}
	past := alert.Past{To: time.Now(), Devices: a.inv.Devices}
	past.From = past.To.Add(-period)
	index, err := a.watchIndex(ctx)
	if err != nil {
		return nil, err
	}
	defer index.Close()
	if past.Transitions, err = index.TransitionsSince(ctx, "", past.From); err != nil {
		return nil, storeError(err)
	}
	if past.Events, err = eventsSince(ctx, index, past.From); err != nil {
		return nil, storeError(err)
	}
	samples, err := a.samples(ctx)
	if err != nil {
		return nil, err
	}
	defer samples.Close()
	past.Samples = samples
	var rows []TestRow
	for _, r := range rules {
		if len(names) > 0 && !slices.Contains(names, r.Name) || len(names) == 0 && r.Kind == kindLog {
			continue // of all rules those that the log is asked for: muster syslog rules test
		}
		n, err := alert.Replay(ctx, r, past)
		if errors.Is(err, alert.ErrNotReplayed) {
			return rows, usage(err)
		}
		if err != nil {
			return rows, fmt.Errorf("rule %s: %w", r.Name, err)
		}
		rows = append(rows, TestRow{r.Name, n})
	}
	return rows, nil
}

// eventsAtOnce is how many events are read from the journal at once.
const eventsAtOnce = 1000

// eventsSince are the events of the journal since a time but the changes of health.
func eventsSince(ctx context.Context, journal event.Journal, since time.Time) (some []muster.Event, err error) {
	for after := int64(0); ; {
		first, events, err := journal.Since(ctx, after, eventsAtOnce)
		if err != nil || len(events) == 0 {
			return some, err
		}
		for _, e := range events {
			if e.Transition == nil && !e.Time.Before(since) {
				some = append(some, e)
			}
		}
		after = first + int64(len(events)) - 1
	}
}
