package app

import (
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/linediff"
	"github.com/musternet/muster/platform"
)

// contextLines is how many equal lines stand around a change.
const contextLines = 3

// hide masks what may not be shown of a text of a platform, which is nil where it is not known. Lines stay lines.
type hide func(def *platform.Def, text []byte) []byte

// makeDiff compares two texts of the same platform's syntax. Each hunk's head names the section of the configuration
// that its first changed line stands in, as the people who read it think of it. With hide the lines are shown as it leaves
// them: texts are masked whole, since a hunk does not show that it is in the midst of a key.
func makeDiff(from, to muster.Revision, before, after []byte, def *platform.Def, hide hide) (Diff, error) {
	d := Diff{From: from, To: to}
	u, err := udiff.ToUnifiedDiff(label(from), label(to), string(before), linediff.Edits(string(before), string(after)), contextLines)
	if err != nil {
		return d, fmt.Errorf("compare %s with %s: %w", label(from), label(to), err)
	}
	if len(u.Hunks) == 0 {
		return d, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", u.From, u.To)
	old, now := splitLines(before), splitLines(after)
	if hide != nil {
		old, now = splitLines(hide(def, before)), splitLines(hide(def, after))
		for _, h := range u.Hunks {
			showAs(h, old, now)
		}
	}
	for _, h := range u.Hunks {
		writeHunk(&b, h, old, now, def)
		added, removed := count(h)
		d.Added += added
		d.Removed += removed
	}
	d.Unified = b.String()
	return d, nil
}

// showAs puts lines of other texts in the place of a hunk's.
func showAs(h *udiff.Hunk, old, now []string) {
	from, to := h.FromLine-1, h.ToLine-1
	for i, l := range h.Lines {
		line := old
		at := &from
		if l.Kind == udiff.Insert {
			line, at = now, &to
		}
		end := strings.TrimPrefix(l.Content, strings.TrimRight(l.Content, "\n"))
		h.Lines[i].Content = line[*at] + end
		*at++
		if l.Kind == udiff.Equal {
			to++
		}
	}
}

func label(r muster.Revision) string {
	id := r.ID
	if len(id) > 7 {
		id = id[:7]
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Device, r.Time.UTC().Format("2006-01-02 15:04:05Z"), id))
}

func writeHunk(b *strings.Builder, h *udiff.Hunk, old, now []string, def *platform.Def) {
	var gone, come, equal int // lines of the hunk: only before, only after, both
	first := -1               // index in h.Lines of the first change
	for i, l := range h.Lines {
		switch l.Kind {
		case udiff.Delete:
			gone++
		case udiff.Insert:
			come++
		default:
			equal++
		}
		if first < 0 && l.Kind != udiff.Equal {
			first = i
		}
	}
	fmt.Fprintf(b, "@@ -%s +%s @@", span(h.FromLine, equal+gone), span(h.ToLine, equal+come))
	if s := section(h, first, old, now, def); s != "" {
		b.WriteString(" " + s)
	}
	b.WriteByte('\n')
	for _, l := range h.Lines {
		b.WriteByte(" -+"[kindIndex(l.Kind)])
		b.WriteString(l.Content)
		if !strings.HasSuffix(l.Content, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

func kindIndex(k udiff.OpKind) int {
	switch k {
	case udiff.Delete:
		return 1
	case udiff.Insert:
		return 2
	}
	return 0
}

// span is a hunk's range as diff -u prints it: a range of none begins at the line before it.
func span(line, n int) string {
	if n == 0 {
		line--
	}
	if n == 1 {
		return fmt.Sprint(line)
	}
	return fmt.Sprintf("%d,%d", line, n)
}

// section names where the first change of a hunk stands, outermost header first.
func section(h *udiff.Hunk, first int, old, now []string, def *platform.Def) string {
	if def == nil || first < 0 {
		return ""
	}
	var path []string
	if h.Lines[first].Kind == udiff.Delete {
		path = def.Section(old, h.FromLine-1+first)
	} else {
		path = def.Section(now, h.ToLine-1+first)
	}
	for i := range path {
		path[i] = strings.TrimSpace(path[i])
	}
	return strings.Join(path, " / ")
}

func count(h *udiff.Hunk) (added, removed int) {
	for _, l := range h.Lines {
		switch l.Kind {
		case udiff.Insert:
			added++
		case udiff.Delete:
			removed++
		}
	}
	return added, removed
}

func splitLines(text []byte) []string {
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}
