package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
)

func (p *program) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status [SELECTOR...]",
		Short: "Show the age of the last good backup of each device",
		Long: `Show the age of the last good backup of each device. Exit 1 if one has none, or one that is older than --max-age, or
if a row of the inventory is wrong: for cron and for people.`,
		Example: `  muster status
  muster status --max-age 26h -q || echo "some backups are old"
  muster status @stale`,
	}
	sel := p.newSelector(c)
	c.Flags().Lookup("max-age").Usage = "how old a good backup may be"
	c.RunE = func(c *cobra.Command, args []string) error {
		terms, err := sel.terms(args)
		if err != nil {
			return err
		}
		return p.withSelection(c.Context(), terms, func(a *app.App, s app.Selection) error {
			if s.Shrunk != nil {
				p.warn([]string{s.Shrunk.Error()})
			}
			states, err := a.Status(c.Context(), s.Devices, p.maxAge.duration())
			if err != nil {
				return err
			}
			return p.status(states, p.maxAge.duration(), s.Bad)
		})
	}
	return c
}

// status prints the states; bad rows of the inventory are devices whose state nobody knows.
func (p *program) status(states []app.State, maxAge time.Duration, bad int) error {
	out := newOutput(p, statusView())
	sum := statusSummary{Total: len(states)}
	for i, s := range states {
		if s.Stale {
			sum.Stale++
		}
		if err := out.add(i, newStatusRow(s)); err != nil {
			return err
		}
	}
	foot := fmt.Sprintf("%d of %d devices backed up in the last %s.", sum.Total, sum.Total, shortDuration(maxAge))
	if sum.Stale > 0 {
		foot = fmt.Sprintf("%d of %d devices without a good backup of the last %s.", sum.Stale, sum.Total, shortDuration(maxAge))
	}
	if err := out.end(sum, foot+badRows(bad)); err != nil {
		return err
	}
	if sum.Stale+bad > 0 {
		return errSomeFailed
	}
	return nil
}

type statusSummary struct {
	Total int `json:"total"`
	Stale int `json:"stale"`
}

// statusRow is the state of one device.
type statusRow struct {
	Device   string     `json:"device"`
	Address  string     `json:"address"`
	Platform string     `json:"platform"`
	Group    string     `json:"group"`
	LastGood *time.Time `json:"last_good"`
	AgeMS    *int64     `json:"age_ms"`
	Stale    bool       `json:"stale"`
	Status   string     `json:"status"` // of the last try; empty: none was made
	Revision string     `json:"revision"`
	failureFields
}

func newStatusRow(s app.State) statusRow {
	row := statusRow{
		Device:        s.Device.Name,
		Address:       s.Device.Address,
		Platform:      s.Device.Platform,
		Group:         s.Device.GroupName(),
		LastGood:      stamp(s.Known.LastGood),
		Stale:         s.Stale,
		Status:        string(s.Known.LastStatus),
		Revision:      s.Known.Revision,
		failureFields: fieldsOfFailure(s.Known.Failure),
	}
	if s.Age >= 0 {
		ms := s.Age.Milliseconds()
		row.AgeMS = &ms
	}
	return row
}

// age is the age of the last good backup as people say it.
func (r statusRow) age() string {
	if r.AgeMS == nil {
		return "never"
	}
	return shortDuration((time.Duration(*r.AgeMS) * time.Millisecond).Truncate(time.Second))
}

func statusView() view[statusRow] {
	return view[statusRow]{
		columns: []column[statusRow]{
			{head: "DEVICE", cell: func(r statusRow) string { return r.Device }},
			{head: "AGE", cell: statusRow.age, right: true, tone: func(r statusRow) tone {
				if r.Stale {
					return bad
				}
				return good
			}},
			{head: "LAST GOOD", cell: func(r statusRow) string { return clock(r.LastGood) }},
			{head: "REVISION", cell: func(r statusRow) string { return orDash(shortRevision(r.Revision)) }},
			{head: "PLATFORM", cell: func(r statusRow) string { return orDash(r.Platform) }},
			{head: "LAST TRY", cell: func(r statusRow) string {
				switch r.Code {
				case "":
				case r.Stage:
					return r.Code // canceled
				default:
					return r.Stage + " " + r.Code
				}
				return orDash(r.Status)
			}},
		},
		word: func(r statusRow) string { return r.Device },
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
