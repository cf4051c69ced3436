package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
)

func (p *program) initCommand() *cobra.Command {
	var dryRun bool
	var find initScan
	var source string
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a commented settings file and make the data directory",
		Long: `Write a commented settings file and make the data directory. What is there already is never overwritten.

With --scan PREFIX it finds your devices first: it pings, asks what answers for SSH, asks you once for user and password (or
takes MUSTER_USERNAME and MUSTER_PASSWORD), logs in, finds out the platforms, says what works and why the rest does not, and
writes what works to devices.yaml. All hosts of the prefix that speak SSH get to see the password: name networks that are yours.

With --import it recognises an inventory that you have, of Ansible, Nornir, Oxidized, RANCID or another tool, and writes where and what it is
into the settings: it is read there each time, and nothing is copied out of it.`,
		Example: `  muster init --dry-run
  muster init --config ./muster.yaml --data-dir ./data
  muster init --scan 192.0.2.0/24
  muster init --import /etc/ansible/hosts`,
		Args: takes(0, 0, "no argument; --config and --data-dir say where"),
	}
	dryRunFlag(c, &dryRun)
	find.define(c)
	c.Flags().StringVar(&source, "import", "", "read the devices from `FILE|DIR`, an inventory of whatever kind")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if source != "" && len(find.prefixes) > 0 {
			return usage("--scan and --import are two ways to begin: give one of them")
		}
		if len(find.prefixes) > 0 {
			return p.initByScan(c.Context(), &find, dryRun)
		}
		if err := find.alone(); err != nil {
			return err
		}
		if err := p.initFiles(c.Context(), app.InitOptions{DryRun: dryRun, Import: source}); err != nil || dryRun {
			return err
		}
		if source != "" {
			p.next("device ls", "settings check", "backup")
			return nil
		}
		p.next("device add NAME --address ADDRESS", "settings check", "backup")
		return nil
	}
	return c
}

// initFiles makes the files and says so.
func (p *program) initFiles(ctx context.Context, i app.InitOptions) error {
	made, err := app.Init(ctx, p.options(), i)
	if err != nil {
		return err
	}
	rows := make([]madeRow, len(made))
	for n, path := range made {
		rows[n] = madeRow{path, i.DryRun}
	}
	return all(p, madeView(), rows)
}

// next says what to do after an init.
func (p *program) next(commands ...string) {
	p.hint("Next:")
	p.dataDir = "" // it stands in the settings now
	for _, command := range commands {
		p.hint("  muster %s", strings.TrimPrefix(p.again(command), " muster "))
	}
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
