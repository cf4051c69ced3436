package alert

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostName is how many letters the name of a rule may have.
const mostName = 100

// fields tells which fields of a Rule are set that not every kind has.
var fields = []struct {
	name string
	set  func(Rule) bool
}{
	{"by", func(r Rule) bool { return r.By != "" }},
	{"count", func(r Rule) bool { return r.Count != 0 }},
	{"event", func(r Rule) bool { return r.Event != "" }},
	{"every", func(r Rule) bool { return r.Every != 0 }},
	{"expr", func(r Rule) bool { return r.Expr != "" }},
	{"for", func(r Rule) bool { return r.For != 0 }},
	{"keep", func(r Rule) bool { return r.Keep != 0 }},
	{"least", func(r Rule) bool { return r.Least != 0 }},
	{"match", func(r Rule) bool { return r.Match != "" }},
	{"share", func(r Rule) bool { return r.Share != 0 }},
	{"states", func(r Rule) bool { return len(r.States) > 0 }},
}

// Check says what is wrong with rules: a *RuleError for each that is wrong, joined. parse says what is wrong with a PromQL
// expression; nil: nobody looks at them.
func Check(rules []Rule, parse func(expr string) error) error {
	var all []error
	seen := map[string]bool{}
	for i, r := range rules {
		err := checkRule(r, parse)
		if err == nil && seen[r.Name] {
			err = errors.New("there is another one of this name: rename one of them")
		}
		if err != nil {
			all = append(all, &RuleError{i, r.Name, err})
		}
		seen[r.Name] = true
	}
	return errors.Join(all...)
}

func checkRule(r Rule, parse func(string) error) error {
	if err := checkName(r.Name); err != nil {
		return err
	}
	k, err := lookup(r.Kind)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if f.set(r) && !slices.Contains(k.fields, f.name) {
			return fmt.Errorf("%s is not for kind %s, which takes %s", f.name, k.Name, strings.Join(k.fields, ", "))
		}
	}
	if r.For < 0 || r.Every < 0 || r.Keep < 0 || r.Count < 0 {
		return errors.New("times and counts are not negative")
	}
	if err := cmp.Or(checkLabels(r.Labels), k.check(r)); err != nil {
		return err
	}
	if r.Expr != "" && parse != nil {
		if err := parse(r.Expr); err != nil {
			return fmt.Errorf("expr: %w", err)
		}
	}
	return checkTexts(r, k)
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("it has no name, which is what its alerts are called")
	case name == FailingAlert:
		return errors.New("this name is muster's own, for a rule that cannot be asked: choose another")
	case utf8.RuneCountInString(name) > mostName:
		return fmt.Errorf("its name is longer than %d letters", mostName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("its name has characters that cannot be printed")
	}
	return nil
}

// checkTexts looks at the templates.
func checkTexts(r Rule, k kind) error {
	if _, err := parseText(r.Summary, k.summary); err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	if _, err := parseText(r.Description, k.description); err != nil {
		return fmt.Errorf("description: %w", err)
	}
	return nil
}
