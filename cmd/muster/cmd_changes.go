package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
)

func (p *program) changesCommand() *cobra.Command {
	since := span(day)
	c := &cobra.Command{
		Use:   "changes",
		Short: "Show every difference of the last day, made to be mailed",
		Long:  `Show every difference since then, oldest first, of all devices. It prints nothing where nothing changed, so that cron sends no mail.`,
		Example: `  muster changes
  muster changes --since 7d
  muster changes --since 24h -o list   the devices that changed`,
		Args: takes(0, 0, "no argument"),
	}
	c.Flags().Var(&since, "since", "how far back: 90m, 24h, 7d, 2w")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return p.with(c.Context(), func(a *app.App) error {
			var rows []diffRow
			for d, err := range a.Changes(c.Context(), time.Now().Add(-since.duration())) {
				if err != nil {
					return err
				}
				if d.Unified != "" {
					rows = append(rows, newDiffRow(d))
				}
			}
			if len(rows) == 0 && p.stdoutTerminal {
				p.hint("no change in the last %s", shortDuration(since.duration()))
			}
			return p.diffs(rows)
		})
	}
	return c
}
