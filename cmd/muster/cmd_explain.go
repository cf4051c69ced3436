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
		names = append(names, code.Name)
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
			some := slices.DeleteFunc(slices.Clone(all), func(c muster.Code) bool { return c.Name != args[0] })
			if len(some) == 0 {
				return usage("there is no failure code %q; list them with: muster explain", args[0])
			}
			if p.format != formatTable {
				return p.explainAll(some)
			}
			var pages []string
			for _, code := range some {
				pages = append(pages, codePage(code))
			}
			return p.print(strings.Join(pages, "\n"))
		},
	}
}

// explained returns all failure codes: those of devices, and those of Cisco ISE. A few words are of both.
func explained() []muster.Code {
	all := append(muster.Codes(), app.ISECodes()...)
	slices.SortStableFunc(all, func(a, b muster.Code) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// codePage is the page of one code, as docs/reference/failures.md has it.
func codePage(c muster.Code) string {
	return fmt.Sprintf("## %s\n\nWhere: %s.\n\n%s\n\nTry: %s.\n", c.Name, strings.Join(stagesOf(c), ", "), c.Meaning, strings.TrimSuffix(c.Try, "."))
}

func stagesOf(c muster.Code) []string {
	stages := make([]string, len(c.Stages))
	for i, s := range c.Stages {
		stages[i] = string(s)
	}
	return stages
}

// codeRow is one failure code.
type codeRow struct {
	Code    string   `json:"code"`
	Stages  []string `json:"stages"`
	Meaning string   `json:"meaning"`
	Hint    string   `json:"hint"`
}

func (p *program) explainAll(codes []muster.Code) error {
	rows := make([]codeRow, len(codes))
	for i, c := range codes {
		rows[i] = codeRow{c.Name, stagesOf(c), c.Meaning, c.Try}
	}
	return all(p, view[codeRow]{
		columns: []column[codeRow]{
			{head: "CODE", cell: func(r codeRow) string { return r.Code }},
			{head: "MEANING", cell: func(r codeRow) string { return r.Meaning }},
		},
		word: func(r codeRow) string { return r.Code },
	}, rows)
}
