//go:build e2e && linux

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	latencySenders = 220
	latencySpacing = 50 * time.Millisecond
	latencyBar     = 50 * time.Millisecond
	latencyTries   = 3 // of which one has to be good: the machine has other work too
)

// Each datagram is the first of its device that a rule is about, and its alert waits for no other.
func TestSyslogReachesAWebhookSoon(t *testing.T) {
	s, hook, at := newSite(t), hookBeside(t), freeAddress(t, "udp", "127.0.0.1")
	s.write(t, "alertmanager.yml", hook.receivers())
	var list, rules strings.Builder
	for i := range latencySenders {
		list.WriteString(device(fmt.Sprintf("d%d", i), latencyAddress(i), ""))
	}
	for try := range latencyTries {
		fmt.Fprintf(&rules, "    - {name: try%d, when: log, text: try %d of}\n", try, try)
	}
	began := time.Now()
	s.watch(t, nil, "devices:\n"+list.String()+"monitor: {interval: 60s}\nbackup: off\nalerts:\n  alertmanager: alertmanager.yml\n  rules:\n"+rules.String()+
		"syslog: {udp: [\""+at+"\"]}\n")
	rested(began)
	for try := range latencyTries {
		took := latency(t, hook, at, try)
		p50, p99, most := took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
		t.Logf("from datagram to webhook: p50 %v, p99 %v, all within %v", p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond), most.Round(10*time.Microsecond))
		if p50 > latencyBar {
			t.Errorf("p50 is %v", p50)
		}
		if p99 <= latencyBar {
			return
		}
	}
	t.Errorf("p99 was more than %v each time", latencyBar)
}

func latencyAddress(i int) string { return fmt.Sprintf("127.89.1.%d", i+1) }

// latency sends a datagram of each device and returns how long each took to become a notification, sorted.
func latency(t *testing.T, hook *hook, at string, try int) []time.Duration {
	t.Helper()
	sent := make([]time.Time, latencySenders)
	for i := range sent {
		sent[i] = time.Now()
		says(t, latencyAddress(i), at, fmt.Sprintf("<133>1 - - app 1 - - try %d of d%d", try, i))
		time.Sleep(latencySpacing)
	}
	var took []time.Duration
	within(t, 15*time.Second, "all are told", func() bool {
		took = took[:0]
		for _, n := range hook.taken() {
			var i int
			if n.Labels["alertname"] != fmt.Sprintf("try%d", try) {
				continue
			}
			if _, err := fmt.Sscanf(n.Labels["device"], "d%d", &i); err != nil {
				t.Fatal(err)
			}
			took = append(took, n.at.Sub(sent[i]))
		}
		return len(took) >= latencySenders
	})
	if len(took) != latencySenders {
		t.Errorf("%d notifications of %d messages", len(took), latencySenders)
	}
	slices.Sort(took)
	return took
}
