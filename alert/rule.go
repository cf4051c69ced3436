package alert

import (
	"fmt"
	"regexp"
	"text/template"
	"time"

	"github.com/musternet/muster"
)

// The defaults of a Rule's fields.
const (
	DefaultSeverity = "warning"
	DefaultEvery    = 30 * time.Second
	DefaultKeep     = 5 * time.Minute
)

// Rule says when a person should know, and what. Fields that its kind has no use for are left at their zero value.
type Rule struct {
	Name   string                   // unique; the label alertname
	Kind   string                   // one of Kinds
	Select func(muster.Device) bool // the devices that it is about; nil: all. It is called by one goroutine at a time
	For    time.Duration            // how long it has to last
	Labels map[string]string        // added to those of the alert; severity has a default
	// Summary is a line and Description some, as templates of package text/template over a Subject. Empty: the kind's own.
	Summary     string
	Description string

	States []muster.Health // of state and group: any of them; none: down

	// Count is of group: so many devices; of event: so many of the same device, without a word that it is well between
	// them and, with Keep, none later than that after the one before; 0: 1.
	Count int
	Share float64 // of group, instead of Count: this share of the devices, above 0 and at most 1
	Least int     // of group: of at least so many devices
	By    string  // of group: one alert for each "group", or for each value of the tag of this name; empty: one for all

	Expr  string        // of promql
	Every time.Duration // of promql: how often it is asked; 0: DefaultEvery

	Event muster.EventKind // of event
	Match string           // of event: a regular expression that its text has to match; empty: any
	// Keep is how long an alert of an event fires, or one of the log after the last message; 0: DefaultKeep, but of a failure
	// until it is well.
	Keep time.Duration
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

// rule is a Rule at work.
type rule struct {
	Rule
	summary     *template.Template
	description *template.Template
	match       *regexp.Regexp
	judge       judge
	subjects    map[string]*subject
	retired     bool          // it is no rule any more: what is left are ends to be told
	asked       time.Duration // when its expression was asked last
}

// newRule makes a rule of what Check has found right.
func newRule(r Rule) *rule {
	k, _ := lookup(r.Kind)
	summary, _ := parseText(r.Summary, k.summary)
	description, _ := parseText(r.Description, k.description)
	made := &rule{
		Rule: r, summary: summary, description: description, match: regexp.MustCompile(r.Match),
		judge: k.open(), subjects: map[string]*subject{}, asked: -forever,
	}
	if len(r.States) == 0 {
		made.States = []muster.Health{muster.HealthDown}
	}
	return made
}

// retired makes a rule that nothing can begin in any more.
func retired(name string, subjects map[string]*subject) *rule {
	return &rule{Rule: Rule{Name: name}, judge: nobody{}, subjects: subjects, retired: true}
}

// selects tells whether the rule is about a device.
func (r *rule) selects(d muster.Device) bool { return r.Select == nil || r.Select(d) }

// nobody is the judge of a rule that is retired.
type nobody struct{}

func (nobody) hear(*desk, *rule, muster.Event) {}

func (nobody) look(d *desk, r *rule) {
	for key := range r.subjects {
		d.off(r, key)
	}
}
