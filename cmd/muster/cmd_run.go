package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) runCommand() *cobra.Command {
	var flags runFlags
	c := &cobra.Command{
		Use:   "run SELECTOR... -- COMMAND",
		Short: "Run a command on devices, all at once",
		Long: `Run a command on devices, all at once. It wants a selector: @all is every device. The table groups devices whose output is
the same; with one device it is the output alone. A device whose command ends with an exit status other than 0 counts as failed
for the exit code. On a terminal control characters of the output are shown as escapes; into a file or pipe it goes byte for byte.`,
		Example: `  muster run r1 -- show version
  muster run @all -- show ip route summary
  muster run site=ams -o ndjson -- show inventory`,
	}
	sel := p.newSelector(c)
	flags.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		command, args, err := splitCommand(args, c.ArgsLenAtDash())
		if err != nil {
			return err
		}
		o, err := flags.options(c)
		if err != nil {
			return err
		}
		terms, err := sel.terms(args)
		if err != nil {
			return err
		}
		if len(terms) == 0 {
			return usage("run wants to be told where: name the devices, or @all for every one")
		}
		return p.withDevices(c.Context(), terms, func(a *app.App, devices []muster.Device) error {
			return p.run(c.Context(), a, devices, command, o)
		})
	}
	return c
}

// splitCommand parts the selectors from the command, which stands after the dashes.
func splitCommand(args []string, dash int) (command string, selectors []string, err error) {
	if dash < 0 {
		return "", nil, usage("run wants the command after two dashes: muster run SELECTOR -- COMMAND")
	}
	command = strings.TrimSpace(strings.Join(args[dash:], " "))
	if command == "" {
		return "", nil, usage("there is no command after the two dashes")
	}
	if strings.ContainsAny(command, "\r\n") {
		return "", nil, usage("a command is one line")
	}
	return command, args[:dash], nil
}

func (p *program) run(ctx context.Context, a *app.App, devices []muster.Device, command string, o app.RunOptions) error {
	defer app.Frugal(o, len(devices))()
	out := newOutput(p, runView())
	sum := runSummary{Total: len(devices)}
	began := time.Now()
	err := p.watched(ctx, len(devices), func(ctx context.Context, pr *progress) error {
		o.Started = pr.start
		return addAnswers(out, a.Command(ctx, devices, command, o), pr, &sum)
	})
	elapsed := time.Since(began)
	sum.DurationMS = elapsed.Milliseconds()
	if err != nil && out.taken == 0 {
		return err
	}
	if endErr := p.endRun(out, sum, elapsed, len(devices)); err == nil {
		err = endErr
	}
	if err != nil {
		return err
	}
	return interruptedOr(ctx, sum.Failed+sum.Nonzero)
}

func addAnswers(out *output[runRow], answers iter.Seq2[app.Answer, error], pr *progress, sum *runSummary) error {
	for answer, err := range answers {
		if err != nil {
			return err
		}
		pr.finish(answer.Failure != nil)
		row := newRunRow(answer)
		sum.add(row)
		if err := out.add(answer.Index, row); err != nil {
			return err
		}
	}
	return nil
}

// endRun prints texts for people, or leaves it to the output.
func (p *program) endRun(out *output[runRow], sum runSummary, elapsed time.Duration, devices int) error {
	if p.format != formatTable {
		return out.end(sum, "")
	}
	err := p.printed(func(w io.Writer) error { return p.printGroups(w, groupOutputs(out.inOrder()), devices > 1) })
	if err != nil {
		return err
	}
	if devices == 1 && sum.Failed == 0 {
		return nil // the output alone, to be piped
	}
	return out.end(sum, sum.foot(elapsed))
}

// runRow is one answer as `run -o ndjson` promises it.
type runRow struct {
	Device     string `json:"device"`
	Command    string `json:"command"`
	Output     string `json:"output"`
	Stderr     string `json:"stderr,omitempty"`
	ExitStatus *int   `json:"exit_status"`
	DurationMS int64  `json:"duration_ms"`
	failureFields

	attempts int
}

func newRunRow(a app.Answer) runRow {
	row := runRow{
		Device:        a.Device.Name,
		Command:       a.Command,
		Output:        a.Output,
		Stderr:        a.Stderr,
		DurationMS:    a.Elapsed.Milliseconds(),
		failureFields: fieldsOfFailure(a.Failure),
		attempts:      a.Attempts,
	}
	if a.ExitStatus >= 0 && a.Failure == nil {
		row.ExitStatus = &a.ExitStatus
	}
	return row
}

type runSummary struct {
	Total      int   `json:"total"`
	OK         int   `json:"ok"`
	Nonzero    int   `json:"nonzero"` // answered with another exit status than 0
	Failed     int   `json:"failed"`
	DurationMS int64 `json:"duration_ms"`

	notDone int
}

func (s *runSummary) add(r runRow) {
	switch {
	case r.canceled():
		s.Failed++
		s.notDone++
	case r.Code != "":
		s.Failed++
	case r.ExitStatus != nil && *r.ExitStatus != 0:
		s.Nonzero++
	default:
		s.OK++
	}
}

func (s *runSummary) foot(elapsed time.Duration) string {
	foot := fmt.Sprintf("%d ok", s.OK)
	if s.Nonzero > 0 {
		foot += fmt.Sprintf(", %d with an exit status other than 0", s.Nonzero)
	}
	if failed := s.Failed - s.notDone; failed > 0 {
		foot += fmt.Sprintf(", %d failed", failed)
	}
	if s.notDone > 0 {
		foot += fmt.Sprintf(", %d not done", s.notDone)
	}
	return foot + " in " + shortDuration(elapsed) + "."
}

// runView shows the failed devices of a run; the answers of the others are texts.
func runView() view[runRow] {
	return view[runRow]{
		bare: true,
		columns: []column[runRow]{
			{cell: func(runRow) string { return "FAILED" }, tone: func(runRow) tone { return bad }},
			{cell: func(r runRow) string { return r.Device }},
			{cell: func(r runRow) string { return r.Stage }},
			{cell: func(r runRow) string { return r.Code }},
			{cell: func(r runRow) string { return r.cause(r.attempts) }},
		},
		shown: func(r runRow) bool { return r.Code != "" && !r.canceled() },
		note:  func(r runRow) []string { return r.try() },
		word:  func(r runRow) string { return r.Device },
	}
}
