package logwatch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

func severity(s syslog.Severity) *syslog.Severity { return &s }

func inCore(d muster.Device) bool { return d.Group == "core" }

// said is a message of severity notice and facility local7.
func said(mnemonic, app, text string) syslog.Message {
	return syslog.Message{
		Facility: syslog.Local7, Severity: syslog.Notice, Mnemonic: []byte(mnemonic), App: []byte(app), Text: []byte(text),
	}
}

func TestARuleIsFulfilledWhenAllItsConditionsHold(t *testing.T) {
	t.Parallel()
	core := &muster.Device{Name: "r1", Group: "core"}
	config := said("SYS-5-CONFIG_I", "", "Configured from console by admin on vty0 (192.0.2.17)")
	refused := said("", "sshd", "Failed password for root from 192.0.2.17 port 51234 ssh2")
	committed := said("", "mgd", "User 'admin' requested 'commit' operation")
	committed.MsgID = []byte("UI_COMMIT")
	crashed := said("", "bgpd", "Received signal 11")
	crashed.Severity = syslog.Critical
	odd := syslog.Message{Severity: 200, Facility: 200, Text: []byte("x")}
	long := said("", "", strings.Repeat("x", 200)+" the rest of a text that is longer than what is looked for first")

	for _, c := range []struct {
		name string
		rule logwatch.Rule
		of   syslog.Message
		dev  *muster.Device
		want bool
	}{
		{"as bad as the severity", logwatch.Rule{Severity: severity(syslog.Critical)}, crashed, nil, true},
		{"worse than the severity", logwatch.Rule{Severity: severity(syslog.Error)}, crashed, nil, true},
		{"not as bad as the severity", logwatch.Rule{Severity: severity(syslog.Alert)}, crashed, nil, false},
		{"severity emergency is no missing severity", logwatch.Rule{Severity: severity(syslog.Emergency)}, crashed, nil, false},
		{"one of the facilities", logwatch.Rule{Facilities: []syslog.Facility{syslog.Kern, syslog.Local7}}, config, nil, true},
		{"none of the facilities", logwatch.Rule{Facilities: []syslog.Facility{syslog.Kern, syslog.Local0}}, config, nil, false},
		{"a facility and a severity that there are none of", logwatch.Rule{Facilities: []syslog.Facility{syslog.Local7}}, odd, nil, false},
		{"a severity that there is none of is the least", logwatch.Rule{Severity: severity(syslog.Debug)}, odd, nil, true},
		{"the mnemonic", logwatch.Rule{Mnemonics: []string{"SYS-5-CONFIG_I"}}, config, nil, true},
		{"the mnemonic in lower case", logwatch.Rule{Mnemonics: []string{"sys-5-config_i"}}, config, nil, true},
		{"the mnemonic as Cisco prints it", logwatch.Rule{Mnemonics: []string{"%SYS-5-CONFIG_I"}}, config, nil, true},
		{"a part of the mnemonic", logwatch.Rule{Mnemonics: []string{"SYS-5-CONFIG"}}, config, nil, false},
		{"any of some mnemonics", logwatch.Rule{Mnemonics: []string{"UI_COMMIT", "SYS-*-CONFIG_*"}}, config, nil, true},
		{"the MSGID where there is no mnemonic", logwatch.Rule{Mnemonics: []string{"UI_COMMIT*"}}, committed, nil, true},
		{"a mnemonic of a message without", logwatch.Rule{Mnemonics: []string{"*"}}, refused, nil, true},
		{"a ? is one character", logwatch.Rule{Mnemonics: []string{"SYS-?-CONFIG_I"}}, config, nil, true},
		{"a ? is not none", logwatch.Rule{Mnemonics: []string{"SYS-5-?CONFIG_I"}}, config, nil, false},
		{"a character of a class", logwatch.Rule{Mnemonics: []string{"[r-t]ys-[0-5]-*"}}, config, nil, true},
		{"no character of a class", logwatch.Rule{Mnemonics: []string{"SYS-[0-4]-*"}}, config, nil, false},
		{"a character beside a class", logwatch.Rule{Mnemonics: []string{"SYS-[!0-4]-*"}}, config, nil, true},
		{"a dot is a dot", logwatch.Rule{Mnemonics: []string{"SYS-5.CONFIG_I*"}}, config, nil, false},
		{"the app", logwatch.Rule{Apps: []string{"SSHD"}}, refused, nil, true},
		{"another app", logwatch.Rule{Apps: []string{"ssh"}}, refused, nil, false},
		{"app and mnemonic of which one holds", logwatch.Rule{Apps: []string{"sshd"}, Mnemonics: []string{"SSH-*"}}, refused, nil, false},
		{"the text in upper case", logwatch.Rule{Text: "FAILED PASSWORD"}, refused, nil, true},
		{"a text that is not there", logwatch.Rule{Text: "failed passwords"}, refused, nil, false},
		{"a long text", logwatch.Rule{Text: "THE REST of a text that is longer than what is looked for first"}, long, nil, true},
		{"a long text that ends otherwise", logwatch.Rule{Text: "the rest of a text that is longer than what is looked for last"}, long, nil, false},
		{"a text beside an app", logwatch.Rule{Apps: []string{"a-program-of-a-long-name", "sshd"}, Text: "root"}, refused, nil, true},
		{"text and match of which one holds", logwatch.Rule{Text: "password", Match: "Accepted"}, refused, nil, false},
		{"the mnemonic is no part of the text", logwatch.Rule{Text: "CONFIG_I"}, config, nil, false},
		{"an expression", logwatch.Rule{Match: `for (root|admin) from [\d.]+ port`}, refused, nil, true},
		{"an expression in another case", logwatch.Rule{Match: `failed`}, refused, nil, false},
		{"an expression that ignores case", logwatch.Rule{Match: `(?i)failed PASSWORD`}, refused, nil, true},
		{"an expression that ignores case beyond ASCII", logwatch.Rule{Match: `(?i)risk`}, said("", "", "RI\u017f\u212a"), nil, true},
		{"an expression of bytes that are no UTF-8", logwatch.Rule{Match: "a\uFFFDb"}, said("", "", "a\xffb"), nil, true},
		{"an expression that is anything", logwatch.Rule{Match: `.*`}, said("", "", ""), nil, true},
		{"a device that is selected", logwatch.Rule{Select: inCore}, config, core, true},
		{"a device that is not selected", logwatch.Rule{Select: inCore}, config, &muster.Device{Name: "r2"}, false},
		{"an unknown sender is selected by nobody", logwatch.Rule{Text: "configured", Select: func(muster.Device) bool { return true }}, config, nil, false},
		{"an unknown sender where none are selected", logwatch.Rule{Text: "configured"}, config, nil, true},
		{"a device where none are selected", logwatch.Rule{Text: "configured"}, config, core, true},
		{"a count does not matter", logwatch.Rule{Text: "configured", Count: 5, Within: 1}, config, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.rule.Name = c.name
			set := compiled(t, c.rule)
			if got := len(set.Match(nil, &c.of, c.dev)) == 1; got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if got := naive(c.rule, &c.of, c.dev); got != c.want {
				t.Errorf("the slow evaluation says %v", got)
			}
		})
	}
}

func compiled(t testing.TB, rules ...logwatch.Rule) *logwatch.Set {
	t.Helper()
	set, err := logwatch.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestASetKeepsTheOrderOfItsRules(t *testing.T) {
	t.Parallel()
	set := compiled(t,
		logwatch.Rule{Name: "a", Text: "down"},
		logwatch.Rule{Name: "b", Severity: severity(syslog.Debug)},
		logwatch.Rule{Name: "c", Text: "up"},
		logwatch.Rule{Name: "d", Mnemonics: []string{"LINK-*"}},
		logwatch.Rule{Name: "e", Match: "(down|Interface)"},
		logwatch.Rule{Name: "f", Apps: []string{"ifmgr"}},
		logwatch.Rule{Name: "g", Severity: severity(syslog.Critical)},
	)
	m := said("LINK-3-UPDOWN", "ifmgr", "Interface Gi0/1, changed state to down, down and down")
	got := set.Match([]int{99, 1}, &m, nil)
	if want := []int{99, 1, 0, 1, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := compiled(t).Match(nil, &m, nil); len(got) != 0 {
		t.Errorf("no rules match %v", got)
	}
}

// manyWords are rules whose literals need more states than a table may have.
func manyWords() []logwatch.Rule {
	r := rand.New(rand.NewPCG(1, 1))
	all := make([]logwatch.Rule, 3000)
	for i := range all {
		word := make([]byte, 40)
		for j := range word {
			word[j] = '!' + byte(r.IntN('~'-'!'))
		}
		all[i] = logwatch.Rule{Name: fmt.Sprint(i), Text: string(word)}
	}
	return all
}

func TestMoreLiteralsThanATableHoldsAreStillFound(t *testing.T) {
	t.Parallel()
	rules := manyWords()
	set := compiled(t, rules...)
	for i := 0; i < len(rules); i += 17 {
		m := said("", "", "xx"+strings.ToUpper(rules[i].Text))
		if got := set.Match(nil, &m, nil); !slices.Equal(got, []int{i}) {
			t.Fatalf("rule %d: got %v", i, got)
		}
	}
}

func TestTextsThatRepeatWhatIsLookedForAreFoundOnce(t *testing.T) {
	t.Parallel()
	var rules []logwatch.Rule
	for _, w := range strings.Fields("e er err erro error o or r ro ror rer rerr xe z y x w v u t s q") {
		rules = append(rules, logwatch.Rule{Name: w, Text: w})
	}
	set := compiled(t, rules...)
	m := said("", "", strings.Repeat("errorerrorxerrorzyxwvutsq", 3000))
	if got := set.Match(nil, &m, nil); len(got) != len(rules) {
		t.Errorf("got %v", got)
	}
}

func TestTheLiteralsThatAnExpressionNeeds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, want string }{
		{`changed state to down`, "changed state to down"},
		{`^Interface \S+, changed state to (up|down)$`, ", changed state to down|, changed state to up"},
		{`(?i)Process \S+ FAILED`, "process |\u017f"},
		{`power supply [12] failed`, "power supply 1 failed|power supply 2 failed"},
		{`colou?r`, "color|colour"},
		{`(ab|cd)+x`, "ab|cd"},
		{`(?:neighbor ){2,}`, "neighbor "},
		{`x*(?:fan|psu)? tray`, " tray|fan tray|psu tray"},
		{`\bdisk\b.error`, "error"},
		{`(?i)grüße`, "gr"},
		{`GRÜSSE`, "grÜsse"},
		{`a\x{FFFD}bc`, "bc"},
		{`(?:loss|.*)`, ""},
		{`[^a]`, ""},
		{`.*`, ""},
		{``, ""},
		{`(`, ""},
	} {
		t.Run(c.source, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(logwatch.RequiredLiterals(c.source), "|"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
