package logwatch_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

// lines are texts as routers, switches and servers send them, none of which the rules of manyRules are about.
var lines = []struct{ app, mnemonic, text string }{
	{"", "LINEPROTO-5-UPDOWN", "Line protocol on Interface GigabitEthernet1/0/17, changed state to up"},
	{"", "SYS-5-CONFIG_I", "Configured from console by admin on vty0 (192.0.2.17)"},
	{"", "SEC-6-IPACCESSLOGP", "list 110 denied tcp 192.0.2.17(51234) -> 198.51.100.4(445), 1 packet"},
	{"", "BGP-5-ADJCHANGE", "neighbor 198.51.100.9 Up"},
	{"", "ASA-6-302013", "Built outbound TCP connection 8437621 for outside:198.51.100.4/443 (198.51.100.4/443) to inside:192.0.2.17/51234 (192.0.2.17/51234)"},
	{"sshd", "", "Accepted publickey for admin from 192.0.2.17 port 51234 ssh2: ED25519 SHA256:4pd0"},
	{"bgpd", "", "%NOTIFICATION: received from neighbor 198.51.100.9 4/0 (Hold Timer Expired)"},
	{"rpd", "", "bgp_recv: peer 198.51.100.9 (External AS 64500): received unexpected EOF"},
	{"mgd", "UI_COMMIT", "User 'admin' requested 'commit' operation (comment: none)"},
	{"kernel", "", "eth0: link becomes ready"},
}

func messages() []syslog.Message {
	all := make([]syslog.Message, len(lines))
	for i, l := range lines {
		all[i] = syslog.Message{
			Facility: syslog.Local7, Severity: syslog.Notice, App: []byte(l.app), Mnemonic: []byte(l.mnemonic), Text: []byte(l.text),
		}
	}
	return all
}

// manyRules are n rules with an expression each, in ten forms that share words with the lines.
func manyRules(n int) []logwatch.Rule {
	forms := []string{
		`Interface TenGigE0/0/0/%d, changed state to (?:down|administratively down)`, `neighbor 203\.0\.113\.%d (?:Down|went away)`,
		`(?i)process \S+ of module %d failed`, `^power supply %d .*(?:lost|failed)$`, `fan tray %d (?:removed|stopped)`,
		`temperature of sensor %d .* above \d+ degrees`, `denied tcp 203\.0\.113\.%d\(`, `(?:Failed|Invalid) password for user%d from`,
		`adjacency to router%d dropped`, `\bdisk %d: (?:read|write) error\b`,
	}
	rules := make([]logwatch.Rule, n)
	for i := range rules {
		rules[i] = logwatch.Rule{Name: fmt.Sprint("rule-", i), Match: fmt.Sprintf(forms[i%len(forms)], i)}
	}
	return rules
}

// BenchmarkMatch asks 1,000 rules about messages: with a Set, and with a loop over all expressions.
func BenchmarkMatch(b *testing.B) {
	rules := manyRules(1000)
	none := messages()
	some := make([]syslog.Message, 0, 1000)
	for len(some) < 1000 {
		some = append(some, none...)
	}
	for i := 0; i < len(some); i += 100 {
		some[i].Text = []byte("denied tcp 203.0.113.506(51234) -> 198.51.100.4(445), 1 packet")
	}
	for _, of := range []struct {
		name string
		all  []syslog.Message
	}{{"none", none}, {"1%", some}} {
		b.Run("set/"+of.name, func(b *testing.B) {
			set, err := logwatch.Compile(rules)
			if err != nil {
				b.Fatal(err)
			}
			benchMatch(b, of.all, func(hits []int, m *syslog.Message) []int { return set.Match(hits, m, nil) })
		})
		b.Run("loop/"+of.name, func(b *testing.B) {
			all := make([]*regexp.Regexp, len(rules))
			for i, r := range rules {
				all[i] = regexp.MustCompile(r.Match)
			}
			benchMatch(b, of.all, func(hits []int, m *syslog.Message) []int {
				for i, re := range all {
					if re.Match(m.Text) {
						hits = append(hits, i)
					}
				}
				return hits
			})
		})
	}
}

func benchMatch(b *testing.B, all []syslog.Message, match func([]int, *syslog.Message) []int) {
	var hits []int
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		hits = match(hits[:0], &all[i])
		if i++; i == len(all) {
			i = 0
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	rules := manyRules(1000)
	for b.Loop() {
		if _, err := logwatch.Compile(rules); err != nil {
			b.Fatal(err)
		}
	}
}
