package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

func (p *program) historyCommand() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "history DEVICE",
		Short: "List the stored revisions of a device, newest first",
		Example: `  muster history r1
  muster history r1 --limit 10 -o json`,
		Args:              takes(1, 1, "one device"),
		ValidArgsFunction: p.completeDevices,
	}
	c.Flags().IntVar(&limit, "limit", 0, "the newest `N` only (0: all)")
	c.RunE = func(c *cobra.Command, args []string) error {
		if limit < 0 {
			return usage("--limit is not negative")
		}
		return p.with(c.Context(), func(a *app.App) error {
			revisions, err := a.History(c.Context(), args[0], limit)
			if err != nil {
				return err
			}
			rows := make([]revisionRow, len(revisions))
			for i, r := range revisions {
				rows[i] = newRevisionRow(r)
			}
			return all(p, historyView(), rows)
		})
	}
	return c
}

// revisionRow is one revision as `history -o json` promises it.
type revisionRow struct {
	Revision string     `json:"revision"`
	Time     *time.Time `json:"time"`
	Author   string     `json:"author"`
	Trigger  string     `json:"trigger"`
	Added    int        `json:"added"`
	Removed  int        `json:"removed"`
}

func newRevisionRow(r muster.Revision) revisionRow {
	return revisionRow{r.ID, stamp(r.Time), r.Author, r.Trigger, r.Added, r.Removed}
}

func historyView() view[revisionRow] {
	return view[revisionRow]{
		array: true,
		columns: []column[revisionRow]{
			{head: "REVISION", cell: func(r revisionRow) string { return shortRevision(r.Revision) }},
			{head: "TIME", cell: func(r revisionRow) string { return clock(r.Time) }},
			{head: "LINES", cell: func(r revisionRow) string { return fmt.Sprintf("+%d -%d", r.Added, r.Removed) }},
			{head: "AUTHOR", cell: func(r revisionRow) string { return r.Author }},
			{head: "TRIGGER", cell: func(r revisionRow) string { return r.Trigger }},
		},
		word: func(r revisionRow) string { return r.Revision },
	}
}

func (p *program) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show DEVICE[@REVISION]",
		Short: "Print a stored configuration, byte for byte",
		Long: `Print a stored configuration: the latest, or the revision that a prefix of its id names, or ~N for the one N before the latest.
Into a file or a pipe it goes byte for byte; on a terminal control characters are shown as escapes.`,
		Example: `  muster show r1
  muster show r1@7c2e91a > r1.cfg
  muster show r1@~1`,
		Args:              takes(1, 1, "one device"),
		ValidArgsFunction: p.completeDevices,
		RunE: func(c *cobra.Command, args []string) error {
			device, rev := splitRevision(args[0])
			return p.with(c.Context(), func(a *app.App) error {
				r, text, err := a.Text(c.Context(), device, rev)
				if err != nil {
					return err
				}
				return p.showText(r, text)
			})
		},
	}
}

func (p *program) showText(r muster.Revision, text []byte) error {
	if p.format == formatTable {
		return p.print(p.deviceText(string(text)))
	}
	return all(p, view[textRow]{word: func(r textRow) string { return r.Device }},
		[]textRow{{r.Device, r.ID, stamp(r.Time), string(text)}})
}

// textRow is one stored text.
type textRow struct {
	Device   string     `json:"device"`
	Revision string     `json:"revision"`
	Time     *time.Time `json:"time"`
	Text     string     `json:"text"`
}

// splitRevision parts DEVICE@REVISION. A name may hold an @ itself (admin@r1): what follows the last one is a revision
// only if it looks like one.
func splitRevision(arg string) (device, rev string) {
	for i := len(arg) - 1; i > 0; i-- {
		if arg[i] == '@' {
			if rev := arg[i+1:]; looksLikeRevision(rev) {
				return arg[:i], rev
			}
			break
		}
	}
	return arg, ""
}

func looksLikeRevision(s string) bool {
	if len(s) > 1 && s[0] == '~' {
		_, err := strconv.ParseUint(s[1:], 10, 31)
		return err == nil
	}
	if len(s) < 4 || len(s) > 40 {
		return false
	}
	for _, c := range s {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}
