package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) diffCommand() *cobra.Command {
	var with string
	var exitCode bool
	c := &cobra.Command{
		Use:   "diff DEVICE [REVISION [REVISION]]",
		Short: "Show what changed between two revisions, or between two devices",
		Long: `Show what changed: without a revision, from the one before the latest to the latest; with one, from that to the latest. Each
part of the difference is headed by the section of the configuration that it stands in. -o json has the difference in the form
that patch reads.`,
		Example: `  muster diff r1
  muster diff r1 7c2e91a
  muster diff r1 @~5 @~2             ~5 alone means something else to a shell
  muster diff r1 --with r2
  muster diff r1 --exit-code         exit 1 if there is a difference`,
		Args:              takes(1, 3, "one device and at most two revisions"),
		ValidArgsFunction: p.completeDevices,
	}
	c.Flags().StringVar(&with, "with", "", "compare with the latest of another `DEVICE`")
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit 1 if there is a difference")
	c.RunE = func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("with") && (with == "" || len(args) > 1) {
			return usage("--with compares the latest of two devices: muster diff DEVICE --with DEVICE")
		}
		return p.with(c.Context(), func(a *app.App) error {
			var d app.Diff
			var err error
			if with != "" {
				d, err = a.DiffDevices(c.Context(), args[0], with)
			} else {
				d, err = a.Diff(c.Context(), args[0], revisions(args[1:])...)
			}
			if err != nil {
				return err
			}
			return p.showDiff(d, exitCode, with == "" && len(args) == 1)
		})
	}
	return c
}

// revisions are revisions as package app takes them: without the @ that show wants before one, and that keeps a shell from
// taking ~1 for a directory.
func revisions(args []string) []string {
	revs := make([]string, len(args))
	for i, arg := range args {
		revs[i] = strings.TrimPrefix(arg, "@")
	}
	return revs
}

// showDiff prints a difference; latest says that nobody named what to compare.
func (p *program) showDiff(d app.Diff, exitCode, latest bool) error {
	var rows []diffRow
	switch {
	case d.Unified != "":
		rows = append(rows, newDiffRow(d))
	case d.From.ID == d.To.ID && !latest:
		p.hint("both are revision %s of %s: there is nothing to compare", shortRevision(d.To.ID), d.To.Device)
	case d.From.ID == d.To.ID:
		p.hint("%s has one revision, %s: there is nothing to compare it with", d.To.Device, shortRevision(d.To.ID))
	default:
		p.hint("no difference between %s and %s", diffSide(d.From), diffSide(d.To))
	}
	if err := p.diffs(rows); err != nil {
		return err
	}
	if exitCode && len(rows) > 0 {
		return errSomeFailed
	}
	return nil
}

// diffs prints differences: for people as texts.
func (p *program) diffs(rows []diffRow) error {
	if p.format != formatTable {
		return all(p, view[diffRow]{word: func(r diffRow) string { return r.Device }}, rows)
	}
	var b strings.Builder
	for i, r := range rows {
		if i > 0 {
			b.WriteString("\n")
		}
		p.writeDiff(&b, r)
	}
	return p.print(b.String())
}

// diffRow is one difference.
type diffRow struct {
	Device   string     `json:"device"`
	From     string     `json:"from"`
	FromTime *time.Time `json:"from_time"`
	To       string     `json:"to"`
	ToTime   *time.Time `json:"to_time"`
	With     string     `json:"with,omitempty"` // the other device, where two are compared
	Author   string     `json:"author"`
	Trigger  string     `json:"trigger"`
	Added    int        `json:"added"`
	Removed  int        `json:"removed"`
	Diff     string     `json:"diff"`
}

func newDiffRow(d app.Diff) diffRow {
	row := diffRow{
		Device:   d.From.Device,
		From:     d.From.ID,
		FromTime: stamp(d.From.Time),
		To:       d.To.ID,
		ToTime:   stamp(d.To.Time),
		Author:   d.To.Author,
		Trigger:  d.To.Trigger,
		Added:    d.Added,
		Removed:  d.Removed,
		Diff:     d.Unified,
	}
	if d.To.Device != d.From.Device {
		row.With = d.To.Device
	}
	return row
}

func diffSide(r muster.Revision) string {
	return fmt.Sprintf("%s %s (%s)", r.Device, clock(stamp(r.Time)), shortRevision(r.ID))
}

// head is the line above a difference: from what, to what, by whom.
func (r diffRow) head() string {
	to := r.Device
	if r.With != "" {
		to = r.With
	}
	head := fmt.Sprintf("--- %s %s   +++ %s %s", r.Device, clock(r.FromTime), to, clock(r.ToTime))
	if r.With == "" {
		head += fmt.Sprintf("   by %s (%s)", r.Author, r.Trigger)
	}
	return head
}

// writeDiff writes one difference for people, coloured on a terminal.
func (p *program) writeDiff(b *strings.Builder, r diffRow) {
	fmt.Fprintln(b, p.painted(faint, visible(r.head())))
	inHunk := false
	for line := range strings.Lines(r.Diff) {
		line = strings.TrimSuffix(line, "\n")
		inHunk = inHunk || strings.HasPrefix(line, "@@")
		if !inHunk {
			continue // the names of both sides stand in the head already
		}
		fmt.Fprintln(b, p.painted(diffTone(line), visibleText(line)))
	}
}

func diffTone(line string) tone {
	switch {
	case strings.HasPrefix(line, "+"):
		return good
	case strings.HasPrefix(line, "-"):
		return bad
	case strings.HasPrefix(line, "@@"):
		return changed
	}
	return plain
}
