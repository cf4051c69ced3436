package main

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) backupCommand() *cobra.Command {
	var flags runFlags
	c := &cobra.Command{
		Use:   "backup [SELECTOR...]",
		Short: "Back up the configurations of devices, all at once",
		Long: `Back up the configurations of devices, all at once. What is new or changed is stored as a revision; what is incomplete
never is. The table lists what changed and what failed, in the order of the inventory; -v lists the unchanged too.`,
		Example: `  muster backup                      every device of the inventory
  muster backup r1 core-* @edge      some of them
  muster backup -i list.csv          the devices of a list, without any settings
  muster backup @failed              once more for those that failed last time
  muster backup -o ndjson            one object a line, as the devices are done`,
	}
	sel := p.newSelector(c)
	flags.add(c)
	c.Flags().BoolVar(&p.shrunk, "accept-shrunk", false, "go on although the inventory gives less than half of the devices it gave last time")
	c.RunE = func(c *cobra.Command, args []string) error {
		o, err := flags.options(c)
		if err != nil {
			return err
		}
		terms, err := sel.terms(args)
		if err != nil {
			return err
		}
		return p.withSelection(c.Context(), terms, func(a *app.App, s app.Selection) error {
			if s.Shrunk != nil && !p.shrunk {
				return usage("%v: if that is right, say --accept-shrunk", s.Shrunk)
			}
			return p.backup(c.Context(), a, s, o)
		})
	}
	return c
}

func (p *program) backup(ctx context.Context, a *app.App, s app.Selection, o app.RunOptions) error {
	devices := s.Devices
	defer app.Frugal(o, len(devices))()
	out := newOutput(p, p.backupView())
	var sum app.Summary
	var notDone int
	err := p.watched(ctx, len(devices), func(ctx context.Context, pr *progress) error {
		o.Started = pr.start
		var err error
		notDone, err = addResults(out, a.Backup(ctx, devices, o, &sum), pr)
		return err
	})
	if err != nil && out.taken == 0 {
		return err
	}
	if endErr := out.end(newBackupSummary(sum), p.backupFoot(sum, notDone)+badRows(s.Bad)); err == nil {
		err = endErr
	}
	if err != nil {
		return err
	}
	return interruptedOr(ctx, sum.Failed+s.Bad)
}

// addResults takes the results as they come and counts those that an interruption left undone.
func addResults(out *output[backupRow], results iter.Seq2[muster.Result, error], pr *progress) (notDone int, err error) {
	for r, err := range results {
		if err != nil {
			return notDone, err
		}
		row := newBackupRow(r)
		pr.finish(r.Failure != nil)
		if row.canceled() {
			notDone++
		}
		if err := out.add(r.Index, row); err != nil {
			return notDone, err
		}
	}
	return notDone, nil
}

// backupRow is one result as `backup -o ndjson` promises it.
type backupRow struct {
	Device     string `json:"device"`
	Address    string `json:"address"`
	Platform   string `json:"platform"`
	Group      string `json:"group"`
	Status     string `json:"status"`
	Revision   string `json:"revision"`
	Added      int    `json:"added"`
	Removed    int    `json:"removed"`
	Bytes      int    `json:"bytes"`
	Attempts   int    `json:"attempts"`
	DurationMS int64  `json:"duration_ms"`
	Warning    string `json:"warning,omitempty"`
	failureFields

	taste string // the first new line, for people
}

func newBackupRow(r muster.Result) backupRow {
	return backupRow{
		Device:        r.Device.Name,
		Address:       r.Device.Address,
		Platform:      r.Device.Platform,
		Group:         r.Device.GroupName(),
		Status:        string(r.Status),
		Revision:      r.Revision,
		Added:         r.Added,
		Removed:       r.Removed,
		Bytes:         r.Bytes,
		Attempts:      r.Attempts,
		DurationMS:    r.Elapsed.Milliseconds(),
		Warning:       r.Warning,
		failureFields: fieldsOfFailure(r.Failure),
		taste:         r.Taste,
	}
}

// backupSummary is the summary as the contract has it.
type backupSummary struct {
	Total      int    `json:"total"`
	New        int    `json:"new"`
	Changed    int    `json:"changed"`
	Unchanged  int    `json:"unchanged"`
	Failed     int    `json:"failed"`
	DurationMS int64  `json:"duration_ms"`
	Run        string `json:"run"`
}

func newBackupSummary(s app.Summary) backupSummary {
	return backupSummary{s.Total, s.New, s.Changed, s.Unchanged, s.Failed, s.Duration.Milliseconds(), s.Run}
}

// backupView lists what a person wants to know: what changed and what failed.
func (p *program) backupView() view[backupRow] {
	failed := func(r backupRow) bool { return r.Status == string(muster.StatusFailed) }
	return view[backupRow]{
		bare: true,
		columns: []column[backupRow]{
			{cell: func(r backupRow) string { return strings.ToUpper(r.Status) }, tone: statusTone},
			{cell: func(r backupRow) string { return r.Device }},
		},
		tails: []tail[backupRow]{
			{of: func(r backupRow) bool { return !failed(r) }, columns: []column[backupRow]{
				{cell: func(r backupRow) string { return fmt.Sprintf("+%d -%d", r.Added, r.Removed) }},
				{cell: func(r backupRow) string { return shortened(r.taste) }},
				{cell: func(r backupRow) string { return shortRevision(r.Revision) }},
			}},
			{of: failed, columns: []column[backupRow]{
				{cell: func(r backupRow) string { return r.Stage }},
				{cell: func(r backupRow) string { return r.Code }},
				{cell: func(r backupRow) string { return r.cause(r.Attempts) }},
			}},
		},
		shown: func(r backupRow) bool {
			quiet := r.Status == string(muster.StatusUnchanged) && r.Warning == "" || r.canceled()
			return p.verbose || !quiet
		},
		note: func(r backupRow) []string {
			if r.Warning != "" {
				return append([]string{"look: " + r.Warning}, r.try()...)
			}
			return r.try()
		},
		word: func(r backupRow) string { return r.Device },
	}
}

// tasteWidth is how much of a changed line a row shows.
const tasteWidth = 36

// shortened cuts a line that is too long for a row.
func shortened(line string) string {
	if r := []rune(line); len(r) > tasteWidth {
		return string(r[:tasteWidth-3]) + "..."
	}
	return line
}

func statusTone(r backupRow) tone {
	switch muster.Status(r.Status) {
	case muster.StatusFailed:
		return bad
	case muster.StatusChanged:
		return changed
	case muster.StatusNew:
		return good
	}
	return plain
}

// badRows says that devices are missing from what was said because their rows are wrong; empty where none is.
func badRows(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "   1 row of the inventory is wrong and was left out."
	}
	return fmt.Sprintf("   %d rows of the inventory are wrong and were left out.", n)
}

// backupFoot sums the run up in one line, with what to do next.
func (p *program) backupFoot(s app.Summary, notDone int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d ok%s", s.New+s.Changed+s.Unchanged, keptOf(s))
	failed := max(s.Failed-notDone, 0)
	if failed > 0 {
		fmt.Fprintf(&b, ", %d failed", failed)
	}
	if notDone > 0 {
		fmt.Fprintf(&b, ", %d not done", notDone)
	}
	fmt.Fprintf(&b, " in %s.", shortDuration(s.Duration.Round(time.Millisecond)))
	if s.Failed > 0 {
		b.WriteString("   Again for those:" + p.again("backup @failed"))
	}
	return b.String()
}

func keptOf(s app.Summary) string {
	var parts []string
	if s.New > 0 {
		parts = append(parts, fmt.Sprintf("%d new", s.New))
	}
	if s.Changed > 0 {
		parts = append(parts, fmt.Sprintf("%d changed", s.Changed))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// shortRevision is a revision as people name it: a prefix.
func shortRevision(id string) string {
	if len(id) > 7 {
		return id[:7]
	}
	return id
}
