package settings

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings/strict"
)

func (c checker) alerts(n strict.Node, a Alerts) Problems {
	var p Problems
	if a.Alertmanager != "" && len(a.URL) > 0 {
		p = append(p, n.Get("url").Problem("alertmanager is the one in muster and url one elsewhere: keep one of them"))
	}
	rules := items(n.Get("rules"))
	for i, r := range a.Rules {
		before := func(o Rule) bool { return o.Name == r.Name }
		if r.Name != "" && slices.ContainsFunc(a.Rules[:i], before) {
			p = append(p, rules[i].Get("name").Problem("a rule is named %q already", r.Name))
		}
		p = append(p, c.rule(rules[i], r)...)
	}
	return p
}

var ruleKeys = meaning{"when", []string{"event", "group", "log", "promql", "state", "uplink"}, map[string][]string{
	"for":   {"group", "promql", "state", "uplink"},
	"state": {"group", "state"}, "states": {"group", "state"},
	"select": {"event", "group", "log", "promql", "state"},
	"count":  {"event", "group", "log"},
	"share":  {"group"}, "least": {"group"}, "by": {"group"},
	"expr": {"promql"}, "every": {"promql"},
	"event": {"event"}, "match": {"event", "log"}, "keep": {"event", "log"},
	"severity": {"log"}, "facility": {"log"}, "app": {"log"}, "mnemonic": {"log"}, "text": {"log"}, "within": {"log"}, "noisy": {"log"},
}}

func (c checker) rule(n strict.Node, r Rule) Problems {
	if bad := c.kind(n, r); bad != nil {
		return Problems{bad} // what it should have depends on its kind
	}
	p := append(c.selection(n, r.Select), c.messages(n, r.Severity, r.Facility)...)
	for _, bad := range []*strict.Problem{missing(n, r), numbers(n, r), expression(n, "match", r.Match)} {
		if bad != nil {
			p = append(p, bad)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		if why := badLabel(name); why != "" {
			p = append(p, n.Get("labels").Get(name).Problem("labels: %s", why))
		}
	}
	if len(p) > 0 || c.options.Rule == nil {
		return p
	}
	if field, err := c.options.Rule(r); err != nil {
		p = append(p, at(n, field).Problem("%v", err))
	}
	return p
}

// kind checks name and kind of a rule, and that its keys are of that kind.
func (c checker) kind(n strict.Node, r Rule) *strict.Problem {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return n.Problem("the rule has no name: add name: NAME")
	case r.When == "":
		return n.Problem("the rule does not say when: add when: state, or another kind")
	case c.options.Rules != nil && !slices.Contains(c.options.Rules(), r.When):
		return n.Get("when").Problem("unknown kind of rule %q%s", r.When, strict.Hint(r.When, c.options.Rules()))
	}
	return ruleKeys.misplaced(n, r.When)
}

// missing says what a rule of its kind cannot do without.
func missing(n strict.Node, r Rule) *strict.Problem {
	switch {
	case r.When == "group" && r.Count == 0 && r.Share == 0:
		return n.Problem("the rule does not say how many: add count: 3 or share: 50%%")
	case r.When == "promql" && strings.TrimSpace(r.Expr) == "":
		return n.Problem("the rule has no expression: add expr:")
	case r.When == "log" && !says(n):
		return n.Problem("the rule does not say which messages: add severity: critical, mnemonic:, text: or another")
	case r.When == "event" && r.Event == "":
		return n.Problem("the rule does not say which event: add event: %s, or another", muster.EventBackupFailed)
	}
	return nil
}

// numbers checks the numbers of a rule, and what excludes each other.
func numbers(n strict.Node, r Rule) *strict.Problem {
	switch {
	case n.Get("count").Present() && r.Count < 1:
		return n.Get("count").Problem("count must be at least 1")
	case n.Get("least").Present() && r.Least < 1:
		return n.Get("least").Problem("least must be at least 1")
	case r.When == "log" && r.Count > 1 && r.Within == 0:
		return n.Get("count").Problem("so many messages within which time? add within: 5m")
	case r.Within != 0 && r.Count < 2:
		return at(n, "count", "within").Problem("how many messages within that time? add count: 5, or another from 2 on")
	case r.Count > 0 && r.Share > 0:
		return n.Get("share").Problem("count and share are two ways to say it: keep one of them")
	case r.State != nil && r.States != nil:
		return n.Get("states").Problem("state and states are the same: keep one of them")
	}
	return nil
}

// labelName is what can be the name of a label.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func badLabel(name string) string {
	switch {
	case name == muster.LabelAlert:
		return "alertname is the name of the rule"
	case !labelName.MatchString(name):
		return "a name is letters, digits and _, and does not begin with a digit"
	}
	return ""
}

// listed joins words as a person says them.
func listed(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
