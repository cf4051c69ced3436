package main

import (
	"context"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
)

func (p *program) alertCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "alert",
		Short: "See what alerts, by which rules, and silence it",
		Example: `  muster alert ls
  muster alert rules
  muster alert test device-down --since 30d
  muster alert silence device=r1 --for 2h --comment "new line card"`,
		Args: cobra.ArbitraryArgs,
		RunE: groupHelp,
	}
	c.AddCommand(p.alertLsCommand(), p.alertRulesCommand(), p.alertTestCommand(), p.alertSilenceCommand())
	return c
}

func (p *program) alertLsCommand() *cobra.Command {
	var pending bool
	c := &cobra.Command{
		Use:   "ls [MATCHER...]",
		Short: "List what fires in the muster that serves",
		Long:  `List what fires in the muster that serves. Matchers are those of amtool: device=r1, severity=~"warn.*"; a word alone is the name of a rule.`,
		Example: `  muster alert ls
  muster alert ls severity=critical
  muster alert ls --pending`,
	}
	c.Flags().BoolVar(&pending, "pending", false, "list what the rules know, also what does not fire yet and what has just ended")
	c.RunE = func(c *cobra.Command, args []string) error {
		if pending && len(args) > 0 {
			return usage("--pending takes no matchers")
		}
		return p.with(c.Context(), func(a *app.App) (err error) {
			var rows []app.AlertRow
			if pending {
				rows, err = a.LivePending(c.Context())
			} else {
				rows, err = a.LiveAlerts(c.Context(), args)
			}
			if err != nil {
				return err
			}
			return all(p, alertView(), rows)
		})
	}
	return c
}

func alertView() view[app.AlertRow] {
	return view[app.AlertRow]{
		columns: []column[app.AlertRow]{
			{head: "ALERT", cell: func(r app.AlertRow) string { return r.Name }, tone: func(r app.AlertRow) tone {
				return map[string]tone{"critical": bad, "warning": changed}[r.Severity]
			}},
			{head: "DEVICE", cell: func(r app.AlertRow) string { return orDash(r.Device) }},
			{head: "SEVERITY", cell: func(r app.AlertRow) string { return orDash(r.Severity) }},
			{head: "STATE", cell: func(r app.AlertRow) string { return r.State }},
			{head: "SINCE", cell: func(r app.AlertRow) string { return clock(&r.Since) }},
			{head: "COUNT", cell: func(r app.AlertRow) string { return r.Count }, right: true},
			{head: "SUMMARY", cell: func(r app.AlertRow) string { return r.Summary }},
		},
		word: func(r app.AlertRow) string { return r.Name },
	}
}

func (p *program) alertRulesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "rules",
		Short:   "List the rules that hold",
		Example: `  muster alert rules`,
		Args:    takes(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.with(c.Context(), func(a *app.App) error {
				rows, err := a.Rules(c.Context())
				if err != nil {
					return err
				}
				return all(p, ruleView(), rows)
			})
		},
	}
}

func ruleView() view[app.RuleRow] {
	return view[app.RuleRow]{
		columns: []column[app.RuleRow]{
			{head: "RULE", cell: func(r app.RuleRow) string { return r.Name }},
			{head: "KIND", cell: func(r app.RuleRow) string { return r.Kind }},
			{head: "SEVERITY", cell: func(r app.RuleRow) string { return r.Severity }},
			{head: "FOR", cell: func(r app.RuleRow) string {
				return orDash(strings.TrimPrefix(shortDuration(time.Duration(r.ForMS)*time.Millisecond), "0s"))
			}, right: true},
			{head: "ABOUT", cell: func(r app.RuleRow) string {
				return strings.Join(compact(r.About, strings.Join(r.Select, " ")), "  of ")
			}},
			{head: "FROM", cell: func(r app.RuleRow) string {
				return map[bool]string{true: "shipped", false: "settings"}[r.Shipped]
			}},
		},
		word: func(r app.RuleRow) string { return r.Name },
	}
}

func (p *program) alertTestCommand() *cobra.Command {
	since := span(7 * day)
	c := &cobra.Command{
		Use:   "test [RULE...]",
		Short: "Tell how often rules would have fired",
		Long: `Tell how often rules would have begun to fire, by the changes of health, the values and the events that muster serve has
kept: events, which rules about backups go by, of the last 7 days.`,
		Example: `  muster alert test
  muster alert test device-down --since 30d`,
	}
	c.Flags().Var(&since, "since", "the period up to now")
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.with(c.Context(), func(a *app.App) error {
			rows, err := a.TestRules(c.Context(), args, since.duration())
			if err != nil {
				return err
			}
			return all(p, testView(since), rows)
		})
	}
	return c
}

func testView(since span) view[app.TestRow] {
	return view[app.TestRow]{
		columns: []column[app.TestRow]{
			{head: "RULE", cell: func(r app.TestRow) string { return r.Name }},
			{head: "FIRED IN " + since.String(), cell: func(r app.TestRow) string { return strconv.Itoa(r.Fired) }, right: true},
		},
		word: func(r app.TestRow) string { return r.Name },
	}
}

func (p *program) alertSilenceCommand() *cobra.Command {
	var list bool
	var expire, comment string
	length := span(2 * time.Hour)
	c := &cobra.Command{
		Use:   "silence [MATCHER...]",
		Short: "Silence alerts for a while, in the muster that serves",
		Example: `  muster alert silence device=r1 --for 2h --comment "new line card"
  muster alert silence 'device=~"lab-.*"' --for 1w
  muster alert silence --list
  muster alert silence --expire ID`,
	}
	f := c.Flags()
	f.BoolVar(&list, "list", false, "list the silences")
	f.StringVar(&expire, "expire", "", "end the silence `ID`")
	f.StringVar(&comment, "comment", "", "`TEXT` that says why")
	f.Var(&length, "for", "how long")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case list && (expire != "" || len(args) > 0), expire != "" && len(args) > 0:
			return usage("--list, --expire and matchers are three things: give one of them")
		case !list && expire == "" && len(args) == 0:
			return usage("alert silence wants matchers, such as device=r1; see: muster alert silence --help")
		}
		return p.with(c.Context(), func(a *app.App) error {
			switch {
			case list:
				return p.silences(c.Context(), a)
			case expire != "":
				return a.Expire(c.Context(), expire)
			}
			wish := app.SilenceWish{Matchers: args, Until: time.Now().Add(length.duration()), Author: p.author(), Comment: comment}
			id, err := a.Silence(c.Context(), wish)
			if err != nil {
				return err
			}
			return p.print(id + "\n")
		})
	}
	return c
}

// author is who silences, as others see it: also behind sudo the person.
func (p *program) author() string {
	for _, name := range []string{"SUDO_USER", "USER", "LOGNAME"} {
		if who := p.getenv(name); who != "" {
			return who
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "muster"
}

func (p *program) silences(ctx context.Context, a *app.App) error {
	rows, err := a.LiveSilences(ctx)
	if err != nil {
		return err
	}
	return all(p, silenceView(), rows)
}

func silenceView() view[app.SilenceRow] {
	return view[app.SilenceRow]{
		columns: []column[app.SilenceRow]{
			{head: "ID", cell: func(r app.SilenceRow) string { return r.ID }},
			{head: "STATE", cell: func(r app.SilenceRow) string { return r.State }},
			{head: "WHAT", cell: func(r app.SilenceRow) string { return strings.Join(r.Matchers, " ") }},
			{head: "UNTIL", cell: func(r app.SilenceRow) string { return clock(&r.Ends) }},
			{head: "BY", cell: func(r app.SilenceRow) string { return r.Author }},
			{head: "WHY", cell: func(r app.SilenceRow) string { return r.Comment }},
		},
		word: func(r app.SilenceRow) string { return r.ID },
	}
}
