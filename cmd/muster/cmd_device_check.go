package main

import (
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) deviceTestCommand() *cobra.Command {
	var timeout span
	c := &cobra.Command{
		Use:   "test DEVICE",
		Short: "Go through a device stage by stage, and say where and why it fails",
		Long: `Go through a device stage by stage, from its name to its whole configuration, and say how long each stage took, what was
negotiated (weak algorithms are marked) and, where one fails, what to try, with the end of the conversation, masked. Nothing is stored
but a detected platform and the host key.`,
		Example: `  muster device test r1
  muster device test admin@192.0.2.7 --ask-pass`,
		Args:              takes(1, 1, "one device"),
		ValidArgsFunction: p.completeDevices,
	}
	c.Flags().Var(&timeout, "timeout", "time in all (default: the settings', or 5m)")
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.withDevice(c.Context(), args[0], func(a *app.App, dev muster.Device) error {
			o := app.RunOptions{Timeout: timeout.duration(), Retries: -1}
			failed, err := p.testDevice(a.Test(c.Context(), dev, o))
			if err != nil {
				return err
			}
			return interruptedOr(c.Context(), failed)
		})
	}
	return c
}

// testDevice shows the steps; for people each as it comes, because a stage may take its whole time limit.
func (p *program) testDevice(steps iter.Seq[app.Step]) (failed int, err error) {
	out := newOutput(p, stepView())
	n := 0
	for s := range steps {
		row := newStepRow(s)
		if s.Failure != nil {
			failed++
		}
		if p.format == formatTable {
			err = p.print(p.stepLines(row))
		} else {
			err = out.add(n, row)
		}
		if err != nil {
			return failed, err
		}
		n++
	}
	if p.format == formatTable {
		return failed, nil
	}
	return failed, out.end(count{n}, "")
}

// stepRow is one stage of a test.
type stepRow struct {
	Stage      string `json:"stage"`
	OK         bool   `json:"ok"`
	DurationMS int64  `json:"duration_ms"`
	Detail     string `json:"detail"`
	Code       string `json:"code,omitempty"`
	Error      string `json:"error,omitempty"`
	Hint       string `json:"hint,omitempty"`
	Transcript string `json:"transcript,omitempty"`

	took string
}

func newStepRow(s app.Step) stepRow {
	row := stepRow{Stage: s.Stage, OK: s.Failure == nil, DurationMS: s.Took.Milliseconds(), Detail: s.Detail, took: shortDuration(s.Took)}
	if s.Failure != nil {
		f := fieldsOfFailure(s.Failure)
		row.Code, row.Error, row.Hint, row.Transcript = f.Code, f.Error, f.Hint, string(s.Failure.Transcript)
	}
	return row
}

func stepView() view[stepRow] {
	return view[stepRow]{word: func(r stepRow) string { return r.Stage }}
}

// stepLines is one stage for people.
func (p *program) stepLines(r stepRow) string {
	var b strings.Builder
	word, t := "ok", good
	if !r.OK {
		word, t = "FAILED", bad
	}
	lines := strings.Split(strings.TrimSpace(r.Detail), "\n")
	fmt.Fprintf(&b, "%-10s  %s  %7s  %s", visible(r.Stage), p.painted(t, fmt.Sprintf("%-6s", word)), r.took, visible(lines[0]))
	text := strings.TrimRight(b.String(), " ") + "\n"
	b.Reset()
	b.WriteString(text)
	for _, line := range lines[1:] {
		fmt.Fprintf(&b, "%s%s\n", stepIndent, visible(line))
	}
	if r.OK {
		return b.String()
	}
	fmt.Fprintf(&b, "%s%s: %s\n", stepIndent, r.Code, visible(r.Error))
	if r.Hint != "" {
		fmt.Fprintf(&b, "%stry: %s\n", stepIndent, visible(r.Hint))
	}
	if r.Transcript != "" {
		fmt.Fprintf(&b, "\nThe end of the conversation, masked:\n%s\n", visibleText(strings.ReplaceAll(strings.TrimRight(r.Transcript, "\n"), "\r\n", "\n")))
	}
	return b.String()
}

// stepIndent is where the details of a stage begin.
const stepIndent = "                             "
