package monitor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/store"
)

// again starts a second monitor over what the first one kept.
func again(t *testing.T, kept *states, d time.Duration, targets []monitor.Target, answers func(string, time.Duration) answer) *lab {
	t.Helper()
	kept.dead = false
	return watching(t, d, targets, func(l *lab) {
		l.cfg.States = kept
		l.answers = answers
	}, nil)
}

// back moves what is kept into the past, as if a time had passed between the runs, which begin at the same instant.
func (s *states) back(d time.Duration) {
	for name, h := range s.health {
		h.Since, h.Seen = h.Since.Add(-d), h.Seen.Add(-d)
		s.health[name] = h
	}
	for i := range s.transitions {
		s.transitions[i].Time = s.transitions[i].Time.Add(-d)
	}
}

// killed runs a monitor and kills it: what is not written by then is lost.
func killed(t *testing.T, d time.Duration, targets []monitor.Target, answers func(string, time.Duration) answer) (*lab, *states) {
	t.Helper()
	kept := &states{}
	l := watching(t, d+time.Second, targets, func(l *lab) {
		l.cfg.States = kept
		l.answers = answers
	}, func(l *lab) {
		l.at(d)
		kept.kill()
	})
	kept.back(d + time.Second)
	return l, kept
}

func TestAfterAKillNobodyIsToldWhatIsKnown(t *testing.T) {
	t.Parallel()
	first, kept := killed(t, 3*time.Minute, family(10, true), func(name string, at time.Duration) answer {
		if at > time.Minute && (name == "x1" || behindR1(name)) {
			return silence
		}
		return alive
	})
	first.wantTold("x1 up>down", "r1 up>down")
	second := again(t, kept, 5*time.Minute, family(10, true), within(0, time.Hour, func(name string) bool { return name == "x1" || behindR1(name) }, silence))
	second.wantTold()
	if s := second.state("sw03"); s.Health != muster.HealthUnknown || s.Behind == "" {
		t.Errorf("%+v", s)
	}
}

func TestWhatWentDownWhileWeWereAwayIsTold(t *testing.T) {
	t.Parallel()
	_, kept := killed(t, 3*time.Minute, hosts("r1", "r2", "r3"), func(string, time.Duration) answer { return alive })
	second := again(t, kept, 5*time.Minute, hosts("r1", "r2", "r3"), dies("r2", 0))
	second.wantTold("r2 up>down")
	if at, _ := second.when("r2", muster.HealthDown); at > 3*interval+timeout {
		t.Errorf("down after %s", at)
	}
}

func TestWhatCameBackWhileWeWereAwayIsTold(t *testing.T) {
	t.Parallel()
	_, kept := killed(t, 3*time.Minute, hosts("r1", "r2", "r3"), dies("r2", time.Minute))
	second := again(t, kept, 5*time.Minute, hosts("r1", "r2", "r3"), func(string, time.Duration) answer { return alive })
	second.wantTold("r2 down>up")
}

func TestMissesBeforeAKillCountAfterIt(t *testing.T) {
	t.Parallel()
	for at := 100 * time.Second; at < 125*time.Second; at += 5 * time.Second {
		_, kept := killed(t, at+2*interval, hosts("r1", "r2", "r3"), dies("r1", at))
		second := again(t, kept, 5*time.Minute, hosts("r1", "r2", "r3"), dies("r1", 0))
		down, _ := second.when("r1", muster.HealthDown)
		second.wantTold("r1 up>down")
		if down > interval+timeout { // at most what one interval brought is forgotten
			t.Errorf("dead after %s: down %s after the restart", at, down)
		}
	}
}

func TestMissesFromLongAgoDoNotCount(t *testing.T) {
	t.Parallel()
	_, kept := killed(t, 100*time.Second+2*interval, hosts("r1", "r2", "r3"), dies("r1", 100*time.Second))
	kept.back(24 * time.Hour)
	second := again(t, kept, 5*time.Minute, hosts("r1", "r2", "r3"), dies("r1", 0))
	if down, _ := second.when("r1", muster.HealthDown); down != 2*interval+timeout {
		t.Errorf("down %s after the restart", down)
	}
}

func TestAKillWhileThisMachineIsCutOffIsNoNews(t *testing.T) {
	t.Parallel()
	first, kept := killed(t, 3*time.Minute, hosts(numbered("h", 6)...), within(time.Minute, time.Hour, everybody, silence))
	first.wantTold(" up>down")
	second := again(t, kept, 5*time.Minute, hosts(numbered("h", 6)...), within(0, 2*time.Minute, everybody, silence))
	told := second.told()
	if len(told) == 0 || told[len(told)-1] != " down>up" || len(told) > 2 {
		t.Errorf("told %v", told)
	}
}

func TestTheLastTransitionsAreToldAgainWithTheSameID(t *testing.T) {
	t.Parallel()
	kept := &states{}
	l := watching(t, 3*time.Minute, hosts("r1", "r2", "r3"), func(l *lab) {
		l.cfg.States = kept
		l.answers = dies("r1", time.Minute)
	}, nil)
	second := watching(t, time.Second, hosts("r1", "r2", "r3"), func(l *lab) {
		l.cfg.States = kept
		l.answers = dies("r1", 0)
	}, nil)
	down := l.events[len(l.events)-1]
	if len(second.events) == 0 || second.events[len(second.events)-1].ID != down.ID {
		t.Errorf("%v is not among %v", down, second.events)
	}
}

func TestOnlyWhatIsNewIsSaved(t *testing.T) {
	t.Parallel()
	kept := &states{}
	var before int
	watching(t, 2*time.Hour, hosts(numbered("h", 50)...), func(l *lab) { l.cfg.States = kept }, func(l *lab) {
		l.at(time.Hour)
		_, _, before = kept.of("")
	})
	if n := kept.writes - before; n < 50*55 || n > 50*62 { // each once a minute, because it was seen again
		t.Errorf("%d rows in an hour", n)
	}
}

func TestAStoreThatFailsIsWrittenWhenItIsWellAgain(t *testing.T) {
	t.Parallel()
	kept := &states{}
	l := watching(t, 6*time.Minute, hosts("r1", "r2", "r3"), func(l *lab) {
		l.cfg.States = kept
		l.answers = dies("r1", time.Minute)
	}, func(l *lab) {
		l.at(50 * time.Second)
		kept.fail(store.ErrDiskFull)
		l.at(3 * time.Minute)
		kept.fail(nil)
	})
	l.wantTold("r1 up>down")
	if h := kept.health["r1"]; h.State != muster.HealthDown {
		t.Errorf("%+v", h)
	}
	if n := len(kept.transitions); n != 4 {
		t.Errorf("%d transitions were kept", n)
	}
}

func TestEventsThatNobodyTakesAreToldLater(t *testing.T) {
	t.Parallel()
	l := watching(t, 6*time.Minute, hosts("r1", "r2", "r3"), func(l *lab) { l.answers = dies("r1", time.Minute) }, func(l *lab) {
		l.at(50 * time.Second)
		l.mu.Lock()
		l.deaf = store.ErrDiskFull
		l.mu.Unlock()
		l.at(3 * time.Minute)
		l.wantTold()
		l.mu.Lock()
		l.deaf = nil
		l.mu.Unlock()
	})
	l.wantTold("r1 up>down")
}

func TestStatesThatCannotBeReadEndTheRun(t *testing.T) {
	t.Parallel()
	m, err := monitor.New(monitor.Config{Targets: hosts("r1"), States: &states{fault: errors.New("it is broken")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err == nil || err.Error() != "monitor: read what was known: it is broken" {
		t.Error(err)
	}
}

func TestSamplesSayWhatWasMeasured(t *testing.T) {
	t.Parallel()
	got := &samples{}
	targets := hosts("r1", "r2", "r3")
	targets[1].Device.Group = "core"
	watching(t, 10*time.Minute, targets, func(l *lab) {
		l.cfg.Samples = got
		l.answers = within(5*time.Minute, time.Hour, named("r1"), silence)
	}, nil)
	for metric, want := range map[string][2]int{"muster_probe_up": {60, 60}, "muster_probe_rtt_seconds": {30, 60}, "muster_probe_loss_ratio": {60, 60}} {
		for i, series := range []string{"r1 default icmp", "r2 core icmp"} {
			points := got.got[metric+" "+series]
			if n := len(points); n < want[i]-2 || n > want[i] {
				t.Errorf("%s %s: %d points, want %d", metric, series, n, want[i])
			}
			for j := range points[1:] {
				if !points[j+1].Time.After(points[j].Time) {
					t.Errorf("%s %s: %v is not after %v", metric, series, points[j+1], points[j])
				}
			}
		}
	}
	ups := got.got["muster_probe_up r1 default icmp"]
	if ups[0].Value != 1 || ups[len(ups)-1].Value != 0 {
		t.Errorf("%v", ups)
	}
	if loss := got.got["muster_probe_loss_ratio r1 default icmp"]; loss[0].Value != 0 || loss[len(loss)-1].Value < 0.9 {
		t.Errorf("%v", loss)
	}
	if rtt := got.got["muster_probe_rtt_seconds r2 core icmp"]; rtt[0].Value != 0.001 {
		t.Errorf("%v", rtt)
	}
}

func TestSamplesThatNobodyTakesAreCountedAndTheLatestKept(t *testing.T) {
	t.Parallel()
	got := &samples{stall: time.Hour}
	targets := hosts(numbered("h", 100)...)
	for i := range targets {
		targets[i].Interval = time.Second
	}
	l := watching(t, 5*time.Minute, targets, func(l *lab) { l.cfg.Samples = got }, func(l *lab) {
		l.at(4 * time.Minute)
		if s := l.m.Stats(); s.Lost.Samples < 30_000 {
			t.Errorf("%+v", s.Lost)
		}
		if s := l.state("h05"); s.Health != muster.HealthUp {
			t.Errorf("%+v", s)
		}
	})
	l.wantTold()
}

func TestNoTwoSamplesOfASeriesHaveOneTime(t *testing.T) {
	t.Parallel()
	got := &samples{}
	targets := hosts("r1", "r2", "r3")
	targets[0].Interval, targets[0].Timeout = time.Second, time.Second+prompt // a loss comes with the next reply
	watching(t, 2*time.Minute, targets, func(l *lab) {
		l.cfg.Samples = got
		l.answers = func(name string, at time.Duration) answer {
			if name == "r1" && at/time.Second%5 == 0 {
				return silence
			}
			return alive
		}
	}, nil)
	points := got.got["muster_probe_up r1 default icmp"]
	if len(points) < 115 {
		t.Errorf("%d points", len(points))
	}
	for i := range points[1:] {
		if !points[i+1].Time.After(points[i].Time) {
			t.Errorf("%v, then %v", points[i], points[i+1])
		}
	}
}

func TestEveryMetricIsDescribed(t *testing.T) {
	t.Parallel()
	names := ""
	for _, m := range monitor.Metrics() {
		names += m.Name + " "
		if len(m.Help) < 20 {
			t.Errorf("%+v", m)
		}
	}
	if want := fmt.Sprintln(monitor.MetricLoss, monitor.MetricRTT, monitor.MetricUp); names != want[:len(want)-1]+" " {
		t.Error(names)
	}
}
