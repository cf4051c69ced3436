package logwatch

import (
	"fmt"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/syslog"
)

// Rule says which messages people should know of. What is left at its zero value is no condition; all others have to hold.
//
// A glob has * for any characters, ? for one, and [a-f] or [!a-f] for one of some; it is about all of the word, in upper or
// lower case. Where letters are said to be equal in upper and lower case, those of ASCII are meant.
type Rule struct {
	Name       string // unique
	Severity   *syslog.Severity
	Facilities []syslog.Facility // any of them
	Apps       []string          // globs of the program or process, any of them
	// Mnemonics are globs of the vendor's word for the kind of message, any of them, with or without the % of Cisco's; where a
	// message has none, of RFC 5424's MSGID.
	Mnemonics []string
	Text      string // is in the message's text, in upper or lower case
	Match     string // a regular expression (RE2) that matches some of the message's text, of which the mnemonic is no part
	// Select picks the devices; nil: all, and senders that are no devices too, which are nobody's with a Select. Whoever
	// shares a Set between goroutines has it called by all of them.
	Select func(muster.Device) bool
	// Count is how many messages of one sender it takes within the time Within, by the clock that the caller goes by; 0 and 1:
	// it is each message.
	Count  int
	Within time.Duration
	Noisy  bool // it hears what is known as noise too
}

// RuleError says what is wrong with one of some rules.
type RuleError struct {
	Index int // of the rule in what was checked
	Rule  string
	Err   error
}

// Error names the rule, or its place where it has no name, and what is wrong with it.
func (e *RuleError) Error() string {
	if e.Rule == "" {
		return fmt.Sprintf("rule %d: %v", e.Index+1, e.Err)
	}
	return fmt.Sprintf("rule %q: %v", e.Rule, e.Err)
}

// Unwrap returns what is wrong.
func (e *RuleError) Unwrap() error { return e.Err }

// windowed tells whether it takes more than one message.
func (r *Rule) windowed() bool { return r.Count > 1 }

// anything tells whether it has no condition at all.
func (r *Rule) anything() bool {
	return r.Severity == nil && len(r.Facilities) == 0 && len(r.Apps) == 0 && len(r.Mnemonics) == 0 &&
		r.Text == "" && r.Match == "" && r.Select == nil
}
