//go:build e2e && linux

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// alertsOf are the lines that tell of alerts.
func (h *hearing) alertsOf(match string) []string {
	var all []string
	for line := range strings.Lines(h.stderr.String()) {
		if strings.HasPrefix(line, "ALERT "+match+": ") {
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return all
}

// hookHere makes a receiver of notifications beside the test.
func hookHere(t *testing.T) *hook {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveHook(t, l)
}

func TestSyslogListenAlertsWithoutAnySettings(t *testing.T) {
	t.Parallel()
	hook := hookHere(t)
	s := newSite(t)
	const matched = `adjacency to \S+ lost`
	h := s.hear(t, nil, nil, "--udp", "127.0.0.1:0", "--match", "CRITICAL", "--match", matched, "--webhook", hook.url)
	say := func(severity int, text string) {
		t.Helper()
		tell(t, h.at["udp"], [][]byte{fmt.Appendf(nil, "<%d>Nov 29 04:08:48 host1 app[1]: %s", 184+severity, text)})
	}
	say(6, "all is well")
	say(4, "a warning")
	tell(t, h.at["udp"], bytes.Split(bytes.Repeat([]byte("<186>Nov 29 04:08:48 host1 app[1]: the fan has failed\x1b[2J\n"), 1000), []byte("\n"))[:1000])
	say(6, "adjacency to 192.0.2.7 lost")
	say(6, "the load is critical")
	h.await(t, 10*time.Second, "all are received", func(c heard) bool { return c.Received == 1004 })
	within(t, 10*time.Second, "each match is told", func() bool {
		return len(h.alertsOf("CRITICAL")) > 0 && len(h.alertsOf(matched)) > 0
	})
	told := func(rule string) int {
		n := 0
		for _, one := range hook.taken() {
			if one.Labels["alertname"] == rule && one.Status == "firing" {
				n++
			}
		}
		return n
	}
	within(t, 15*time.Second, "the webhook is told of each", func() bool { return told("CRITICAL") > 0 && told(matched) > 0 })
	c := h.end(t)
	if n := len(h.alertsOf("CRITICAL")); n > 4 || c.Alerts > 4 || c.Alerts < 2 {
		t.Errorf("1,001 critical messages of one sender are told %d times, %d alerts", n, c.Alerts)
	}
	if n := told("CRITICAL"); n > 4 {
		t.Errorf("the webhook was told %d times", n)
	}
	if said := h.stderr.String(); strings.Contains(said, "\x1b") || !strings.Contains(said, `\x1b[2J`) || strings.Contains(said, "all is well") {
		t.Errorf("what was told is not harmless, or is not all: %s", said)
	}
}

func TestSyslogListenKeepsTheSecretOfItsWebhook(t *testing.T) {
	t.Parallel()
	const secret = "hidden-in-the-hook"
	nobody := closedPort(t)
	for name, where := range map[string]string{"as it is": "URL", "in the environment": "env:THE_HOOK"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := fmt.Sprintf("http://user:%s@%s:%d/%s", secret, machine, nobody, secret)
			s := newSite(t).set("THE_HOOK", url)
			h := s.hear(t, nil, nil, "-v", "--udp", "127.0.0.1:0", "--match", "CRITICAL", "--webhook", strings.ReplaceAll(where, "URL", url))
			tell(t, h.at["udp"], [][]byte{[]byte("<186>Nov 29 04:08:48 host1 app[1]: the fan has failed")})
			within(t, 10*time.Second, "the alert is told", func() bool { return len(h.alertsOf("CRITICAL")) > 0 })
			within(t, 15*time.Second, "the webhook fails", func() bool { return strings.Contains(h.stderr.String(), "refused") })
			h.end(t)
			if strings.Contains(h.stderr.String(), secret) {
				t.Errorf("the secret is told: %s", strings.ReplaceAll(h.stderr.String(), secret, "SECRET"))
			}
		})
	}
}
