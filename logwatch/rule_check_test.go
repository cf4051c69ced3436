package logwatch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

func TestCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		rule logwatch.Rule
		want string // empty: nothing
	}{
		{"a rule", logwatch.Rule{Name: "r", Text: "down"}, ""},
		{"a rule of everything", logwatch.Rule{
			Name: "r", Severity: severity(7), Facilities: []syslog.Facility{23}, Apps: []string{"a*"}, Mnemonics: []string{"%A-[0-3]-B"},
			Text: "x", Match: "[xy]", Select: func(muster.Device) bool { return true }, Count: logwatch.MostCount, Within: time.Minute, Noisy: true,
		}, ""},
		{"no name", logwatch.Rule{Text: "down"}, "rule 1: it has no name, which is what people are told"},
		{"a long name", logwatch.Rule{Name: strings.Repeat("ä", 101), Text: "x"}, "its name is longer than 100 letters"},
		{"a name with a line end", logwatch.Rule{Name: "a\nb", Text: "x"}, `rule "a\nb": its name has characters that cannot be printed`},
		{"no condition", logwatch.Rule{Name: "r", Noisy: true}, `rule "r": it has no condition: name a severity`},
		{"a severity that there is none of", logwatch.Rule{Name: "r", Severity: severity(8)}, "severity 8: there are 0 (emergency) to 7 (debug)"},
		{"a facility that there is none of", logwatch.Rule{Name: "r", Facilities: []syslog.Facility{24}}, "facility 24: there are 0 (kern) to 23 (local7)"},
		{"an empty glob", logwatch.Rule{Name: "r", Apps: []string{"a", ""}}, "apps: one of them is empty: remove it, or write *"},
		{"an open bracket", logwatch.Rule{Name: "r", Mnemonics: []string{"A-[0-3"}}, `mnemonics: "A-[0-3": a [ without its ]`},
		{"an empty bracket", logwatch.Rule{Name: "r", Mnemonics: []string{"A-[!]"}}, `mnemonics: "A-[!]": [!] holds no character`},
		{"a range that goes down", logwatch.Rule{Name: "r", Apps: []string{"[z-a]"}}, `apps: "[z-a]": [z-a] is no list of characters: write [abc] or [a-c]`},
		{"an expression with a mistake", logwatch.Rule{Name: "r", Match: "(down"}, "match: error parsing regexp: missing closing ): `(down`"},
		{"an expression of another language", logwatch.Rule{Name: "r", Match: `(?<!a)b`}, "match: error parsing regexp"},
		{"a mnemonic in an expression", logwatch.Rule{Name: "r", Match: `%LINK-3-UPDOWN: .* down`}, "match: LINK-3-UPDOWN is a mnemonic, which is no part of the text: move it to mnemonics"},
		{"a mnemonic in a text", logwatch.Rule{Name: "r", Text: `%ASA-6-302013:`}, "text: ASA-6-302013 is a mnemonic"},
		{"a percentage in an expression", logwatch.Rule{Name: "r", Match: `9\d% of CPU-5 used`}, ""},
		{"a text that is no UTF-8", logwatch.Rule{Name: "r", Text: "a\xff"}, `text: "a\xff" is no UTF-8: save the file as UTF-8`},
		{"a very long expression", logwatch.Rule{Name: "r", Match: strings.Repeat("x", 5000)}, "match: longer than 4096 bytes: make several rules of it"},
		{"a negative count", logwatch.Rule{Name: "r", Text: "x", Count: -1}, "times and counts are not negative"},
		{"a large count", logwatch.Rule{Name: "r", Text: "x", Count: 1001, Within: time.Hour}, "count 1001: at most 1000 messages are counted"},
		{"a count without a time", logwatch.Rule{Name: "r", Text: "x", Count: 5}, "count 5: within which time? Add within, such as 5m"},
		{"a time without a count", logwatch.Rule{Name: "r", Text: "x", Count: 1, Within: time.Minute}, "within 1m0s: how many messages? Add count, at least 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := logwatch.Check([]logwatch.Rule{c.rule})
			_, compileErr := logwatch.Compile([]logwatch.Rule{c.rule})
			if c.want == "" && (err != nil || compileErr != nil) {
				t.Fatalf("it is right, but: %v, %v", err, compileErr)
			}
			if c.want == "" {
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if compileErr == nil || compileErr.Error() != err.Error() {
				t.Errorf("Compile says %v", compileErr)
			}
			var one *logwatch.RuleError
			if !errors.As(err, &one) || one.Index != 0 || one.Rule != c.rule.Name {
				t.Errorf("it is no RuleError of the rule: %#v", one)
			}
		})
	}
}

func TestCheckFindsAllRulesThatAreWrong(t *testing.T) {
	t.Parallel()
	err := logwatch.Check([]logwatch.Rule{{Name: "a", Text: "x"}, {Name: "b"}, {Name: "a", Text: "y"}, {Text: "z"}})
	var places []int
	for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
		var r *logwatch.RuleError
		if errors.As(one, &r) {
			places = append(places, r.Index)
		}
	}
	if len(places) != 3 || places[0] != 1 || places[1] != 2 || places[2] != 3 {
		t.Errorf("rules %v are wrong, by %v", places, err)
	}
	if !strings.Contains(err.Error(), `rule "a": there is another one of this name: rename one of them`) {
		t.Errorf("got %v", err)
	}
}
