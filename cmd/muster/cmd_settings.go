package main

import (
	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
)

func (p *program) settingsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "settings",
		Short:   "Check the settings file, print its schema",
		Example: `  muster settings check`,
		Args:    cobra.ArbitraryArgs,
		RunE:    groupHelp,
	}
	c.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Read the settings and the inventory, and say all that is wrong",
		Long:  `Read the settings and the inventory, and say all that is wrong, with line and column. Exit 2 if something is.`,
		Example: `  muster settings check
  muster settings check --config new.yaml`,
		Args: takes(0, 0, "no argument; --config names the file"),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.findings(app.CheckSettings(c.Context(), p.options()), errSettings)
		},
	})
	c.AddCommand(&cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON schema of muster.yaml, for editors",
		Long:    `Print the JSON schema of muster.yaml. Editors that know it complete keys and mark mistakes as you type.`,
		Example: `  muster settings schema > muster.schema.json`,
		Args:    takes(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			_, err := p.stdout.Write(app.SettingsSchema())
			return err
		},
	})
	return c
}

// errSettings ends a check whose findings have told already what is wrong.
var errSettings = &toldError{app.ErrUsage}

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "doctor",
		Short:   "Check this machine: git, descriptors, data directory, clock",
		Long:    `Check this machine: git, descriptors, data directory, clock, sockets. Exit 1 if something is not as it should be.`,
		Example: `  muster doctor`,
		Args:    takes(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.with(c.Context(), func(a *app.App) error { return p.findings(a.Doctor(c.Context()), errSomeFailed) })
		},
	}
}

// findings prints what was looked at; the error is wrong if something is.
func (p *program) findings(found []app.Finding, wrong error) error {
	if err := all(p, findingView(), found); err != nil {
		return err
	}
	for _, f := range found {
		if !f.OK {
			return wrong
		}
	}
	return nil
}

func findingView() view[app.Finding] {
	return view[app.Finding]{
		bare: true,
		columns: []column[app.Finding]{
			{cell: func(f app.Finding) string {
				if f.OK {
					return "ok"
				}
				return "WRONG"
			}, tone: func(f app.Finding) tone {
				if f.OK {
					return good
				}
				return bad
			}},
			{cell: func(f app.Finding) string { return f.What }},
			{cell: func(f app.Finding) string { return f.Text }},
		},
		note: func(f app.Finding) []string {
			if f.Try == "" || f.OK {
				return nil
			}
			return []string{"try: " + f.Try}
		},
		word: func(f app.Finding) string { return f.What },
	}
}
