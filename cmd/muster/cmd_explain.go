package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
)

func (p *program) explainCommand() *cobra.Command {
	var names []string
	for _, code := range muster.Codes() {
		names = append(names, code.Name)
	}
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain a failure code: what happened and what to try",
		Long:  `Explain a failure code: what happened and what to try. Without a code, list them all.`,
		Example: `  muster explain no-common-cipher
  muster explain`,
		Args:      takes(0, 1, "at most one code"),
		ValidArgs: names,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.explainAll(muster.Codes())
			}
			code, ok := muster.LookupCode(args[0])
			if !ok {
				return usage("there is no failure code %q; list them with: muster explain", args[0])
			}
			if p.format != formatTable {
				return p.explainAll([]muster.Code{code})
			}
			return p.print(codePage(code))
		},
	}
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
