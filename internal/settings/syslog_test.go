package settings_test

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/internal/settings"
)

const listening = `
syslog:
  udp: 514
  tcp: [:514, 192.0.2.10:1514, "localhost:601"]
  tls: ["[::1]:6514", "[::ffff:192.0.2.1]:6514"]
  tls_cert: cert.pem
  tls_key: ~/key.pem
  tls_client_ca: /etc/ca.pem
  unix: [log, /run/log]
  timezone: Europe/Amsterdam
  max_message: 8KiB
  archive: on
  retention: 2w
  max_size: 1GiB
  sources:
    - {address: 192.0.2.129, device: core-1}
    - {address: ["::ffff:192.0.2.130", "2001:DB8::1"], device: core-2}
  noise:
    off: ios-exec-timeout
    add: [{name: lab, reason: it is a lab, severity: notice, facility: local7, app: [a, b*], mnemonic: "*-UPDOWN", text: changed, match: x+, select: site=lab}]
  changes: {quiet: 10s, at_most: 2m}
alerts:
  rules:
    - {name: a, when: log, severity: error, facility: [auth, local7], app: sshd*, mnemonic: [A, B], text: failed, match: x, count: 5, within: 1m, noisy: true, keep: 1h}
    - {name: b, when: log, select: "@core"}
`

func TestWhereMessagesAreReceivedAndWhatComesOfThem(t *testing.T) {
	t.Parallel()
	s, dir := loadServing(t, listening)
	want := settings.Syslog{
		UDP: []settings.Socket{":514"}, TCP: []settings.Socket{":514", "192.0.2.10:1514", "127.0.0.1:601"},
		TLS: []settings.Socket{"[::1]:6514", "[::ffff:192.0.2.1]:6514"}, Unix: []string{filepath.Join(dir, "log"), "/run/log"},
		TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem"), TLSClientCA: "/etc/ca.pem",
		Timezone: "Europe/Amsterdam", MaxMessage: 8 << 10, Retention: settings.Span(14 * 24 * time.Hour), MaxSize: 1 << 30,
		Sources: []settings.SyslogSource{
			{Address: []settings.Addr{"192.0.2.129"}, Device: "core-1"},
			{Address: []settings.Addr{"192.0.2.130", "2001:db8::1"}, Device: "core-2"},
		},
		Noise: settings.Noise{Without: []string{"ios-exec-timeout"}, Add: []settings.NoiseRule{{
			Name: "lab", Reason: "it is a lab", Severity: "notice", Facility: []string{"local7"}, App: []string{"a", "b*"},
			Mnemonic: []string{"*-UPDOWN"}, Text: "changed", Match: "x+", Select: []string{"site=lab"},
		}}},
		Changes: settings.Changes{Quiet: settings.Span(10 * time.Second), AtMost: settings.Span(2 * time.Minute)},
	}
	if diff := cmp.Diff(want, s.Syslog); diff != "" {
		t.Error(diff)
	}
	if !s.Syslog.Listens() || s.Syslog.Location().String() != "Europe/Amsterdam" {
		t.Errorf("it listens in %s", s.Syslog.Location())
	}
	if got := s.Syslog.Sources[1].Address[0].IP(); got != netip.MustParseAddr("192.0.2.130") {
		t.Errorf("got %s", got)
	}
	rule := settings.Rule{
		Name: "a", When: "log", Severity: "error", Facility: []string{"auth", "local7"}, App: []string{"sshd*"}, Mnemonic: []string{"A", "B"},
		Text: "failed", Match: "x", Count: 5, Within: settings.Span(time.Minute), Noisy: true, Keep: settings.Span(time.Hour),
	}
	if diff := cmp.Diff(rule, s.Alerts.Rules[0]); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotSaidOfTheLog(t *testing.T) {
	t.Parallel()
	none, _ := loadServing(t, "{}")
	if y := none.Syslog; y.Listens() || y.Archive.Off || y.Noise.Off || y.Changes.Off || y.Location() != time.UTC {
		t.Errorf("got %+v", y)
	}
	off, _ := loadServing(t, "syslog: {unix: log, archive: off, noise: off, changes: off}")
	if y := off.Syslog; !y.Listens() || !y.Archive.Off || !y.Noise.Off || !y.Changes.Off {
		t.Errorf("got %+v", y)
	}
	on, _ := loadServing(t, "syslog: {archive: yes, noise: on, changes: on}")
	if y := on.Syslog; y.Listens() || y.Archive.Off || y.Noise.Off || y.Changes.Off {
		t.Errorf("got %+v", y)
	}
}

func TestTheEnvironmentSaysWhereToListen(t *testing.T) {
	t.Parallel()
	s, _ := loadServing(t, "syslog: {udp: 514, tcp: 514}", "MUSTER_SYSLOG_UDP=1514, 127.0.0.1:2514", "MUSTER_SYSLOG_TCP=off")
	if diff := cmp.Diff([]settings.Socket{":1514", "127.0.0.1:2514"}, s.Syslog.UDP); diff != "" || len(s.Syslog.TCP) > 0 {
		t.Errorf("%s, %v", diff, s.Syslog.TCP)
	}
	_, err := settings.Load(options(t.TempDir(), "MUSTER_SYSLOG_UDP=514,host:1"))
	want := "environment: MUSTER_SYSLOG_UDP: must be a port, or an address and a port, such as 514, 192.0.2.1:514 or [::1]:514; several have commas between them"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// Each mistake is one sentence that says where, what and, where that can be said, what to do.
func TestBadSyslog(t *testing.T) {
	t.Parallel()
	const socket = "must be a port, or an address and a port, such as 514, 192.0.2.1:514 or [::1]:514"
	rule := func(keys string) string { return "alerts: {rules: [{name: a, when: log, " + keys + "}]}" }
	add := func(keys string) string { return "syslog: {noise: {add: [{name: a, reason: b, " + keys + "}]}}" }
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":               {"syslog: {upd: 514}", `1:10: unknown key "upd" in syslog: did you mean "udp"?`},
		"listen by a name":          {"syslog: {udp: host:514}", `1:15: syslog.udp[0]: ` + socket},
		"listen without a port":     {"syslog: {tcp: [192.0.2.1]}", `1:16: syslog.tcp[0]: ` + socket},
		"port beyond all":           {"syslog: {udp: 70000}", `1:15: syslog.udp[0]: ` + socket},
		"port below all":            {"syslog: {udp: -1}", `1:15: syslog.udp[0]: ` + socket},
		"listen twice":              {"syslog: {udp: [514, \":514\"]}", `1:21: :514 is listened on already`},
		"TLS at a port of TCP":      {"syslog: {tcp: 514, tls: 514, tls_cert: a, tls_key: b}", `1:25: :514 is listened on already`},
		"TLS without a certificate": {"syslog: {tls: 6514}", `1:15: TLS needs a certificate and its key: add tls_cert: and tls_key:`},
		"TLS without a key":         {"syslog: {tls: 6514, tls_cert: a}", `1:15: TLS needs a certificate and its key: add tls_cert: and tls_key:`},
		"a certificate without TLS": {"syslog: {udp: 514, tls_cert: a}", `1:30: tls_cert means nothing without tls: add tls: 6514`},
		"clients without TLS":       {"syslog: {tcp: 514, tls_client_ca: a}", `1:35: tls_client_ca means nothing without tls: add tls: 6514`},
		"socket without a path":     {"syslog: {unix: [a, \"\"]}", `1:20: the socket has no path`},
		"socket of a long path":     {"syslog: {unix: /" + strings.Repeat("x", 107) + "}", `1:16: the path of a socket has at most 107 bytes`},
		"time zone":                 {"syslog: {timezone: CEST+2}", `1:20: syslog.timezone: no time zone is named "CEST+2" here: write one such as Europe/Amsterdam or UTC`},
		"short messages":            {"syslog: {max_message: 512}", `1:23: max_message must be from 1KiB to 1MiB`},
		"long messages":             {"syslog: {max_message: 2MiB}", `1:23: max_message must be from 1KiB to 1MiB`},
		"archive of what":           {"syslog: {archive: disk}", `1:19: syslog.archive: must be on or off`},
		"archive as a list":         {"syslog: {archive: {retention: 1d}}", `1:19: syslog.archive must be one value`},
		"retention of nothing":      {"syslog: {archive: off, retention: 1d}", `1:35: retention means nothing with archive: off`},
		"size of nothing":           {"syslog: {archive: off, max_size: 1GiB}", `1:34: max_size means nothing with archive: off`},
		"retention":                 {"syslog: {retention: 90}", `1:21: syslog.retention: must be a time with its unit, such as 10s, 6h, 1d or 2w`},
		"size":                      {"syslog: {max_size: all}", `1:20: syslog.max_size: must be a number of bytes, such as 64MiB`},
		"source without a device":   {"syslog: {sources: [{address: 192.0.2.1}]}", `1:20: the source has no device: add device: NAME`},
		"source without an address": {"syslog: {sources: [{device: r1}]}", `1:20: the source has no address: add address: 192.0.2.1, or a list of them`},
		"source of a bad device":    {"syslog: {sources: [{address: 192.0.2.1, device: ../r1}]}", `1:49: device: the name "../r1" begins with "."`},
		"source of a network":       {"syslog: {sources: [{address: 192.0.2.0/24, device: r1}]}", `1:30: syslog.sources[0].address[0]: must be an IP address, such as 192.0.2.1 or 2001:db8::1`},
		"source of everywhere":      {"syslog: {sources: [{address: 0.0.0.0, device: r1}]}", `1:30: syslog.sources[0].address[0]: must be an IP address`},
		"source of two devices": {"syslog: {sources: [{address: 192.0.2.1, device: r1}, {address: [192.0.2.2, \"::ffff:192.0.2.1\"], device: r2}]}",
			`1:76: 192.0.2.1 is an address of r1 already`},
		"relay that is a device":     {"syslog: {relays: [192.0.2.9, 192.0.2.1], sources: [{address: 192.0.2.1, device: r1}]}", `1:30: 192.0.2.1 is an address of r1: a relay is nobody's, or all that it passes on would be put down to r1`},
		"source as text":             {"syslog: {sources: 192.0.2.1}", `1:19: syslog.sources must be a list`},
		"noise of":                   {"syslog: {noise: of}", `1:17: syslog.noise: must be on, off, or a set of keys with their values`},
		"noise that is none":         {"syslog: {noise: {off: [sshd-before-auht]}}", `1:24: no noise is called "sshd-before-auht": did you mean "sshd-before-auth"?`},
		"noise without a name":       {"syslog: {noise: {add: [{reason: x, text: x}]}}", `1:24: the noise has no name: add name: NAME`},
		"noise without a reason":     {"syslog: {noise: {add: [{name: x, text: x}]}}", `1:24: the noise has no reason: add reason: TEXT, for whoever wonders later`},
		"noise there twice":          {"syslog: {noise: {add: [{name: x, reason: x, text: x}, {name: x, reason: x, text: y}]}}", `1:62: noise is called "x" already`},
		"noise that is shipped":      {"syslog: {noise: {add: [{name: sshd-before-auth, reason: x, text: x}]}}", `1:31: shipped noise is called "sshd-before-auth": name it at off too, or give this another name`},
		"noise of all":               {"syslog: {noise: {add: [{name: x, reason: x}]}}", `1:24: the noise does not say which messages: add mnemonic:, text: or another`},
		"noise of so many":           {add("count: 5"), `1:45: unknown key "count" in syslog.noise.add[0]`},
		"severity of noise":          {add("severity: bad"), `1:55: severity: unknown word`},
		"facility of noise":          {add("facility: [auth, lokal7]"), `1:62: facility: unknown word`},
		"match of noise":             {add("match: \"(\""), "1:52: match is no regular expression: error parsing regexp: missing closing ): `(`"},
		"selector of noise":          {add("select: \"site=[\""), `1:53: select: selector "site=[": the pattern in "site=[" is wrong`},
		"what noise knows":           {add("mnemonic: \"[\""), `1:55: mnemonic: a [ without its ]`},
		"changes of":                 {"syslog: {changes: 5s}", `1:19: syslog.changes: must be on, off, or a set of keys with their values`},
		"quiet for longer than most": {"syslog: {changes: {quiet: 10s, at_most: 5s}}", `1:27: quiet for 10s is more than at_most 5s`},
		"quiet for long":             {"syslog: {changes: {quiet: 2m}}", `1:27: quiet for 2m is more than at_most 1m`},
		"at most shortly":            {"syslog: {changes: {at_most: 1s}}", `1:29: quiet for 5s is more than at_most 1s`},

		"rule about which messages":  {rule("keep: 5m"), `1:18: the rule does not say which messages: add severity: critical, mnemonic:, text: or another`},
		"for of the log":             {rule("text: x, for: 5m"), `1:53: for means nothing with when: log; it is for group, promql, state and uplink`},
		"event of the log":           {rule("event: backup-new"), `1:46: event means nothing with when: log; it is for event`},
		"share of the log":           {rule("share: 5%"), `1:46: share means nothing with when: log; it is for group`},
		"mnemonic of an event":       {"alerts: {rules: [{name: a, when: event, event: run-done, mnemonic: x}]}", `1:68: mnemonic means nothing with when: event; it is for log`},
		"within of a group":          {"alerts: {rules: [{name: a, when: group, count: 5, within: 1m}]}", `1:59: within means nothing with when: group; it is for log`},
		"severity":                   {rule("severity: eror"), `1:49: severity: unknown word`},
		"facility":                   {rule("facility: lokal7"), `1:49: facility: unknown word`},
		"facility of several":        {rule("facility: [auth, lokal7]"), `1:56: facility: unknown word`},
		"facility of none":           {rule("facility: []"), `1:49: facility names none: leave it out for any`},
		"app of none":                {rule("app: []"), `1:44: app names none: leave it out for any`},
		"mnemonic of nothing":        {rule("mnemonic: \"\""), `1:49: mnemonic is empty: leave it out for any`},
		"text of nothing":            {rule("text: \"\""), `1:45: text is empty: leave it out for any`},
		"match":                      {rule("match: \"[\""), "1:46: match is no regular expression: error parsing regexp: missing closing ]: `[`"},
		"selector":                   {rule("select: \"a=b=c\""), `1:47: select: selector "a=b=c": "a=b=c" is no condition: write key=value or key!=value`},
		"so many within which time":  {rule("text: x, count: 5"), `1:55: so many messages within which time? add within: 5m`},
		"none within a time":         {rule("text: x, count: 0, within: 5m"), `1:55: count must be at least 1`},
		"how many within a time":     {rule("text: x, within: 5m"), `1:56: how many messages within that time? add count: 5, or another from 2 on`},
		"one within a time":          {rule("text: x, count: 1, within: 5m"), `1:55: how many messages within that time? add count: 5, or another from 2 on`},
		"within a time without unit": {rule("text: x, count: 5, within: 5"), `1:66: alerts.rules[0].within: must be a time with its unit, such as 10s, 6h, 1d or 2w`},
		"noisy":                      {rule("text: x, noisy: very"), `1:55: alerts.rules[0].noisy must be true or false`},
		"what a rule knows":          {rule("app: [a, \"[\"]"), `1:44: app: a [ without its ]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := put(t, t.TempDir(), "muster.yaml", c.text+"\n")
			problems := settings.Check(file, options(t.TempDir()))
			if len(problems) != 1 {
				t.Fatalf("got %d problems, want 1: %v", len(problems), problems)
			}
			got := problems[0].Error()
			if want := file + ":" + c.want; !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

func TestWordsOfTheLogAreNotLookedAtWhereNobodyKnowsThem(t *testing.T) {
	t.Parallel()
	file := put(t, t.TempDir(), "muster.yaml", "syslog: {noise: {off: [later], add: [{name: a, reason: b, severity: later}]}}\nalerts: {rules: [{name: a, when: log, facility: later}]}\n")
	o := options(t.TempDir())
	o.Severity, o.Facility, o.Noises, o.Noise, o.Rule = nil, nil, nil, nil, nil
	if p := settings.Check(file, o); len(p) > 0 {
		t.Error(p)
	}
}

func TestOwnNoiseTakesThePlaceOfShippedNoiseThatIsOff(t *testing.T) {
	t.Parallel()
	const text = "syslog: {noise: {off: [sshd-before-auth], add: [{name: sshd-before-auth, reason: b, severity: error}]}}"
	if p := settings.Check(put(t, t.TempDir(), "muster.yaml", text), options(t.TempDir())); len(p) > 0 {
		t.Error(p)
	}
}
