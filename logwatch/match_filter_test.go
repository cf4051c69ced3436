package logwatch_test

import (
	"slices"
	"testing"

	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

func TestAFilterTellsWhoHearsNoise(t *testing.T) {
	t.Parallel()
	rules := []logwatch.Rule{
		{Name: "deaf", Severity: severity(syslog.Critical)}, {Name: "noisy", Text: "connection", Noisy: true}, {Name: "other", Text: "nothing"},
	}
	f, err := logwatch.NewFilter(rules, logwatch.Noise())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, app, text string
		hits            []int
		noise           string
	}{
		{"noise", "sshd", "fatal: Read from socket failed: Connection reset by peer [preauth]", []int{7, 1}, "sshd-fatal-disconnect"},
		{"no noise", "sshd", "fatal: no connection", []int{7, 0, 1}, ""},
		{"no noise, and no text", "sshd", "fatal: no memory", []int{7, 0}, ""},
	} {
		m := said("", c.app, c.text)
		m.Severity = syslog.Critical
		hits, name := f.Match([]int{7}, &m, nil)
		if !slices.Equal(hits, c.hits) || name != c.noise {
			t.Errorf("%s: got %v, %q, want %v, %q", c.name, hits, name, c.hits, c.noise)
		}
	}
}

// BenchmarkNoise asks the shipped noise about messages that are none.
func BenchmarkNoise(b *testing.B) {
	set, err := logwatch.CompileNoise(logwatch.Noise())
	if err != nil {
		b.Fatal(err)
	}
	benchMatch(b, messages(), func(hits []int, m *syslog.Message) []int {
		if name, ok := set.Find(m, nil); ok {
			b.Fatalf("%s is %s", m.Text, name)
		}
		return hits
	})
}

// BenchmarkFilter asks 1,000 rules and the shipped noise about messages that are neither.
func BenchmarkFilter(b *testing.B) {
	f, err := logwatch.NewFilter(manyRules(1000), logwatch.Noise())
	if err != nil {
		b.Fatal(err)
	}
	benchMatch(b, messages(), func(hits []int, m *syslog.Message) []int {
		hits, noise := f.Match(hits, m, nil)
		if noise != "" {
			b.Fatalf("%s is %s", m.Text, noise)
		}
		return hits
	})
}
