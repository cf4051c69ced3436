package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
)

func (p *program) initCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a commented settings file and make the data directory",
		Long:  `Write a commented settings file and make the data directory. What is there already is never overwritten.`,
		Example: `  muster init --dry-run
  muster init --config ./muster.yaml --data-dir ./data`,
		Args: takes(0, 0, "no argument; --config and --data-dir say where"),
	}
	dryRunFlag(c, &dryRun)
	c.RunE = func(c *cobra.Command, _ []string) error {
		made, err := app.Init(c.Context(), p.options(), dryRun)
		if err != nil {
			return err
		}
		rows := make([]madeRow, len(made))
		for i, path := range made {
			rows[i] = madeRow{path, dryRun}
		}
		if err := all(p, madeView(), rows); err != nil {
			return err
		}
		if !dryRun {
			p.hint("Next: name your devices in %s, or one by one with", made[0])
			p.dataDir = "" // it stands in the settings now
			for _, command := range []string{"device add NAME --address ADDRESS", "settings check", "backup"} {
				p.hint("  muster %s", strings.TrimPrefix(p.again(command), " muster "))
			}
		}
		return nil
	}
	return c
}

// madeRow is one file that init made.
type madeRow struct {
	Path   string `json:"path"`
	DryRun bool   `json:"dry_run"`
}

func madeView() view[madeRow] {
	return view[madeRow]{
		bare: true,
		columns: []column[madeRow]{
			{cell: func(r madeRow) string {
				if r.DryRun {
					return "would make"
				}
				return "made"
			}},
			{cell: func(r madeRow) string { return r.Path }},
		},
		word: func(r madeRow) string { return r.Path },
	}
}

// again is a command line that works where this one did: with the same settings, data directory, inventory and login.
func (p *program) again(command string) string {
	words := []string{" muster", command}
	if p.settings != "" {
		words = append(words, "--config", quoted(p.settings))
	}
	if p.dataDir != "" {
		words = append(words, "--data-dir", quoted(p.dataDir))
	}
	for _, i := range p.inventory {
		words = append(words, "-i", quoted(i))
	}
	if p.user != "" {
		words = append(words, "--user", quoted(p.user))
	}
	if p.legacy {
		words = append(words, "--legacy-crypto")
	}
	if p.askPass {
		words = append(words, "--ask-pass")
	}
	return strings.Join(words, " ")
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	plain := strings.IndexFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./,:@%+=", r))
	}) < 0
	if plain && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
