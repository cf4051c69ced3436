package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
)

func (p *program) iseEndpointCommand(o *app.ISEOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "endpoint",
		Short: "Add and remove endpoints",
		Example: `  muster ise endpoint add AA:BB:CC:00:11:22 --group Printers
  muster ise endpoint rm AA:BB:CC:00:11:22`,
		Args: cobra.ArbitraryArgs,
		RunE: groupHelp,
	}
	c.AddCommand(p.iseAddCommand(o), p.iseRmCommand(o))
	return c
}

func (p *program) iseAddCommand(o *app.ISEOptions) *cobra.Command {
	var group, description string
	var dryRun bool
	c := &cobra.Command{
		Use:   "add MAC",
		Short: "Add an endpoint and print its id",
		Long: `Add an endpoint and print its id. One that is there already is the failure already-exists. After an answer that was lost it is looked up,
and never made twice.`,
		Example: `  muster ise endpoint add AA:BB:CC:00:11:22 --group Printers
  muster ise endpoint add aabb.cc00.1122 --group Printers`,
		Args: takes(1, 1, "one MAC address; for many: muster ise import"),
	}
	c.Flags().StringVar(&group, "group", "", "the endpoint group, by its `NAME|ID` (default: what ISE's profiling finds)")
	c.Flags().StringVar(&description, "description", "", "`TEXT` that says what it is")
	dryRunFlag(c, &dryRun)
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.withISE(o, func(i *app.ISE) error {
			row, err := i.Add(c.Context(), args[0], group, description, dryRun)
			if err != nil {
				return err
			}
			if p.format != formatTable || dryRun && row.Err == nil {
				if err := all(p, iseChangeView(), []app.ISEChange{row}); err != nil {
					return err
				}
				return row.Err
			}
			if row.Err == nil {
				return p.print(*row.ID + "\n")
			}
			return row.Err
		})
	}
	return c
}

func (p *program) iseRmCommand(o *app.ISEOptions) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:     "rm MAC|ID...",
		Short:   "Remove endpoints",
		Example: "  muster ise endpoint rm AA:BB:CC:00:11:22",
		Args:    takes(1, -1, "MAC addresses or ids"),
	}
	dryRunFlag(c, &dryRun)
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.withISE(o, func(i *app.ISE) error {
			rows := i.Remove(c.Context(), args, dryRun)
			if err := all(p, iseChangeView(), rows); err != nil {
				return err
			}
			sum := iseSummaryOf(rows)
			return interruptedOr(c.Context(), sum.Failed)
		})
	}
	return c
}

func (p *program) iseImportCommand(o *app.ISEOptions) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Add and change endpoints by a list",
		Long: `Add and change endpoints by a list: CSV with a header of which mac is needed, and group, description and static are known. What is
in ISE already is compared: it is changed where the list says something else, an empty cell says nothing, and nothing is removed. A group is
given for good, unless static says false: then ISE's profiling found it, and a new endpoint is left to that. A row that is wrong is told by
its line, and the rest goes on. An import that was interrupted is simply run again.`,
		Example: `  muster ise import endpoints.csv --dry-run
  muster ise import endpoints.csv
  muster ise endpoints ls --full -o csv > endpoints.csv`,
		Args: takes(1, 1, "one file; - is standard input"),
	}
	dryRunFlag(c, &dryRun)
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.withISE(o, func(i *app.ISE) error { return p.iseImport(c.Context(), i, args[0], dryRun) })
	}
	return c
}

// iseImportSummary is the end of an import.
type iseImportSummary struct {
	Total   int `json:"total"`
	New     int `json:"new"`
	Changed int `json:"changed"`
	Same    int `json:"same"`
	Bad     int `json:"bad"`
	Failed  int `json:"failed"`
}

func (s *iseImportSummary) add(c app.ISEChange) {
	s.Total++
	switch c.Status {
	case app.ISENew:
		s.New++
	case app.ISEChanged:
		s.Changed++
	case app.ISESame:
		s.Same++
	case app.ISEBad:
		s.Bad++
	case app.ISEFailed:
		s.Failed++
	}
}

func iseSummaryOf(rows []app.ISEChange) iseImportSummary {
	var s iseImportSummary
	for _, row := range rows {
		s.add(row)
	}
	return s
}

func (p *program) iseImport(ctx context.Context, i *app.ISE, file string, dryRun bool) error {
	var done, planned atomic.Int64
	line := func(time.Time) string {
		if planned.Load() == 0 {
			return " compares with ISE"
		}
		return fmt.Sprintf(" %d/%d", done.Load(), planned.Load())
	}
	out := newOutput(p, iseChangeView())
	var sum iseImportSummary
	told := func(n int, c app.ISEChange) error {
		done.Add(1)
		sum.add(c)
		return out.add(n, c)
	}
	err := p.showing(ctx, line, func(ctx context.Context) error {
		changes, err := i.PlanImport(ctx, file, p.stdin)
		if err != nil {
			return err
		}
		planned.Store(int64(len(changes)))
		if !dryRun {
			return i.Apply(ctx, changes, told)
		}
		for n, c := range changes {
			if err := told(n, c); err != nil {
				return err
			}
		}
		return nil
	})
	if planned.Load() == 0 && err != nil {
		return err
	}
	foot := fmt.Sprintf("%d new, %d changed, %d same, %d bad, %d failed.", sum.New, sum.Changed, sum.Same, sum.Bad, sum.Failed)
	if dryRun {
		foot += " Nothing was changed: it is a dry run."
	}
	if ended := out.end(sum, foot); ended != nil {
		return ended
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	return interruptedOr(ctx, sum.Bad+sum.Failed)
}

func iseChangeView() view[app.ISEChange] {
	wrong := func(c app.ISEChange) bool { return c.Error != "" }
	return view[app.ISEChange]{
		bare:  true,
		shown: func(c app.ISEChange) bool { return c.Status != app.ISESame },
		columns: []column[app.ISEChange]{
			{cell: func(c app.ISEChange) string { return strings.ToUpper(c.Status) }, tone: func(c app.ISEChange) tone {
				return map[string]tone{app.ISEBad: bad, app.ISEFailed: bad, app.ISEChanged: changed}[c.Status]
			}},
			{cell: func(c app.ISEChange) string { return orDash(c.MAC) }},
		},
		tails: []tail[app.ISEChange]{
			{of: wrong, columns: []column[app.ISEChange]{
				{cell: func(c app.ISEChange) string { return c.Code }},
				{cell: func(c app.ISEChange) string { return strings.Join(compact(c.Place, c.Error), ": ") }},
			}},
			{of: func(c app.ISEChange) bool { return !wrong(c) }, columns: []column[app.ISEChange]{
				{cell: func(c app.ISEChange) string {
					if len(c.Changes) > 0 {
						return strings.Join(c.Changes, ", ")
					}
					return deref(c.Group)
				}},
				{cell: func(c app.ISEChange) string {
					if c.Description == nil {
						return ""
					}
					return *c.Description
				}},
			}},
		},
		word: func(c app.ISEChange) string { return c.MAC },
	}
}
