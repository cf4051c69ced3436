package gitrepo

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/musternet/muster/store"
)

const (
	trailerRun     = "Muster-Run"
	trailerDevice  = "Muster-Device"
	trailerTrigger = "Muster-Trigger"
	newText        = "new"
)

// message is what git log shows: the device and what happened in the subject, the rest as trailers.
func message(c store.Commit) []byte {
	what := fmt.Sprintf("+%d -%d lines", c.Added, c.Removed)
	if c.New {
		what = fmt.Sprintf("%s, %d lines", newText, c.Added)
	}
	return fmt.Appendf(nil, "%s: %s\n\n%s: %s\n%s: %s\n%s: %s\n", oneLine(c.Device), what,
		trailerRun, oneLine(c.Run), trailerDevice, oneLine(c.Device), trailerTrigger, oneLine(c.Trigger))
}

// parseMessage is the inverse of message. ok is false for a commit that is not ours.
func parseMessage(text string) (c store.Commit, ok bool) {
	subject, rest, _ := strings.Cut(text, "\n")
	for line := range strings.Lines(rest) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch key {
		case trailerRun:
			c.Run = value
		case trailerDevice:
			c.Device = value
		case trailerTrigger:
			c.Trigger = value
		}
	}
	what, found := strings.CutPrefix(subject, c.Device+": ")
	if c.Device == "" || !found {
		return store.Commit{}, false
	}
	if _, err := fmt.Sscanf(what, newText+", %d lines", &c.Added); err == nil {
		c.New = true
		return c, true
	}
	_, err := fmt.Sscanf(what, "+%d -%d lines", &c.Added, &c.Removed)
	return c, err == nil
}

// oneLine replaces what would end a line or a header.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s))
}

// person writes a name as git wants an author. What a device says a user is called is not trusted: see
// store.PersonName. The address is made of the name, at a host that is none.
func person(name string) string {
	name = store.PersonName(name)
	mail := strings.Trim(strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-", r)) {
			return r
		}
		return '-'
	}, name), "-.")
	if mail == "" {
		mail = "somebody"
	}
	return name + " <" + mail + "@localhost>"
}

// quote writes a path as the stream wants it: in C style, everything that is not plain as octal.
func quote(path string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(path) {
		switch c := path[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
