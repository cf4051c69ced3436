package logwatch

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/musternet/muster/syslog"
)

// Limits of a Rule.
const (
	// MostCount is the largest Count: the times of so many messages are kept for each sender.
	MostCount = 1000

	mostName    = 100     // letters, as the rules of alerts have it, which are named alike
	mostPattern = 4 << 10 // bytes of a glob, Text or Match
)

// Check says what is wrong with rules: a *RuleError for each that is wrong, joined.
func Check(rules []Rule) error {
	_, err := compileRules(rules)
	return err
}

// compileRules checks and compiles rules. Those that are wrong are left at their zero value.
func compileRules(rules []Rule) ([]pattern, error) {
	var all []error
	seen := map[string]bool{}
	patterns := make([]pattern, len(rules))
	for i := range rules {
		r := &rules[i]
		err := checkRule(r)
		if err == nil && seen[r.Name] {
			err = errors.New("there is another one of this name: rename one of them")
		}
		if err == nil {
			patterns[i], err = newPattern(r)
		}
		if err != nil {
			all = append(all, &RuleError{i, r.Name, err})
		}
		seen[r.Name] = true
	}
	return patterns, errors.Join(all...)
}

// checkRule says what is wrong with a rule, but for its patterns, which compiling them tells.
func checkRule(r *Rule) error {
	return cmp.Or(checkName(r.Name), checkConditions(r), checkTexts(r), checkWindow(r))
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("it has no name, which is what people are told")
	case utf8.RuneCountInString(name) > mostName:
		return fmt.Errorf("its name is longer than %d letters", mostName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("its name has characters that cannot be printed")
	}
	return nil
}

func checkConditions(r *Rule) error {
	if r.anything() {
		return errors.New("it has no condition: name a severity, a facility, an app, a mnemonic, a text, a match or devices;" +
			" severity debug is each message")
	}
	if r.Severity != nil && *r.Severity > syslog.Debug {
		return fmt.Errorf("severity %d: there are 0 (emergency) to 7 (debug)", *r.Severity)
	}
	for _, f := range r.Facilities {
		if f > syslog.Local7 {
			return fmt.Errorf("facility %d: there are 0 (kern) to 23 (local7)", f)
		}
	}
	return nil
}

func checkTexts(r *Rule) error {
	for _, f := range []struct {
		name  string
		texts []string
	}{{"apps", r.Apps}, {"mnemonics", r.Mnemonics}, {"text", []string{r.Text}}, {"match", []string{r.Match}}} {
		for _, text := range f.texts {
			if len(text) > mostPattern {
				return fmt.Errorf("%s: longer than %d bytes: make several rules of it", f.name, mostPattern)
			}
			if !utf8.ValidString(text) {
				return fmt.Errorf("%s: %q is no UTF-8: save the file as UTF-8", f.name, text)
			}
		}
	}
	return cmp.Or(checkMnemonic("text", r.Text), checkMnemonic("match", r.Match))
}

// cisco is a mnemonic as Cisco prints it before the text.
var cisco = regexp.MustCompile(`%([A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)?-[0-7]-[A-Za-z0-9_]+)`)

// checkMnemonic refuses what was written to be found in a whole line: it would never be found in the text.
func checkMnemonic(field, text string) error {
	if found := cisco.FindStringSubmatch(text); found != nil {
		return fmt.Errorf("%s: %s is a mnemonic, which is no part of the text: move it to mnemonics", field, found[1])
	}
	return nil
}

func checkWindow(r *Rule) error {
	switch {
	case r.Count < 0 || r.Within < 0:
		return errors.New("times and counts are not negative")
	case r.Count > MostCount:
		return fmt.Errorf("count %d: at most %d messages are counted", r.Count, MostCount)
	case r.windowed() && r.Within == 0:
		return fmt.Errorf("count %d: within which time? Add within, such as 5m", r.Count)
	case !r.windowed() && r.Within > 0:
		return fmt.Errorf("within %v: how many messages? Add count, at least 2", r.Within)
	}
	return nil
}
