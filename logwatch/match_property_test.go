package logwatch_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

// naive evaluates a rule as its documentation reads.
func naive(r logwatch.Rule, m *syslog.Message, dev *muster.Device) bool {
	kind := m.Mnemonic
	if len(kind) == 0 {
		kind = m.MsgID
	}
	severity := min(m.Severity, syslog.Debug)
	if r.Severity != nil && severity > *r.Severity || len(r.Facilities) > 0 && !slices.Contains(r.Facilities, m.Facility) {
		return false
	}
	if !anyGlob(r.Mnemonics, kind) || !anyGlob(r.Apps, m.App) || r.Select != nil && (dev == nil || !r.Select(*dev)) {
		return false
	}
	return bytes.Contains(lowerASCII(m.Text), lowerASCII([]byte(r.Text))) && regexp.MustCompile(r.Match).Match(m.Text)
}

func lowerASCII(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] += 'a' - 'A'
		}
	}
	return out
}

func anyGlob(globs []string, word []byte) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool {
		return globbed(string(lowerASCII([]byte(strings.TrimPrefix(glob, "%")))), string(lowerASCII(word)))
	})
}

// globbed matches a glob in lower case.
func globbed(glob, word string) bool {
	switch {
	case glob == "":
		return word == ""
	case glob[0] == '*':
		for i := 0; i <= len(word); i++ {
			if globbed(glob[1:], word[i:]) {
				return true
			}
		}
		return false
	case glob[0] == '[':
		class, rest, _ := strings.Cut(glob[1:], "]")
		_, size := utf8.DecodeRuneInString(word)
		return size > 0 && regexp.MustCompile("["+strings.Replace(class, "!", "^", 1)+"]").MatchString(word[:size]) && globbed(rest, word[size:])
	case glob[0] == '?':
		_, size := utf8.DecodeRuneInString(word)
		return size > 0 && globbed(glob[1:], word[size:])
	}
	return word != "" && word[0] == glob[0] && globbed(glob[1:], word[1:])
}

// pick returns up to n of some pieces, one after another.
func pick(r *rand.Rand, n int, pieces ...string) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

var (
	textPieces  = []string{"a", "b", "ab", "K", "s", "k", "ſ", "\u212a", "ü", "Ü", " ", "\xff", "\uFFFD", "\n", "0", "1", "down", "DOWN", "ups"}
	matchPieces = []string{
		"a", "b", "ab", "k", "s", "K", "ü", "down", "(?i:ks)", "(?i:ü)b", "(?:a|b)", "(?:down|up)", "[ab]", "[a-s]", "[^a]", "a?", "b+",
		"a*", "(?:ab){2}", "(?:ab){0,2}", ".", `\b`, "^", "$", "(?s:.)", "[0-9]", "\uFFFD", "(?i:[k])", "", "(a|)", `\pL`, "[\u212ak]",
	}
	globPieces = []string{"a", "B", "*", "?", "k", "SYS-", "5", "[ab]", "[!a]", "ü", "."}
	wordPieces = []string{"a", "b", "K", "sys-", "5", "ü", ".", "\xff", "\u212a"}
)

func randomRule(r *rand.Rand, name string) logwatch.Rule {
	rule := logwatch.Rule{Name: name}
	if r.IntN(3) == 0 {
		rule.Severity = severity(syslog.Severity(r.IntN(8)))
	}
	if r.IntN(5) == 0 {
		rule.Facilities = []syslog.Facility{syslog.Facility(r.IntN(3))}
	}
	for range r.IntN(3) {
		if glob := pick(r, 3, globPieces...); glob != "" {
			rule.Mnemonics = append(rule.Mnemonics, glob)
		}
		if glob := pick(r, 2, globPieces...); glob != "" && r.IntN(2) == 0 {
			rule.Apps = append(rule.Apps, glob)
		}
	}
	switch r.IntN(4) {
	case 0:
		rule.Text = strings.ToValidUTF8(pick(r, 3, textPieces...), "")
	case 1, 2:
		rule.Match = pick(r, 4, matchPieces...)
		if r.IntN(3) == 0 {
			rule.Match = "(?i)" + rule.Match
		}
	}
	if r.IntN(6) == 0 {
		rule.Select = inCore
	}
	return rule
}

func randomMessage(r *rand.Rand) syslog.Message {
	return syslog.Message{
		Severity: syslog.Severity(r.IntN(9)), Facility: syslog.Facility(r.IntN(3)),
		Mnemonic: []byte(pick(r, 4, wordPieces...)), MsgID: []byte(pick(r, 2, wordPieces...)), App: []byte(pick(r, 3, wordPieces...)),
		Text: []byte(pick(r, 12, textPieces...)),
	}
}

func TestASetSaysWhatASlowEvaluationSays(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 2))
	devices := []*muster.Device{nil, {Name: "r1"}, {Name: "r2", Group: "core"}}
	matched, asked := 0, 0
	for range 150 {
		var rules []logwatch.Rule
		for len(rules) < 30 {
			rule := randomRule(r, fmt.Sprint(len(rules)))
			if logwatch.Check([]logwatch.Rule{rule}) == nil {
				rules = append(rules, rule)
			}
		}
		set := compiled(t, rules...)
		for range 50 {
			m, dev := randomMessage(r), devices[r.IntN(len(devices))]
			var want []int
			for i, rule := range rules {
				if naive(rule, &m, dev) {
					want = append(want, i)
				}
			}
			if got := set.Match(nil, &m, dev); !slices.Equal(got, want) {
				t.Fatalf("got %v, want %v of\n%+v\nfor %+v, text %q", got, want, rules, m, m.Text)
			}
			matched, asked = matched+len(want), asked+len(rules)
		}
	}
	if matched < asked/100 || matched > asked/2 {
		t.Errorf("%d of %d matched: the test has not tried much", matched, asked)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(`(?i)proce[sS]+ \S+ (?:failed|lost)`, "Lost", "SYS-?-[A-C]*", "SYS-5-CONFIG_I", "proceß x LOST K")
	f.Add(`^(a|bc)?d{2,3}\b`, "d", "*", "", "bcddd\xff\uFFFD")
	f.Add(`(?i)k\x{FFFD}ü`, "Ü", "a[^b]", "AK", "\u212a\xffÜ")
	f.Fuzz(func(t *testing.T, match, text, glob, word, message string) {
		if strings.Contains(glob, "[") || strings.Count(glob, "*") > 2 || len(word) > 200 {
			glob = "*" // the slow evaluation knows no odd classes, and is very slow with many stars
		}
		rules := []logwatch.Rule{
			{Name: "match", Match: match, Select: inCore}, {Name: "text", Text: text, Select: inCore},
			{Name: "glob", Mnemonics: []string{glob, "x"}}, {Name: "all", Match: match, Text: text, Apps: []string{glob}, Select: inCore},
		}
		set, err := logwatch.Compile(rules)
		if err != nil {
			t.Skip(err)
		}
		m := said(word, word, message)
		dev := &muster.Device{Group: "core"}
		var want []int
		for i, r := range rules {
			if naive(r, &m, dev) {
				want = append(want, i)
			}
		}
		if got := set.Match(nil, &m, dev); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
