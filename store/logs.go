package store

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
)

// severities are the words for how bad a log line is, the worst first (RFC 5424, 6.2.1).
var severities = []string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}

// SeverityRank is the number that stands for a severity in syslog, 0 for "emergency" to 7 for "debug": the smaller, the worse.
func SeverityRank(word string) (rank int, ok bool) {
	rank = slices.Index(severities, word)
	return rank, rank >= 0
}

// LogQuery says which lines of a syslog archive are wanted, and in which order. The zero value wants all of them, in the order in
// which they came. Every field that is set has to fit.
type LogQuery struct {
	Since    time.Time      // received then or later
	Until    time.Time      // received before that
	Devices  []string       // names of devices or addresses of senders: any of them
	Severity string         // at least as bad as this word: "critical" wants "alert" and "emergency", too
	App      string         // a pattern: * stands for any text, ? for any one byte
	Mnemonic string         // a pattern, as App
	Text     string         // found in the message or the raw text; A to Z are taken for a to z
	Match    *regexp.Regexp // found in the raw text

	Newest bool // the line that came last is first
	Limit  int  // so many lines and no more; 0: all
}

// Check says what is wrong with a query.
func (q *LogQuery) Check() error {
	if _, ok := SeverityRank(q.Severity); !ok && q.Severity != "" {
		return fmt.Errorf("unknown severity %q: there are %s", q.Severity, strings.Join(severities, ", "))
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && q.Until.Before(q.Since) {
		return fmt.Errorf("the time from %s until %s ends before it begins", q.Since.Format(time.RFC3339), q.Until.Format(time.RFC3339))
	}
	return nil
}

// Matches tells whether a line is wanted. Limit is the caller's to count.
func (q *LogQuery) Matches(l *muster.LogLine) bool {
	return (q.Since.IsZero() || !l.Received.Before(q.Since)) &&
		(q.Until.IsZero() || l.Received.Before(q.Until)) &&
		(len(q.Devices) == 0 || slices.ContainsFunc(q.Devices, func(d string) bool { return sentBy(l, d) })) &&
		(q.Severity == "" || q.badEnough(l.Severity)) &&
		(q.App == "" || Glob(q.App, l.App)) &&
		(q.Mnemonic == "" || Glob(q.Mnemonic, l.Mnemonic)) &&
		(q.Text == "" || contains(l.Raw, q.Text) || contains(l.Message, q.Text)) &&
		(q.Match == nil || q.Match.MatchString(l.Raw))
}

// sentBy tells whether a line is of the device of that name, or from that address.
func sentBy(l *muster.LogLine, device string) bool {
	if device == "" {
		return false
	}
	if device == l.Device {
		return true
	}
	addr, err := netip.ParseAddr(device)
	return err == nil && addr.Unmap() == l.Source.Unmap()
}

func (q *LogQuery) badEnough(severity string) bool {
	rank, ok := SeverityRank(severity)
	most, _ := SeverityRank(q.Severity)
	return ok && rank <= most
}

// contains tells whether part is found in text. Of letters only those of ASCII are compared without their case, so that who
// looks for part in bytes that nobody has decoded finds the same.
func contains(text, part string) bool {
	for i := 0; i+len(part) <= len(text); i++ {
		if equalFold(text[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// equalFold compares two texts of the same length.
func equalFold(a, b string) bool {
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Glob tells whether the whole text is as the pattern says: * stands for any text, ? for any one byte, all else for itself.
// It takes at most len(pattern) * len(text) steps.
func Glob(pattern, text string) bool {
	p, t := 0, 0
	star, from := -1, 0 // the last * of the pattern, and where in the text the part after it was tried
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0: // the * stands for one byte more
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
