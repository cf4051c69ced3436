//go:build e2e && linux

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What `muster serve` does with settings that are wrong, with signals, and with guests.

const quietSettings = "devices:\n  - {name: a, address: 127.0.1.1}\nmonitor: {interval: 200ms, timeout: 100ms}\nbackup: off\n"

func TestServeRefusesWrongSettingsInOneSentence(t *testing.T) {
	t.Parallel()
	w := newSpace(t, "")
	for name, c := range map[string]struct {
		settings, alertmanager string
		args                   []string
		want                   []string
	}{
		"an expression that does not parse": {
			settings: quietSettings + "alerts:\n  rules:\n    - {name: slow, when: promql, expr: \"muster_probe_rtt_seconds >\"}\n",
			want:     []string{"muster.yaml:7:", "expr", "unexpected end of input"},
		},
		"a rule of no kind": {
			settings: quietSettings + "alerts:\n  rules:\n    - {name: slow, when: promqk, expr: \"1\"}\n",
			want:     []string{"muster.yaml:7:", "promqk", "promql"},
		},
		"a receiver that nobody knows": {
			settings:     quietSettings + "alerts: {alertmanager: alertmanager.yml}\n",
			alertmanager: "route: {receiver: nobody}\nreceivers: [{name: somebody}]\n",
			want:         []string{"alertmanager.yml", "nobody"},
		},
		"an address that others reach": {settings: quietSettings, args: []string{"--listen", "0.0.0.0:1"}, want: []string{"--listen", "0.0.0.0"}},
		"an interval of nothing":       {settings: strings.Replace(quietSettings, "200ms", "1ms", 1), want: []string{"muster.yaml:3:", "interval"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.settings(t, c.settings)
			s.write(t, "alertmanager.yml", c.alertmanager)
			a := s.musterIn(t, w, append([]string{"serve"}, c.args...)...)
			if lines := strings.Count(a.stderr, "\n"); a.code != 2 || lines < 1 || lines > 3 {
				t.Errorf("exit %d, %d lines: %s", a.code, lines, a.stderr)
			}
			for _, word := range c.want {
				if !strings.Contains(a.stderr, word) {
					t.Errorf("no %q in: %s", word, a.stderr)
				}
			}
		})
	}
}

func TestServeThatRunsHoldsItsGround(t *testing.T) {
	t.Parallel()
	w := newSpace(t, "")
	s := newSite(t)
	good := quietSettings + "alerts: {alertmanager: alertmanager.yml}\n"
	s.write(t, "alertmanager.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
	v := s.watch(t, &w, good)
	t.Run("a second one is told who holds the directory", func(t *testing.T) {
		a := s.musterIn(t, w, "serve", "--listen", "127.0.0.1:0")
		if a.code != 4 || !strings.Contains(a.stderr, fmt.Sprint(v.cmd.Process.Pid)) || !strings.Contains(a.stderr, s.data) {
			t.Errorf("exit %d: %s", a.code, a.stderr)
		}
	})
	t.Run("an address that is taken is told", func(t *testing.T) {
		other := newSite(t)
		other.settings(t, quietSettings)
		taken := strings.TrimPrefix(v.url, "http://")
		if a := other.musterIn(t, w, "serve", "--listen", taken); a.code != 2 || !strings.Contains(a.stderr, taken) {
			t.Errorf("exit %d: %s", a.code, a.stderr)
		}
	})
	t.Run("a name that is not this machine's is refused", func(t *testing.T) {
		for host, want := range map[string]int{
			"": http.StatusOK, "localhost:80": http.StatusOK, "rebound.example.net": http.StatusMisdirectedRequest, "198.18.0.1": http.StatusMisdirectedRequest,
		} {
			for _, path := range []string{"/health", "/metrics", "/prometheus/api/v1/labels", "/alertmanager/api/v2/status"} {
				if code, body := v.get(t, path, host); code != want {
					t.Errorf("%s for host %q: %d %s", path, host, code, body)
				}
			}
		}
	})
	t.Run("broken settings change nothing, and good ones do", func(t *testing.T) {
		before := len(v.stderr.String())
		s.settings(t, quietSettings+"alerts: {rules: [{name: x, when: state, state: dwn}]}\n")
		v.signal(t, syscall.SIGHUP)
		v.says(t, before, "dwn")
		more := strings.Replace(good, "devices:\n", "devices:\n"+device("b", "127.0.1.2", ""), 1)
		before = len(v.stderr.String())
		s.settings(t, more)
		s.write(t, "alertmanager.yml", "route: {receiver: stranger}\nreceivers: [{name: nobody}]\n")
		v.signal(t, syscall.SIGHUP)
		v.says(t, before, "stranger")
		time.Sleep(3 * watchInterval)
		if _, body := v.get(t, "/prometheus/api/v1/label/device/values", ""); strings.Contains(body, `"b"`) {
			t.Errorf("b is watched: %s", body)
		}
		s.write(t, "alertmanager.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
		v.signal(t, syscall.SIGHUP)
		within(t, 10*time.Second, "b is watched", func() bool {
			_, body := v.get(t, "/prometheus/api/v1/label/device/values", "")
			return strings.Contains(body, `"b"`)
		})
	})
	t.Run("SIGTERM ends it well and soon", func(t *testing.T) {
		began := time.Now()
		v.signal(t, syscall.SIGTERM)
		<-v.ended
		if code := v.cmd.ProcessState.ExitCode(); code != 0 || time.Since(began) > 5*time.Second {
			t.Errorf("exit %d after %v", code, time.Since(began))
		}
		if a := s.musterIn(t, w, "alert", "ls"); a.code != 4 || !strings.Contains(a.stderr, "muster serve") {
			t.Errorf("alert ls without a server: exit %d: %s", a.code, a.stderr)
		}
	})
}
