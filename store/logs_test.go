package store_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

func TestLogQueryMatches(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	line := muster.LogLine{
		Received: at, Source: netip.MustParseAddr("198.18.0.1"), Device: "r1", Severity: "error", App: "postfix/smtpd",
		Mnemonic: "LINK-3-UPDOWN", Message: "Interface Gi0/1, changed state to down", Raw: "<187>12: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down",
	}
	for name, c := range map[string]struct {
		query store.LogQuery
		want  bool
	}{
		"the zero value wants all":                {store.LogQuery{}, true},
		"since the very moment":                   {store.LogQuery{Since: at}, true},
		"since a moment later":                    {store.LogQuery{Since: at.Add(1)}, false},
		"until the very moment":                   {store.LogQuery{Until: at}, false},
		"until a moment later":                    {store.LogQuery{Until: at.Add(1)}, true},
		"the device":                              {store.LogQuery{Devices: []string{"r2", "r1"}}, true},
		"the address":                             {store.LogQuery{Devices: []string{"198.18.0.1"}}, true},
		"the address as IPv6 writes it":           {store.LogQuery{Devices: []string{"::ffff:198.18.0.1"}}, true},
		"another device":                          {store.LogQuery{Devices: []string{"r11", "198.18.0.11"}}, false},
		"a device without a name":                 {store.LogQuery{Devices: []string{""}}, false},
		"as bad as that":                          {store.LogQuery{Severity: "error"}, true},
		"worse than what is asked for":            {store.LogQuery{Severity: "debug"}, true},
		"not as bad":                              {store.LogQuery{Severity: "critical"}, false},
		"an application by its beginning":         {store.LogQuery{App: "postfix*"}, true},
		"an application is not a part":            {store.LogQuery{App: "smtpd"}, false},
		"a mnemonic by pattern":                   {store.LogQuery{Mnemonic: "LINK-?-*"}, true},
		"another mnemonic":                        {store.LogQuery{Mnemonic: "SYS-*"}, false},
		"text of any case":                        {store.LogQuery{Text: "interface GI0/1"}, true},
		"text that only the raw message has":      {store.LogQuery{Text: "<187>"}, true},
		"text that it has not":                    {store.LogQuery{Text: "changed state to up"}, false},
		"a regexp of the raw message":             {store.LogQuery{Match: regexp.MustCompile(`^<\d+>.*down$`)}, true},
		"a regexp keeps to the case":              {store.LogQuery{Match: regexp.MustCompile(`interface`)}, false},
		"everything has to fit, and one does not": {store.LogQuery{Devices: []string{"r1"}, Text: "down", Severity: "alert"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := c.query.Check(); err != nil {
				t.Fatal(err)
			}
			if got := c.query.Matches(&line); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if (&store.LogQuery{Devices: []string{"198.18.0.1"}}).Matches(&muster.LogLine{}) {
		t.Error("a line without a source was taken for one of an address")
	}
	if (&store.LogQuery{Severity: "debug"}).Matches(&muster.LogLine{Severity: "loud"}) {
		t.Error("an unknown severity was taken for one that is bad enough")
	}
}

func TestLogQueryCheck(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		query store.LogQuery
		want  string
	}{
		"a severity that is none":     {store.LogQuery{Severity: "bad"}, `unknown severity "bad": there are emergency, alert, `},
		"a time that ends too early":  {store.LogQuery{Since: at, Until: at.Add(-1)}, "ends before it begins"},
		"an empty time is only empty": {store.LogQuery{Since: at, Until: at}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.query.Check()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"?", "", false}, {"?", "a", true}, {"a", "ab", false},
		{"a*", "ab", true}, {"*b", "ab", true}, {"*b*c", "abbc", true}, {"*b*c", "abbcd", false}, {"a?c", "abc", true}, {"a**c", "ac", true},
		{"ab", "a", false}, {"[a]", "a", false}, {"*a", strings.Repeat("b", 1000) + "a", true}, {"a*b?", "aab", false},
	} {
		if got := store.Glob(c.pattern, c.text); got != c.want {
			t.Errorf("Glob(%q, %q): got %v", c.pattern, c.text, got)
		}
	}
}
