package alert_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
)

func TestAWrongRuleIsRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	label := func(name, value string) map[string]string { return map[string]string{name: value} }
	for _, c := range []struct {
		rule alert.Rule
		want string
	}{
		{alert.Rule{Kind: "state"}, `rule 1: it has no name, which is what its alerts are called`},
		{alert.Rule{Name: strings.Repeat("x", 101), Kind: "state"}, `its name is longer than 100 letters`},
		{alert.Rule{Name: "a\x1b[2J", Kind: "state"}, `rule "a\x1b[2J": its name has characters that cannot be printed`},
		{alert.Rule{Name: alert.FailingAlert, Kind: "state"}, `this name is muster's own, for a rule that cannot be asked: choose another`},
		{alert.Rule{Name: "x", Kind: "stat"}, `rule "x": unknown kind "stat": there are event, group, log, promql, state, uplink`},
		{alert.Rule{Name: "x"}, `unknown kind "": there are`},
		{alert.Rule{Name: "x", Kind: "state", Expr: "up"}, `expr is not for kind state, which takes for, states`},
		{alert.Rule{Name: "x", Kind: "uplink", Count: 3}, `count is not for kind uplink, which takes for`},
		{alert.Rule{Name: "x", Kind: "event", Event: "backup-failed", For: time.Minute}, `for is not for kind event`},
		{alert.Rule{Name: "x", Kind: "group", Count: 3, Match: "x"}, `match is not for kind group`},
		{alert.Rule{Name: "x", Kind: "state", Keep: 1}, `keep is not for kind state`},
		{alert.Rule{Name: "x", Kind: "promql", Expr: "up", By: "site"}, `by is not for kind promql`},
		{alert.Rule{Name: "x", Kind: "promql", Expr: "up", Least: 1}, `least is not for kind promql`},
		{alert.Rule{Name: "x", Kind: "state", Share: 0.5}, `share is not for kind state`},
		{alert.Rule{Name: "x", Kind: "state", Event: "backup-new"}, `event is not for kind state`},
		{alert.Rule{Name: "x", Kind: "state", Every: 1}, `every is not for kind state`},
		{alert.Rule{Name: "x", Kind: "state", For: -1}, `times and counts are not negative`},
		{alert.Rule{Name: "x", Kind: "state", States: []muster.Health{"dwon"}}, `unknown state "dwon": there are down, degraded, up`},
		{alert.Rule{Name: "x", Kind: "state", States: []muster.Health{"unknown"}}, `state unknown says nothing of a device: name down or degraded`},
		{alert.Rule{Name: "x", Kind: "group"}, `say how many: a count of devices, or a share of them`},
		{alert.Rule{Name: "x", Kind: "group", Count: 1, Share: 0.5}, `a count and a share are two rules: name one of them`},
		{alert.Rule{Name: "x", Kind: "group", Share: 50}, `a share is above 0 and at most 1, which is all of them`},
		{alert.Rule{Name: "x", Kind: "group", Share: 0.5, Least: -1}, `least is a number of devices, and not negative`},
		{alert.Rule{Name: "x", Kind: "group", Count: 1, States: []muster.Health{"bad"}}, `unknown state "bad"`},
		{alert.Rule{Name: "x", Kind: "promql"}, `it has no expr: write a PromQL expression`},
		{alert.Rule{Name: "x", Kind: "promql", Expr: "no("}, `rule "x": expr: 1:4: unclosed left parenthesis`},
		{alert.Rule{Name: "x", Kind: "event"}, `unknown event "": there are backup-changed, backup-failed, backup-good, backup-new, run-done`},
		{alert.Rule{Name: "x", Kind: "event", Event: "health"}, `unknown event "health"`},
		{alert.Rule{Name: "x", Kind: "event", Event: "backup-new", Match: "("}, `match "(" is no regular expression: `},
		{alert.Rule{Name: "x", Kind: "log", Match: "x"}, `match is not for kind log, which takes keep`},
		{alert.Rule{Name: "x", Kind: "log", Count: 5}, `count is not for kind log, which takes keep`},
		{alert.Rule{Name: "x", Kind: "log", For: time.Minute}, `for is not for kind log, which takes keep`},
		{alert.Rule{Name: "x", Kind: "log", Labels: label("source", "y")}, `the label source is the sender's address, and no rule's`},
		{alert.Rule{Name: "x", Kind: "log", Summary: "{{.Severty}}"}, `rule "x": summary: `},
		{alert.Rule{Name: "x", Kind: "state", Labels: label("alertname", "y")}, `the label alertname is the rule's name: change that`},
		{alert.Rule{Name: "x", Kind: "state", Labels: label("device", "y")}, `the label device is the device's name`},
		{alert.Rule{Name: "x", Kind: "state", Labels: label("on-call", "y")}, `label "on-call": a name has letters, digits and _`},
		{alert.Rule{Name: "x", Kind: "state", Labels: label("1st", "y")}, `label "1st": a name`},
		{alert.Rule{Name: "x", Kind: "state", Labels: label("", "y")}, `label "": a name`},
		{alert.Rule{Name: "x", Kind: "state", Labels: label("team", "\xff")}, `label team: its value is no UTF-8`},
		{alert.Rule{Name: "x", Kind: "state", Summary: "{{.Nosuch}}"}, `rule "x": summary: `},
		{alert.Rule{Name: "x", Kind: "state", Description: "{{if}}"}, `rule "x": description: `},
	} {
		err := alert.Check([]alert.Rule{c.rule}, parse)
		var one *alert.RuleError
		if !errors.As(err, &one) || one.Index != 0 || one.Rule != c.rule.Name {
			t.Errorf("%+v: got %v", c.rule, err)
			continue
		}
		if got := err.Error(); !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// parse stands for the parser of PromQL.
func parse(expr string) error {
	if strings.Count(expr, "(") != strings.Count(expr, ")") {
		return errors.New("1:4: unclosed left parenthesis")
	}
	return nil
}

func TestEveryWrongRuleIsNamed(t *testing.T) {
	t.Parallel()
	err := alert.Check([]alert.Rule{{Name: "a", Kind: "state"}, {Name: "a", Kind: "state"}, {Name: "b", Kind: "c"}}, nil)
	want := `rule "a": there is another one of this name: rename one of them
rule "b": unknown kind "c": there are event, group, log, promql, state, uplink`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err := alert.New(t.Context(), alert.Config{Rules: []alert.Rule{{Name: "b", Kind: "c"}}}); err == nil {
		t.Error("an engine was made of it")
	}
}

func TestTheDefaultsAreRight(t *testing.T) {
	t.Parallel()
	if err := alert.Check(alert.Defaults(), parse); err != nil {
		t.Fatal(err)
	}
	for _, r := range alert.Defaults() {
		switch r.Labels[muster.LabelSeverity] {
		case "critical", "warning", "info":
		default:
			t.Errorf("%s has the severity %q", r.Name, r.Labels[muster.LabelSeverity])
		}
	}
}

func TestKindsAreSortedAndSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	all := alert.Kinds()
	for i, k := range all {
		if k.Summary == "" || i > 0 && all[i-1].Name >= k.Name {
			t.Errorf("kind %d is %+v", i, k)
		}
	}
}

func TestEveryKindHasItsFileItsTestAndItsLine(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/guides/add-a-rule.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range alert.Kinds() {
		for _, file := range []string{"rule_" + k.Name + ".go", "rule_" + k.Name + "_test.go"} {
			if _, err := os.Stat(file); err != nil {
				t.Errorf("kind %s: write %s", k.Name, file)
			}
		}
		if !strings.Contains(string(guide), "| `"+k.Name+"` |") {
			t.Errorf("kind %s: write its line in docs/guides/add-a-rule.md", k.Name)
		}
	}
	for _, r := range alert.Defaults() {
		if !strings.Contains(string(guide), "`"+r.Name+"`") {
			t.Errorf("rule %s: name it in docs/guides/add-a-rule.md", r.Name)
		}
	}
}
