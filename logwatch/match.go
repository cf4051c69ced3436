package logwatch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/musternet/muster"
	"github.com/musternet/muster/syslog"
)

// Set is compiled rules. Any number of goroutines may use it at once.
type Set struct{ matcher }

// Compile compiles rules. Its error is that of Check.
func Compile(rules []Rule) (*Set, error) {
	patterns, err := compileRules(rules)
	if err != nil {
		return nil, err
	}
	return &Set{newMatcher(patterns)}, nil
}

// Match appends the indexes of the rules that a message fulfils, ascending, whatever their Count; it is not asked whether
// the message is noise. dev is the device that it is from; nil: that is unknown. It allocates nothing when dst, which is a
// workspace too, has become as large as it takes.
func (s *Set) Match(dst []int, m *syslog.Message, dev *muster.Device) []int {
	return s.match(dst, m, dev)
}

// matcher finds the patterns that a message fulfils. Of most patterns it takes a literal that one field of the message has to
// hold: those are found in one look at the field, and no other pattern costs anything.
type matcher struct {
	patterns []pattern
	mnemonic field
	app      field
	text     field
	rest     [syslog.Debug + 1][]int // patterns without a literal, for each severity those that it is bad enough for
}

// field finds the literals in one field of a message.
type field struct {
	*automaton                 // nil: there are none
	least      syslog.Severity // what is less bad is nothing that any of the patterns is about
}

func newMatcher(patterns []pattern) matcher {
	t := matcher{patterns: patterns}
	for i, p := range patterns {
		if p.place == inNone {
			for s := range p.least + 1 {
				t.rest[s] = append(t.rest[s], i)
			}
		}
	}
	t.mnemonic, t.app, t.text = newField(patterns, inMnemonic), newField(patterns, inApp), newField(patterns, inText)
	for i := range patterns {
		patterns[i].prove(t.text.automaton)
	}
	return t
}

func newField(patterns []pattern, where place) field {
	var all []literal
	var f field
	for i, p := range patterns {
		if p.place == where {
			f.least = max(f.least, p.least)
			for _, text := range p.literals {
				all = append(all, literal{text, i})
			}
		}
	}
	f.automaton = newAutomaton(all, mostLiteral)
	return f
}

func (t *matcher) match(dst []int, m *syslog.Message, dev *muster.Device) []int {
	begin := len(dst)
	severity := min(m.Severity, syslog.Debug)
	dst = append(dst, t.rest[severity]...)
	dst = t.mnemonic.find(dst, severity, mnemonic(m))
	dst = t.app.find(dst, severity, m.App)
	dst = t.text.find(dst, severity, m.Text)
	if len(dst)-begin > 1 {
		slices.Sort(dst[begin:])
	}
	kept, last := dst[:begin], -1
	for _, i := range dst[begin:] {
		if i != last && t.patterns[i].match(m, severity, dev) {
			kept = append(kept, i)
		}
		last = i
	}
	return kept
}

// find appends the patterns a literal of which is in a text, some of them twice.
func (f *field) find(dst []int, severity syslog.Severity, text []byte) []int {
	if f.automaton == nil || severity > f.least || len(text) == 0 {
		return dst
	}
	var some [16]uint32
	states := f.scan(some[:0], text)
	if len(states) > 1 {
		slices.Sort(states)
		states = slices.Compact(states)
	}
	for _, s := range states {
		dst = f.owners(dst, s)
	}
	return dst
}

// place is a field of a message.
type place uint8

const (
	inNone place = iota
	inMnemonic
	inApp
	inText
)

// pattern is the conditions of a rule, compiled.
type pattern struct {
	least      syslog.Severity
	facilities uint32 // a bit for each
	mnemonics  *words
	apps       *words
	text       string
	within     *automaton // finds text; nil: there is none, or it is there when a literal was found
	re         *regexp.Regexp
	chosen     func(muster.Device) bool

	place    place // where a message that fulfils it holds one of its literals
	literals literals
}

// newPattern compiles a rule that checkRule finds right.
func newPattern(r *Rule) (p pattern, err error) {
	p = pattern{least: syslog.Debug, facilities: ^uint32(0), text: lowered(r.Text), chosen: r.Select}
	if r.Severity != nil {
		p.least = *r.Severity
	}
	if len(r.Facilities) > 0 {
		p.facilities = 0
	}
	for _, f := range r.Facilities {
		p.facilities |= 1 << f
	}
	if p.apps, err = newWords(r.Apps); err != nil {
		return p, fmt.Errorf("apps: %w", err)
	}
	bare := make([]string, len(r.Mnemonics))
	for i, glob := range r.Mnemonics {
		bare[i] = strings.TrimPrefix(glob, "%")
	}
	if p.mnemonics, err = newWords(bare); err != nil {
		return p, fmt.Errorf("mnemonics: %w", err)
	}
	if r.Match != "" {
		if p.re, err = regexp.Compile(r.Match); err != nil {
			return p, fmt.Errorf("match: %w", err)
		}
	}
	p.choose(r)
	return p, nil
}

// choose picks the literals that the fewest messages hold.
func (p *pattern) choose(r *Rule) {
	var text literals
	if r.Text != "" {
		text = literals{p.text}
	}
	for _, c := range []struct {
		place    place
		literals literals
	}{
		{inMnemonic, p.mnemonics.literals()}, {inApp, p.apps.literals()}, {inText, text}, {inText, requiredLiterals(r.Match)},
	} {
		if c.literals.least() > p.literals.least() {
			p.place, p.literals = c.place, c.literals
		}
	}
}

// prove makes what has to be looked at of the text when one of the literals was found: nothing, if the text is the literal.
func (p *pattern) prove(found *automaton) {
	own := p.place == inText && len(p.literals) == 1 && p.literals[0] == p.text && len(p.text) <= found.cut
	if p.text != "" && !own {
		p.within = newAutomaton([]literal{{text: p.text}}, len(p.text))
	}
}

// match tells whether a message fulfils all conditions. The cheap ones come first.
func (p *pattern) match(m *syslog.Message, severity syslog.Severity, dev *muster.Device) bool {
	return severity <= p.least &&
		p.facilities>>(min(m.Facility, 31))&1 != 0 &&
		p.mnemonics.match(mnemonic(m)) &&
		p.apps.match(m.App) &&
		(p.chosen == nil || dev != nil && p.chosen(*dev)) &&
		(p.within == nil || p.within.in(m.Text)) &&
		(p.re == nil || p.re.Match(m.Text))
}
