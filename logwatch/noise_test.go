package logwatch_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

func noise(t testing.TB, rules ...logwatch.NoiseRule) *logwatch.NoiseSet {
	t.Helper()
	set, err := logwatch.CompileNoise(rules)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// parsed reads a message as it was sent.
func parsed(raw string) *syslog.Message {
	var p syslog.Parser
	m := p.Parse([]byte(raw), time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC))
	return &m
}

func TestEachExampleOfNoiseIsFound(t *testing.T) {
	t.Parallel()
	set := noise(t, logwatch.Noise()...)
	for _, r := range logwatch.Noise() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			m := parsed(r.Example)
			if got, _ := set.Find(m, nil); got != r.Name {
				t.Errorf("it is %q: severity %v, app %q, mnemonic %q, msgid %q, text %q", got, m.Severity, m.App, m.Mnemonic, m.MsgID, m.Text)
			}
		})
	}
}

func TestTheShippedNoiseIsForPeople(t *testing.T) {
	t.Parallel()
	rules := logwatch.Noise()
	if !slices.IsSortedFunc(rules, func(a, b logwatch.NoiseRule) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("it is not sorted by name")
	}
	for _, r := range rules {
		if len(r.Reason) < 40 || !strings.HasSuffix(r.Reason, ".") {
			t.Errorf("%s: the reason is %q", r.Name, r.Reason)
		}
		if r.Select != nil || len(r.Apps)+len(r.Mnemonics) == 0 && r.Match == "" {
			t.Errorf("%s: it is about too much", r.Name)
		}
	}
	rules[0].Name = "other"
	if logwatch.Noise()[0].Name == "other" {
		t.Error("who changes what Noise returned changes the noise of others")
	}
}

// TestWhatAScanMakesOfOpenSSHIsNoise has what sshd of OpenSSH 9.2 logged when ports were scanned, banners were read, and clients
// hung up, spoke HTTP, garbage or protocol 1, or offered old algorithms.
func TestWhatAScanMakesOfOpenSSHIsNoise(t *testing.T) {
	t.Parallel()
	set := noise(t, logwatch.Noise()...)
	for _, text := range []string{
		"error: kex_exchange_identification: Connection closed by remote host",
		"Connection closed by 198.51.100.7 port 35534",
		"error: kex_exchange_identification: read: Connection reset by peer",
		"Connection reset by 198.51.100.7 port 35544",
		`error: kex_exchange_identification: client sent invalid protocol identifier "GET / HTTP/1.1"`,
		"banner exchange: Connection from 198.51.100.7 port 35550: invalid format",
		"Connection reset by 198.51.100.7 port 35564 [preauth]",
		"error: Protocol major versions differ: 2 vs. 1",
		"banner exchange: Connection from 198.51.100.7 port 35578: could not read protocol version",
		"Bad packet length 0. [preauth]",
		"fatal: ssh_dispatch_run_fatal: Connection from 198.51.100.7 port 35582: message authentication code incorrect [preauth]",
		"Unable to negotiate with 198.51.100.7 port 40582: no matching key exchange method found. Their offer: diffie-hellman-group1-sha1,ext-info-c [preauth]",
		"Connection closed by invalid user x 198.51.100.7 port 40592 [preauth]",
		"Connection closed by authenticating user root 198.51.100.7 port 40604 [preauth]",
		"fatal: Timeout before authentication for 198.51.100.7 port 40604",
		"fatal: Write failed: Broken pipe [preauth]",
	} {
		for _, app := range []string{"sshd", "sshd-session"} {
			m := said("", app, text)
			m.Severity = syslog.Critical
			if _, ok := set.Find(&m, nil); !ok {
				t.Errorf("%s: %s is no noise", app, text)
			}
		}
	}
}

func TestWhatMattersIsNoNoise(t *testing.T) {
	t.Parallel()
	set := noise(t, logwatch.Noise()...)
	for name, raw := range map[string]string{
		"a change of a configuration":         "<189>123: sw1: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (192.0.2.17)",
		"a change on Junos":                   "<189>Jul 14 12:00:00 mx1 mgd[4711]: UI_COMMIT: User 'admin' requested 'commit' operation (comment: none)",
		"a command on Junos that changes":     "<190>Jul 14 12:00:00 mx1 mgd[4711]: UI_CMDLINE_READ_LINE: User 'admin', command 'delete protocols bgp '",
		"a command on EOS that changes":       "<190>Jul 14 12:00:00 leaf1 Aaa: %ACCOUNTING-6-CMD: admin vty3 192.0.2.17 stop service=shell priv-lvl=15 cmd=reload <cr>",
		"a restart":                           "<189>29: Jul 14 12:00:00.001: %SYS-5-RESTART: System restarted --",
		"a crash of FRR":                      "<130>Jul 14 12:00:00 r1 bgpd[811]: Received signal 11 at 1784030400 (si_addr 0x0, PC 0x55d0); aborting...",
		"the stack of a crash of FRR":         "<130>Jul 14 12:00:00 r1 bgpd[811]: /usr/lib/frr/bgpd(+0x5d2f3) [0x55d0c2a5d2f3]",
		"watchfrr, of a daemon that went":     "<132>Jul 14 12:00:00 r1 watchfrr[700]: [EC 268435457] bgpd state -> down : read returned EOF",
		"a wrong password":                    "<86>Jul 14 12:00:00 srv1 sshd[4711]: Failed password for root from 198.51.100.7 port 51234 ssh2",
		"a user that there is none of":        "<86>Jul 14 12:00:00 srv1 sshd[4711]: Invalid user x from 198.51.100.7 port 40592",
		"a login":                             "<86>Jul 14 12:00:00 srv1 sshd[4711]: Accepted publickey for admin from 192.0.2.17 port 51234 ssh2: ED25519 SHA256:4pd0",
		"sshd that cannot begin":              "<82>Jul 14 12:00:00 srv1 sshd[4711]: fatal: Cannot bind any address.",
		"sshd that lost a check of integrity": "<82>Jul 14 12:00:00 srv1 sshd[4711]: fatal: ssh_dispatch_run_fatal: Connection from user admin 192.0.2.17 port 51234: message authentication code incorrect",
		"another program that is cut off":     "<82>Jul 14 12:00:00 srv1 backup[4711]: fatal: Write failed: Broken pipe",
		"a line that was repeated, itself":    "<86>Jul 14 12:00:00 srv1 sshd[4711]: message repeated 2 times: [ Failed password for root from 198.51.100.7 port 51234 ssh2]",
		"a fault of a power supply on NX-OS":  "<186>: 2026 Jul 14 12:00:00 UTC: %PLATFORM-2-PS_FAIL: Power supply 1 failed or shut down (Serial number ABC)",
		"another critical message of NX-OS":   "<186>: 2026 Jul 14 12:00:00 UTC: %USER-2-SYSTEM_MSG: out of memory - netstack",
		"an attack that ASA sees":             "<162>Jul 14 2026 12:00:00: %ASA-2-106017: Deny IP due to Land Attack from 192.0.2.8 to 192.0.2.8",
		"a failover of ASA":                   "<161>Jul 14 2026 12:00:00: %ASA-1-104001: (Secondary) Switching to ACTIVE - HELLO not heard from mate.",
		"a link":                              "<187>44: Jul 14 12:00:00.001: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down",
		"a session of a person":               "<86>Jul 14 12:00:01 srv1 sudo[4711]: pam_unix(sudo:session): session opened for user root(uid=0) by admin(uid=1000)",
		"a process that EOS started again":    "<188>Jul 14 12:00:00 leaf1 ProcMgr-worker: %PROCMGR-6-PROCESS_RESTART: Restarting 'Bgp' immediately (it had PID=2318)",
		"a command on Huawei that changes":    "<189>Jul 14 2026 12:00:00 ce1 %%01SHELL/5/CMDRECORD(s)[17]:Recorded command information. (Task=vt0, Ip=192.0.2.17, User=admin, Command=\"undo bgp\")",
		"what begins like a repetition":       "<46>Jul 14 12:00:00 srv1 app: the last message repeated 3 times was an error",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := parsed(raw)
			if found, ok := set.Find(m, nil); ok {
				t.Errorf("it is %s: app %q, mnemonic %q, text %q", found, m.App, m.Mnemonic, m.Text)
			}
		})
	}
}

func TestNoiseIsSwitchedOffByName(t *testing.T) {
	t.Parallel()
	left, err := logwatch.Without(logwatch.Noise(), "sshd-disconnect", "log-mark")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != len(logwatch.Noise())-2 {
		t.Errorf("%d of %d are left", len(left), len(logwatch.Noise()))
	}
	set := noise(t, left...)
	if name, ok := set.Find(parsed("<86>Jul 14 12:00:00 srv1 sshd[4711]: Connection closed by 198.51.100.7 port 51234 [preauth]"), nil); ok {
		t.Errorf("it is still %s", name)
	}
	_, err = logwatch.Without([]logwatch.NoiseRule{{Rule: logwatch.Rule{Name: "a"}}, {Rule: logwatch.Rule{Name: "b"}}}, "y", "b", "x")
	if err == nil || err.Error() != "no noise is called x, y: there are a, b" {
		t.Errorf("got %v", err)
	}
}

func TestOwnNoise(t *testing.T) {
	t.Parallel()
	own := logwatch.NoiseRule{Rule: logwatch.Rule{Name: "lab", Text: "fan", Select: inCore}, Reason: "Its fan is being replaced."}
	set := noise(t, own, logwatch.NoiseRule{Rule: logwatch.Rule{Name: "fans", Text: "fan 9"}})
	m := said("", "", "Fan 9 failed")
	for _, c := range []struct {
		dev  *muster.Device
		want string
	}{{nil, "fans"}, {&muster.Device{Name: "r1"}, "fans"}, {&muster.Device{Group: "core"}, "lab"}} {
		if got, ok := set.Find(&m, c.dev); got != c.want || !ok {
			t.Errorf("got %q for %v, want %q", got, c.dev, c.want)
		}
	}
}

func TestNoiseThatIsWrong(t *testing.T) {
	t.Parallel()
	rules := []logwatch.NoiseRule{
		{Rule: logwatch.Rule{Name: "a", Text: "x", Count: 2, Within: time.Minute}},
		{Rule: logwatch.Rule{Name: "b", Text: "x", Noisy: true}},
		{Rule: logwatch.Rule{Name: "c", Match: "("}},
		{Rule: logwatch.Rule{Name: "d", Text: "x"}},
	}
	_, err := logwatch.CompileNoise(rules)
	if err == nil {
		t.Fatal("it compiles")
	}
	for _, want := range []string{
		`rule "a": noise has no count, no within and no noisy: it is each message`, `rule "b": noise has no`, `rule "c": match: error parsing`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said by %q", want, err)
		}
	}
	var one *logwatch.RuleError
	if !errors.As(err, &one) || strings.Contains(err.Error(), `"d"`) {
		t.Errorf("got %v", err)
	}
	if _, err := logwatch.NewFilter([]logwatch.Rule{{Name: "r"}}, rules); err == nil || !strings.Contains(err.Error(), `rule "r": it has no`) {
		t.Errorf("a Filter says %v", err)
	}
}
