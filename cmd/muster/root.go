package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/musternet/muster/app"
)

const rootLong = `muster asks every network device at once. It backs up the configuration of a fleet as fast as the devices answer, keeps
every version in git, and gives a reason for each device that failed.

Devices are chosen by selectors: a name, a glob (core-*), @group, site=ams,role!=lab, an address or a prefix, @failed (the
failed of the last run), @stale (no good backup of late), @all. No selector means all, except for run and device rm. A name
that no inventory knows is tried as ssh would try it.

Exit codes: 0 all well; 1 some device failed, or drift with --exit-code; 2 wrong usage or settings; 3 nothing matched;
4 data directory, or a server that was asked, out of reach; 130 interrupted (what was finished is kept; a second Ctrl-C kills).`

const rootExample = `  muster demo                                    see it work, without gear
  MUSTER_PASSWORD=... muster backup admin@r1     one device, as by ssh
  muster backup -i list.csv                      all devices of a list
  muster diff r1                                 what changed`

// newRoot makes the tree of all commands.
func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:               "muster",
		Short:             "Back up every network device at once, keep every version",
		Long:              rootLong,
		Example:           rootExample,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.ArbitraryArgs,
		RunE:              groupHelp,
		PersistentPreRunE: func(*cobra.Command, []string) error { return p.settle() },
	}
	root.SetFlagErrorFunc(flagError)
	p.fitHelp(root)
	p.globalFlags(root)
	root.AddCommand(
		p.initCommand(), p.demoCommand(), p.scanCommand(), p.backupCommand(), p.runCommand(), p.historyCommand(), p.showCommand(),
		p.diffCommand(), p.grepCommand(), p.statusCommand(), p.changesCommand(), p.monitorCommand(), p.alertCommand(), p.syslogCommand(), p.iseCommand(), p.serveCommand(), p.tasksCommand(), p.deviceCommand(), p.simCommand(),
		p.recordCommand(), p.listCommand(), p.settingsCommand(), p.explainCommand(), p.doctorCommand(), p.versionCommand(),
	)
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil {
		c.Args, c.RunE = cobra.ArbitraryArgs, groupHelp
	}
	root.InitDefaultHelpCmd()
	return root
}

func (p *program) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&p.settings, "config", "", "settings `FILE` (default: MUSTER_CONFIG, or muster.yaml where the system keeps settings)")
	f.StringVar(&p.dataDir, "data-dir", "", "`DIR` where everything is kept (default: the settings', MUSTER_DATA_DIR, or the user's state directory)")
	f.StringArrayVarP(&p.inventory, "inventory", "i", nil, "device list `FILE`, instead of the settings' inventory (repeatable)")
	f.VarP(&p.format, "output", "o", "table, json, ndjson, csv or list")
	f.BoolVar(&p.noColour, "no-color", false, "no colours, as NO_COLOR says too")
	f.BoolVarP(&p.quiet, "quiet", "q", false, "no progress and no hints")
	f.BoolVarP(&p.verbose, "verbose", "v", false, "say on standard error what happens")
	f.StringVar(&p.user, "user", "", "login `NAME` for devices that have none")
	f.BoolVar(&p.legacy, "legacy-crypto", false, "offer weak algorithms too, to devices named on the command line")
	f.BoolVar(&p.askPass, "ask-pass", false, "ask once for the password of devices that have no credential")
}

// settle draws the conclusions of the flags, before any command runs.
func (p *program) settle() error {
	p.colour = p.colour && !p.noColour
	return nil
}

// groupHelp is what a command with commands below it does by itself: help where nothing is said, else a word on what
// was meant.
func groupHelp(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return usage("there is no command %q; did you mean: %s %s", args[0], c.CommandPath(), strings.Join(near, " or "))
	}
	return usage("there is no command %q; see: %s --help", args[0], c.CommandPath())
}

// flagError says what is wrong with a flag, in one sentence.
func flagError(c *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		return usage("%v; see: %s --help", err, c.CommandPath())
	}
	cause := value.Unwrap()
	var number *strconv.NumError
	if errors.As(cause, &number) {
		cause = errors.New("it is a whole number")
	}
	return usage("--%s %q: %v", value.GetFlag().Name, value.GetValue(), cause)
}

// commandName is the name of a command without that of the program, which stands before every sentence.
func commandName(c *cobra.Command) string {
	return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
}

// takes wants n to most arguments; what names them in the error.
func takes(n, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usage("%s wants %s; see: %s --help", commandName(c), what, c.CommandPath())
		case most >= 0 && len(args) > most:
			return usage("%s does not take %q; it wants %s", commandName(c), args[most], what)
		}
		return nil
	}
}

// completeDevices completes the names of the inventory's devices.
func (p *program) completeDevices(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	var names []string
	err := p.with(c.Context(), func(a *app.App) error {
		s, err := a.Select(c.Context(), nil)
		for _, d := range s.Devices {
			if strings.HasPrefix(d.Name, begun) {
				names = append(names, d.Name)
			}
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// runFlags are the flags of the commands that talk to many devices.
type runFlags struct {
	limit, retries int
	timeout        span
}

func (r *runFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&r.limit, "limit", 0, "`N` devices at once (default: as many as the fleet takes well, 256 at most)")
	f.Var(&r.timeout, "timeout", "time for each device in all (default: the settings', or 5m)")
	f.IntVar(&r.retries, "retries", 0, "`N` more tries of a device that failed for a passing reason (default: the settings', or 1)")
}

// options are the flags as package app takes them.
func (r *runFlags) options(c *cobra.Command) (app.RunOptions, error) {
	o := app.RunOptions{Limit: r.limit, Retries: -1, Timeout: r.timeout.duration()}
	if c.Flags().Changed("retries") {
		o.Retries = r.retries
	}
	if r.limit < 0 || r.retries < 0 {
		return o, usage("--limit and --retries are not negative")
	}
	return o, nil
}

// interruptedOr is the error of a run: that it was interrupted hides that some devices failed.
func interruptedOr(ctx context.Context, failed int) error {
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", context.Canceled)
	}
	if failed > 0 {
		return errSomeFailed
	}
	return nil
}
