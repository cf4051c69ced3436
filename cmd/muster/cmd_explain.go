package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) explainCommand() *cobra.Command {
	all := explained()
	var names []string
	for _, code := range all {
		names = append(names, code.Code)
	}
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain a failure code: what happened and what to try",
		Long:  `Explain a failure code: what happened and what to try. Without a code, list them all.`,
		Example: `  muster explain no-common-cipher
  muster explain`,
		Args:      takes(0, 1, "at most one code"),
		ValidArgs: slices.Compact(names),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.explainAll(all)
			}
			some := slices.DeleteFunc(slices.Clone(all), func(r codeRow) bool { return r.Code != args[0] })
			if len(some) == 0 {
				return usage("there is no failure code %q; list them with: muster explain", args[0])
			}
			if p.format != formatTable {
				return p.explainAll(some)
			}
			var pages []string
			for _, code := range some {
				pages = append(pages, code.page())
			}
			return p.print(strings.Join(pages, "\n"))
		},
	}
}

// codeRow is one failure code.
type codeRow struct {
	Code    string   `json:"code"`
	Stages  []string `json:"stages"`
	Meaning string   `json:"meaning"`
	Hint    string   `json:"hint"`
}

// explained returns all failure codes: those of devices, and those of Cisco ISE, whose stage is ise. A few words are of both.
func explained() []codeRow {
	var rows []codeRow
	for _, c := range muster.Codes() {
		row := codeRow{Code: c.Name, Meaning: c.Meaning, Hint: c.Try}
		for _, s := range c.Stages {
			row.Stages = append(row.Stages, string(s))
		}
		rows = append(rows, row)
	}
	for _, f := range app.ISEFailures() {
		rows = append(rows, codeRow{f.Name, []string{"ise"}, f.Meaning, f.Try})
	}
	slices.SortStableFunc(rows, func(a, b codeRow) int { return strings.Compare(a.Code, b.Code) })
	return rows
}

// page is the page of one code, as docs/reference/failures.md has it.
func (r codeRow) page() string {
	return fmt.Sprintf("## %s\n\nWhere: %s.\n\n%s\n\nTry: %s.\n", r.Code, strings.Join(r.Stages, ", "), r.Meaning, strings.TrimSuffix(r.Hint, "."))
}

func (p *program) explainAll(rows []codeRow) error {
	return all(p, view[codeRow]{
		columns: []column[codeRow]{
			{head: "CODE", cell: func(r codeRow) string { return r.Code }},
			{head: "MEANING", cell: func(r codeRow) string { return r.Meaning }},
		},
		word: func(r codeRow) string { return r.Code },
	}, rows)
}
