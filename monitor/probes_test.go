package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/probe"
)

// servers are what probes other than pings meet: by the time since the lab began, what they do with a connection.
type servers struct {
	mu    sync.Mutex
	began time.Time
	does  func(addr string, at time.Duration) string // "greet", "mute", "refuse", "silent", "no descriptor"
	asked map[string][]time.Duration
	now   int // connections that are being opened
	most  int
}

func (s *servers) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	s.mu.Lock()
	at := time.Since(s.began)
	if s.asked == nil {
		s.asked = map[string][]time.Duration{}
	}
	s.asked[addr] = append(s.asked[addr], at)
	does := s.does(addr, at)
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.now--
		s.mu.Unlock()
	}()
	switch does {
	case "refuse":
		time.Sleep(prompt)
		return nil, syscall.ECONNREFUSED
	case "no descriptor":
		return nil, syscall.EMFILE
	case "silent":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(prompt)
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		if does == "greet" {
			fmt.Fprint(theirs, "SSH-2.0-OpenSSH_9.2p1\r\n")
		}
		theirs.SetDeadline(time.Now().Add(time.Minute))
		theirs.Read(make([]byte, 100))
	}()
	return ours, nil
}

// serving adds probes to all targets.
func serving(targets []monitor.Target, s *servers, checks ...monitor.Check) []monitor.Target {
	for i := range checks {
		checks[i].Options = probe.Options{Dial: s.dial}
	}
	for i := range targets {
		targets[i].Probes = checks
	}
	return targets
}

func TestADeviceOfWhichSomeProbesFailIsDegradedAndSaysWhich(t *testing.T) {
	t.Parallel()
	s := &servers{does: func(addr string, at time.Duration) string {
		if addr == "198.18.0.1:22" && at > time.Minute {
			return "mute"
		}
		return "greet"
	}}
	targets := serving(hosts("r1", "r2"), s, monitor.Check{Kind: "icmp"}, monitor.Check{Kind: "ssh"})
	l := watching(t, 5*time.Minute, targets, func(*lab) { s.began = time.Now() }, nil)
	l.wantTold("r1 up>degraded")
	if _, why := l.when("r1", muster.HealthDegraded); why != "ping answers, ssh is mute" {
		t.Error(why)
	}
	state := l.state("r1")
	if state.Checks[0].Health != muster.HealthUp || state.Checks[1].Health != muster.HealthDown || state.Checks[1].Outcome.Failure.Code != "mute" {
		t.Errorf("%+v", state.Checks)
	}
	if up := l.state("r2"); up.Reason != "ping answers, ssh answers" || up.Checks[1].Outcome.Detail != "SSH-2.0-OpenSSH_9.2p1" {
		t.Errorf("%+v", up)
	}
}

func TestADeviceIsDownWhenAllItsProbesFail(t *testing.T) {
	t.Parallel()
	s := &servers{does: func(addr string, at time.Duration) string {
		if addr == "198.18.0.1:22" && at > 2*time.Minute {
			return "refuse"
		}
		return "greet"
	}}
	targets := serving(hosts("r1", "r2", "r3"), s, monitor.Check{Kind: "icmp"}, monitor.Check{Kind: "tcp"})
	l := watching(t, 5*time.Minute, targets, func(l *lab) {
		s.began = time.Now()
		l.answers = dies("r1", time.Minute)
	}, nil)
	l.wantTold("r1 up>degraded", "r1 degraded>down")
	if _, why := l.when("r1", muster.HealthDown); why != "ping does not answer, tcp is refused" {
		t.Error(why)
	}
}

func TestAProbeThatThisMachineCannotMakeIsNoMiss(t *testing.T) {
	t.Parallel()
	s := &servers{does: func(_ string, at time.Duration) string {
		if at > time.Minute {
			return "no descriptor"
		}
		return "greet"
	}}
	targets := serving(hosts("r1", "r2", "r3"), s, monitor.Check{Kind: "icmp"}, monitor.Check{Kind: "ssh"})
	l := watching(t, 5*time.Minute, targets, func(*lab) { s.began = time.Now() }, nil)
	l.wantTold()
}

func TestProbesAreSpreadAndBounded(t *testing.T) {
	t.Parallel()
	s := &servers{does: func(string, time.Duration) string { return "greet" }}
	targets := serving(hosts(numbered("h", 90)...), s, monitor.Check{Kind: "tcp", Port: 830})
	l := watching(t, 5*time.Minute, targets, func(l *lab) {
		s.began = time.Now()
		l.cfg.AtOnce = 4
	}, nil)
	if s.most > 4 {
		t.Errorf("%d at once", s.most)
	}
	seconds := make([]int, 300)
	for addr, times := range s.asked {
		if len(times) < 29 || len(times) > 30 {
			t.Errorf("%s was asked %d times", addr, len(times))
		}
		for i, at := range times {
			seconds[at/time.Second]++
			if i > 0 && (at-times[i-1]-interval).Abs() > 20*time.Millisecond {
				t.Errorf("%s was asked %s after the time before", addr, at-times[i-1])
			}
		}
	}
	for i, n := range seconds {
		if n < 6 || n > 12 {
			t.Errorf("%d probes in second %d", n, i)
		}
	}
	if got := l.state("h07"); got.Health != muster.HealthUp || got.Checks[0].Name != "tcp:830" || !strings.HasPrefix(got.Reason, "2 of the last 2 tcp:830 probes") {
		t.Errorf("%+v", got)
	}
}

func TestMoreProbesThanFitAreSkippedAndNobodyIsDownForIt(t *testing.T) {
	t.Parallel()
	s := &servers{does: func(addr string, _ time.Duration) string {
		if addr < "198.18.0.2:" { // 12 of them
			return "silent"
		}
		return "greet"
	}}
	targets := serving(hosts(numbered("h", 80)...), s, monitor.Check{Kind: "tcp"})
	l := watching(t, 10*time.Minute, targets, func(l *lab) {
		s.began = time.Now()
		l.cfg.AtOnce = 2
	}, nil)
	stats := l.m.Stats()
	if stats.Skipped == 0 || stats.Health[muster.HealthUp]+stats.Health[muster.HealthDown] != 80 {
		t.Errorf("%+v", stats)
	}
	for _, told := range l.told() {
		if !strings.Contains(told, "unknown>down") {
			t.Errorf("told %v", told)
		}
	}
}

func TestReplaceLeavesTheProbesTheirPlaces(t *testing.T) {
	t.Parallel()
	s := &servers{does: func(string, time.Duration) string { return "greet" }}
	targets := serving(hosts("r1", "r2", "r3"), s, monitor.Check{Kind: "ssh"})
	watching(t, 3*time.Minute, targets, func(*lab) { s.began = time.Now() }, func(l *lab) {
		l.at(65 * time.Second)
		if err := l.m.Replace(serving(hosts("r1", "r2", "r4"), s, monitor.Check{Kind: "ssh"}, monitor.Check{Kind: "tcp", Port: 80})); err != nil {
			t.Error(err)
		}
	})
	for _, addr := range []string{"198.18.0.1:22", "198.18.0.2:22"} {
		for i, at := range s.asked[addr] {
			if i > 0 && at-s.asked[addr][i-1] != interval {
				t.Errorf("%s was asked at %s and %s", addr, s.asked[addr][i-1], at)
			}
		}
	}
	if n := len(s.asked["198.18.0.1:80"]); n != 11 && n != 12 {
		t.Errorf("asked %d times on port 80", n)
	}
}

func TestNamesAreResolvedAndAResolverThatIsDownChangesNothing(t *testing.T) {
	t.Parallel()
	s := &servers{does: func(string, time.Duration) string { return "greet" }}
	targets := serving(hosts("r1", "r2"), s, monitor.Check{Kind: "tcp"})
	targets[0].Device.Address, targets[1].Device.Address = "r1.onion", "r2.onion"
	began := time.Time{}
	l := watching(t, time.Hour, targets, func(l *lab) {
		began = time.Now()
		s.began = began
		l.cfg.Resolve = func(_ context.Context, name string) ([]netip.Addr, error) {
			switch at := time.Since(began); {
			case name == "r2.onion" && at < time.Minute:
				return nil, errors.New("no such host")
			case name == "r2.onion":
				return []netip.Addr{netip.MustParseAddr("198.18.0.2")}, nil
			case at < 10*time.Minute:
				return []netip.Addr{netip.MustParseAddr("::ffff:198.18.0.1")}, nil
			case at < 30*time.Minute:
				return nil, errors.New("the name server is down")
			}
			return []netip.Addr{netip.MustParseAddr("198.18.0.9")}, nil
		}
	}, func(l *lab) {
		l.at(30 * time.Second)
		if s := l.state("r2"); s.Reason != "the name r2.onion could not be resolved: no such host" || s.Health != muster.HealthUnknown {
			t.Errorf("%s: %s", s.Health, s.Reason)
		}
		l.at(29 * time.Minute)
		if s := l.state("r1"); s.Addr.String() != "198.18.0.1" || s.Health != muster.HealthUp {
			t.Errorf("%+v", s)
		}
	})
	l.wantTold()
	if state := l.state("r1"); state.Addr.String() != "198.18.0.9" || state.Health != muster.HealthUp || len(s.asked["198.18.0.9:22"]) < 100 {
		t.Errorf("%+v", state)
	}
}

func TestOnceNeedsNoWholeInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &servers{began: time.Now(), does: func(addr string, at time.Duration) string {
			switch addr {
			case "198.18.0.1:22", "198.18.0.2:22":
				return "silent"
			case "198.18.0.3:22":
				return "no descriptor"
			}
			return "greet"
		}}
		targets := serving(hosts("r1", "child", "local", "well", "name"), s, monitor.Check{Kind: "tcp"})
		targets[1].Parents = []string{"r1"}
		targets[4].Device.Address = "name.onion"
		targets[4].Addr = netip.Addr{}
		cfg := monitor.Config{Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }}
		got := map[string]string{}
		for state, err := range monitor.Once(t.Context(), targets, cfg) {
			if err != nil {
				t.Fatal(err)
			}
			if got[state.Device.Name] != "" {
				t.Errorf("%s twice", state.Device.Name)
			}
			got[state.Device.Name] = string(state.Health) + ": " + state.Reason
		}
		want := map[string]string{
			"r1": "down: 3 of the last 3 tcp probes failed: no answer from 198.18.0.1:22", "child": "unknown: behind r1, which is down",
			"local": "unknown: this machine could not ask: cannot be sent: this machine could not ask 198.18.0.3:22: too many open files",
			"well":  "up: 2 of the last 2 tcp probes were answered", "name": "unknown: the name name.onion could not be resolved: no such host",
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s is %q, want %q", name, got[name], want[name])
			}
		}
		if n := len(s.asked["198.18.0.4:22"]); n != 2 {
			t.Errorf("asked %d times", n)
		}
		if d := time.Since(s.began); d > 3*timeout+time.Second {
			t.Errorf("it took %s", d)
		}
	})
}

func TestOnceEndsWithItsContextAndSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &servers{began: time.Now(), does: func(addr string, _ time.Duration) string {
			if addr == "198.18.0.1:22" {
				return "silent"
			}
			return "greet"
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		states, ended := 0, error(nil)
		for state, err := range monitor.Once(ctx, serving(hosts("r1", "r2"), s, monitor.Check{Kind: "tcp"}), monitor.Config{}) {
			if err != nil {
				ended = err
			} else if states++; state.Device.Name != "r2" {
				t.Errorf("%+v", state)
			}
		}
		if states != 1 || !errors.Is(ended, context.DeadlineExceeded) {
			t.Errorf("%d states, then %v", states, ended)
		}
	})
}
