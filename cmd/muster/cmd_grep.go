package main

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) grepCommand() *cobra.Command {
	var every, ignoreCase bool
	c := &cobra.Command{
		Use:   "grep PATTERN [SELECTOR...]",
		Short: "Search the stored configurations",
		Long: `Search the stored configurations for a regular expression (RE2): the latest of each device, or with --all every revision. The
section of the configuration that a line stands in is shown beside it. Exit 3 where nothing matches.`,
		Example: `  muster grep 'ntp server 192\.0\.2\.'
  muster grep --ignore-case 'description .*uplink' core-*
  muster grep telnet -o list | muster run -f - -- show users`,
	}
	sel := p.newSelector(c)
	c.Args = takes(1, -1, "a regular expression")
	c.Flags().BoolVar(&every, "all", false, "search every revision, not the latest alone")
	c.Flags().BoolVar(&ignoreCase, "ignore-case", false, "take capital and small letters for the same (-i is the inventory)")
	c.RunE = func(c *cobra.Command, args []string) error {
		terms, err := sel.terms(args[1:])
		if err != nil {
			return err
		}
		return p.withDevices(c.Context(), terms, func(a *app.App, devices []muster.Device) error {
			matches := a.Grep(c.Context(), devices, args[0], every, ignoreCase)
			return p.grep(c.Context(), matches, every, args[0])
		})
	}
	return c
}

func (p *program) grep(ctx context.Context, matches iter.Seq2[app.Match, error], every bool, pattern string) error {
	out := newOutput(p, grepView(every))
	n := 0
	for m, err := range matches {
		if err != nil {
			return err
		}
		if err := out.add(n, m); err != nil {
			return err
		}
		n++
	}
	if err := out.end(count{n}, ""); err != nil {
		return err
	}
	if n == 0 && ctx.Err() == nil {
		return nothing("no line matches %q", pattern)
	}
	return nil
}

func grepView(every bool) view[app.Match] {
	columns := []column[app.Match]{{head: "DEVICE", cell: func(m app.Match) string { return m.Device }}}
	if every {
		columns = append(columns, column[app.Match]{head: "REVISION", cell: func(m app.Match) string { return shortRevision(m.Revision) }})
	}
	columns = append(columns,
		column[app.Match]{head: "LINE", cell: func(m app.Match) string { return strconv.Itoa(m.Line) }, right: true},
		column[app.Match]{head: "TEXT", cell: func(m app.Match) string { return m.Text }},
		column[app.Match]{head: "IN", cell: func(m app.Match) string { return strings.Join(m.Section, " / ") }},
	)
	return view[app.Match]{columns: columns, word: func(m app.Match) string { return m.Device }}
}
