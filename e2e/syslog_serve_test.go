//go:build e2e && linux

package e2e

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster/sim"
)

// What `muster serve` does about what a router logs.

// hookBeside makes a receiver of notifications beside the test.
func hookBeside(t *testing.T) *hook {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveHook(t, l)
}

// changeTime is how soon after a change a revision of it is stored and told.
const changeTime = 15 * time.Second

func TestSyslogServeActsOnWhatARouterLogs(t *testing.T) {
	t.Parallel()
	s, hook := newSite(t), hookBeside(t)
	s.write(t, "alertmanager.yml", hook.receivers())
	onFront, onLoop := freeAddress(t, "udp", machine), freeAddress(t, "udp", "127.0.0.1")
	n := joins(t, nodeSpec{name: "edge", kind: "frr", platform: "frr", ports: []port{{front, "198.19.173.46"}}, daemons: "staticd bgpd",
		conf: edgeConf("edge", the.sec)}, ownLog+forwards(onFront, form3164, `protocol="udp"`))
	fleet := startFleet(t, sim.Config{Devices: 1, Listen: "127.86.0.0/26", Platforms: []string{"cisco_ios"}})
	ios := fleet.Devices()[0]
	password, enable := s.write(t, "password", the.sec.password+"\n"), s.write(t, "enable", the.sec.level+"\n")
	s.settings(t, "credentials: {lab: {username: admin, password: \"file:"+password+"\", enable: \"file:"+enable+"\"}}\ndevices:\n"+
		device("edge", n.address(), ", platform: frr, credentials: [lab]")+
		device(ios.Name, ios.Address, fmt.Sprintf(", port: %d, platform: %s, credentials: [lab]", ios.Port, ios.Platform))+
		"monitor: {interval: 5s}\nbackup: off\nalerts:\n  alertmanager: alertmanager.yml\n  rules:\n"+
		"    - {name: typed, when: log, app: zebra, text: password}\n"+
		fmt.Sprintf("syslog: {udp: [%q, %q]}\n", onFront, onLoop))
	s.ok(t, "backup")
	began := time.Now()
	v := s.start(t, nil)
	v.says(t, 0, "/health")
	rested(began)

	const typed = "Zq51f2c0dA7e" // which FRR logs as it is
	t.Run("A change that is typed over some seconds is one revision, stored and told within 15 s", func(t *testing.T) {
		from := len(hook.taken())
		n.types(t, "interface eth0", "description uplink to the core")
		time.Sleep(2 * time.Second)
		n.types(t, "password "+typed)
		time.Sleep(2 * time.Second)
		n.types(t, "ip route 203.0.113.99/32 blackhole")
		changed := time.Now()
		told := hook.await(t, from, "config-changed edge firing")
		t.Logf("told %v after the last word of the change", told.at.Sub(changed).Round(10*time.Millisecond))
		if took := told.at.Sub(changed); took > changeTime || took < 0 {
			t.Errorf("told after %v", took)
		}
		for _, line := range []string{"configuration of edge changed: +3 -2", "\n- description management\n+ description uplink to the core\n", "\n-password <secret>\n+password <secret>\n",
			"\n+ip route 203.0.113.99/32 blackhole\n"} {
			if !strings.Contains(told.Annotations["description"], line) {
				t.Errorf("the notification has no %q:\n%s", line, told.Annotations["description"])
			}
		}
		hook.await(t, from, "typed edge firing")
		for _, n := range hook.taken()[from:] {
			if text := fmt.Sprint(n.Annotations, n.Labels); strings.Contains(text, typed) || strings.Contains(text, the.sec.vty) {
				t.Errorf("somebody was told a password: %s", text)
			}
		}
		s.revisedBySyslog(t, "edge", "muster", 2, changed)
		if diff := s.ok(t, "diff", "edge"); !strings.Contains(diff, "+ description uplink to the core\n") || !strings.Contains(diff, "+ip route 203.0.113.99/32 blackhole\n") {
			t.Errorf("muster diff: %s", diff)
		}
		if want := stored(n.truth(t)); s.ok(t, "show", "edge") != want {
			t.Errorf("stored is %s, want %s", s.ok(t, "show", "edge"), want)
		}
	})
	t.Run("Who is named in the log is the author", func(t *testing.T) {
		from := len(hook.taken())
		fleet.Change(1)
		changed := time.Now()
		says(t, ios.Address, onLoop, "<189>71: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by jane on vty0 (192.0.2.17)")
		told := hook.await(t, from, "config-changed "+ios.Name+" firing")
		if took := told.at.Sub(changed); took > changeTime || !strings.Contains(told.Annotations["description"], " by jane from 192.0.2.17") {
			t.Errorf("after %v: %s", took, told.Annotations["description"])
		}
		s.revisedBySyslog(t, ios.Name, "jane", 2, changed)
		if diff := s.ok(t, "diff", ios.Name); !strings.Contains(diff, "jane") {
			t.Errorf("muster diff does not say who: %s", diff)
		}
	})
	t.Run("A crash is one alert", func(t *testing.T) {
		from := len(hook.taken())
		n.crashes(t, "bgpd")
		told := hook.await(t, from, "log-critical edge firing")
		t.Logf("told of %q", told.Annotations["summary"])
		within(t, 10*time.Second, "bgpd is gone", func() bool {
			return slices.ContainsFunc(n.logged(t), func(l ownLine) bool { return strings.Contains(l.Text, "bgp routes removed") })
		})
		bad := n.critical(t)
		var listed string
		defer func() {
			if t.Failed() {
				t.Logf("alert ls: %s", listed)
			}
		}()
		within(t, 20*time.Second, fmt.Sprintf("the alert counts all %d lines", bad), func() bool {
			listed = s.ok(t, "alert", "ls", "-o", "ndjson")
			return slices.Contains(lines[firing](t, listed), firing{"log-critical", "edge", "firing", strconv.Itoa(bad)})
		})
		if bad < 10 {
			t.Errorf("the crash is but %d lines", bad)
		}
		if got := hook.words(from); !slices.Equal(got, []string{"log-critical edge firing"}) {
			t.Errorf("told %q", got)
		}
	})
	t.Run("A backup is not a change", func(t *testing.T) {
		if got := len(s.revisions(t, "edge")); got != 2 {
			t.Errorf("%d revisions", got)
		}
		if text := v.stderr.String(); strings.Count(text, "a device says that it was configured") != 2 || strings.Count(text, "backup done") != 2 {
			t.Errorf("devices were backed up more often than they were changed: %s", text)
		}
	})
}

// firing is a line of `muster alert ls`.
type firing struct{ Name, Device, State, Count string }

// critical counts the lines of the node that are critical or worse.
func (n *node) critical(t *testing.T) (count int) {
	t.Helper()
	for _, l := range n.logged(t) {
		if l.Severity <= "2" {
			count++
		}
	}
	return count
}

// revisedBySyslog tells whether the last of so many revisions is by whom, and soon after a change.
func (s *site) revisedBySyslog(t *testing.T, device, author string, count int, changed time.Time) {
	t.Helper()
	all := s.revisions(t, device)
	if len(all) != count || all[0].Trigger != "syslog" || all[0].Author != author || all[count-1].Trigger != "manual" {
		t.Fatalf("the revisions of %s are %+v", device, all)
	}
	at, err := time.Parse(time.RFC3339Nano, all[0].Time)
	if took := at.Sub(changed); err != nil || took < -time.Second || took > changeTime {
		t.Errorf("stored %v after the change (%v)", took, err)
	}
}
