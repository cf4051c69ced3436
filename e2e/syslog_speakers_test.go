//go:build e2e && linux

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster"
)

// Who speaks to `muster serve`, and which of it alarms nobody.
func TestSyslogServeKnowsWhoSpeaks(t *testing.T) {
	t.Parallel()
	s, hook := newSite(t), hookBeside(t)
	s.write(t, "alertmanager.yml", hook.receivers())
	onFront, onLoop := freeAddress(t, "udp", machine), freeAddress(t, "udp", "127.0.0.1")
	talker := joins(t, nodeSpec{name: "talker", kind: "linux", platform: "linux", ports: []port{{front, "198.19.173.47"}}},
		ownLog+"module(load=\"imudp\")\ninput(type=\"imudp\" port=\"514\")\n"+forwards(onFront, form5424, `protocol="udp"`))
	sets := "devices:\n" + device("talker", talker.address(), "") + device("a", "127.87.0.1", "") + device("b", "127.87.0.2", "") +
		"monitor: {interval: 5s}\nbackup: off\nalerts:\n  alertmanager: alertmanager.yml\n  rules:\n" +
		"    - {name: hang-up, when: log, app: sshd, text: kex_exchange_identification}\n" +
		"    - {name: fatal-reset, when: log, app: sshd, severity: critical, text: reset by peer}\n" +
		fmt.Sprintf("syslog:\n  udp: [%q, %q]\n  sources: [{address: 127.87.0.9, device: b}]\n"+
			"  relays: [127.87.0.50, %s]\n", onFront, onLoop, talker.address())
	began := time.Now()
	v := s.watch(t, nil, sets)

	// asks waits for the only message with a text.
	asks := func(t *testing.T, text string) (got muster.LogLine) {
		t.Helper()
		within(t, 10*time.Second, text, func() bool {
			for _, l := range s.searches(t, "--text", text) {
				got = l
			}
			return got.Raw != ""
		})
		return got
	}
	t.Run("An unknown sender and one that calls itself another are flagged, a relay is not", func(t *testing.T) {
		for i, one := range []struct{ from, host, device, flags string }{
			{"127.87.0.1", "a", "a", "[]"},
			{"127.87.0.1", "a.example.net", "a", "[]"},
			{"127.87.0.1", "127.87.0.1", "a", "[]"},
			{"127.87.0.1", "b", "a", "[foreign-host]"},
			{"127.87.0.1", "127.87.0.9", "a", "[foreign-host]"},
			{"127.87.0.1", "stranger", "a", "[]"},
			{"127.87.0.9", "b", "b", "[]"},
			{"127.87.0.9", "B", "b", "[]"},
			{"127.87.0.77", "b", "", "[unknown-source foreign-host]"},
			{"127.87.0.77", "stranger", "", "[unknown-source]"},
			{"127.87.0.50", "b", "b", "[]"},
			{"127.87.0.50", "127.87.0.1", "a", "[]"},
			{"127.87.0.50", "stranger", "", "[unknown-source]"},
		} {
			text := fmt.Sprintf("the %dth", i)
			says(t, one.from, onLoop, fmt.Sprintf("<134>1 - %s app 1 - - %s", one.host, text))
			got := asks(t, text)
			if flags := fmt.Sprint(got.Flags); got.Source.String() != one.from || got.Device != one.device || got.Host != one.host || flags != one.flags {
				t.Errorf("from %s, host %s: device %q, flags %s", one.from, one.host, got.Device, flags)
			}
		}
	})
	t.Run("What a device relays is of whom it names, and what it says itself is its own", func(t *testing.T) {
		for _, one := range []struct{ host, device string }{{"b", "b"}, {"127.87.0.1", "a"}, {"stranger", "talker"}} {
			text := "relayed of " + one.host
			says(t, machine, talker.address()+":514", fmt.Sprintf("<134>%s %s app: %s", time.Now().UTC().Format(time.Stamp), one.host, text))
			if got := asks(t, text); got.Device != one.device || got.Host != one.host || len(got.Flags) != 0 || got.Source.String() != talker.address() {
				t.Errorf("host %s: device %q, flags %q", one.host, got.Device, got.Flags)
			}
		}
		talker.logs(t, "user.info", "app", "not relayed")
		if got := asks(t, "not relayed"); got.Device != "talker" || got.Host != "talker" || len(got.Flags) != 0 {
			t.Errorf("device %q, flags %q", got.Device, got.Flags)
		}
	})
	rested(began)
	t.Run("An alert of an unknown sender names its address", func(t *testing.T) {
		from := len(hook.taken())
		says(t, "127.87.0.77", onLoop, "<130>1 - b app 1 - - the cat is on the fire")
		told := hook.await(t, from, "log-critical firing")
		if told.Labels["source"] != "127.87.0.77" || told.Labels["severity"] != "critical" || !strings.Contains(told.Annotations["summary"], "the cat is on the fire") {
			t.Errorf("%+v", told)
		}
	})
	const fatal = "fatal: Read from socket failed: Connection reset by peer [preauth]" // older releases say so
	t.Run("Known noise makes no alert", func(t *testing.T) {
		from := len(hook.taken())
		hangsUp(t, talker)
		talker.logs(t, "auth.crit", "sshd", fatal)
		for text, noise := range map[string]string{"error: kex_exchange_identification: ": "sshd-identification", fatal: "sshd-fatal-disconnect"} {
			if got := asks(t, text); got.Device != "talker" || got.App != "sshd" || got.Noise != noise {
				t.Errorf("%+v is not called %s", got, noise)
			}
		}
		_, _ = talker.output("/usr/sbin/sshd", "-f", "/run/lab/sshd_config") // a second one, which fails, and that is no noise
		told := hook.await(t, from, "log-critical talker firing")
		if got := hook.words(from); len(got) != 1 || !strings.Contains(told.Annotations["summary"], "Cannot bind any address") {
			t.Errorf("told %q: %s", got, told.Annotations["summary"])
		}
	})
	t.Run("With noise: off it does", func(t *testing.T) {
		from, before := len(hook.taken()), len(v.stderr.String())
		s.settings(t, sets+"  noise: off\n")
		v.signal(t, syscall.SIGHUP)
		v.says(t, before, "were read anew")
		hangsUp(t, talker)
		talker.logs(t, "auth.crit", "sshd", fatal)
		hook.await(t, from, "hang-up talker firing")
		hook.await(t, from, "fatal-reset talker firing")
	})
}
