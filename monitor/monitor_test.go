package monitor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
)

// dies is a host that answers until a time.
func dies(who string, at time.Duration) func(string, time.Duration) answer {
	return func(name string, now time.Duration) answer {
		if name == who && now >= at {
			return silence
		}
		return alive
	}
}

// within is silence of everybody who fits, for a time.
func within(from, to time.Duration, who func(name string) bool, then answer) func(string, time.Duration) answer {
	return func(name string, now time.Duration) answer {
		if now >= from && now < to && who(name) {
			return then
		}
		return alive
	}
}

func everybody(string) bool { return true }

func named(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func TestHostThatDiesIsDownWithItsLastMissOfTheRule(t *testing.T) {
	t.Parallel()
	rules := []struct {
		down   monitor.Rule
		misses int
	}{{monitor.Rule{}, 3}, {monitor.Rule{N: 1, Of: 1}, 1}, {monitor.Rule{N: 2, Of: 5}, 2}, {monitor.Rule{N: 7, Of: 7}, 7}}
	for _, r := range rules {
		t.Run(fmt.Sprint(r.down), func(t *testing.T) {
			t.Parallel()
			targets := hosts("r1", "r2", "r3")
			targets[1].Down = r.down
			l := watching(t, 3*time.Minute, targets, func(l *lab) { l.answers = dies("r2", time.Minute) }, nil)
			var missed []time.Duration
			for _, at := range l.asked["r2"] {
				if at >= time.Minute {
					missed = append(missed, at)
				}
			}
			want, slack := missed[r.misses-1]+timeout, time.Duration(0)
			if r.misses == 1 { // which may be all of them: the next one to answer tells
				want, slack = l.asked["r3"][6]+prompt, 100*time.Millisecond
			}
			if got, why := l.when("r2", muster.HealthDown); got < want || got > want+slack || !strings.Contains(why, fmt.Sprintf("%d of the last", r.misses)) {
				t.Errorf("down after %s (%s), want %s", got, why, want)
			}
			l.wantTold("r2 up>down")
		})
	}
}

func TestHostThatDropsAPacketInBetweenIsNotDown(t *testing.T) {
	t.Parallel()
	l := watching(t, 20*time.Minute, hosts("r1", "r2"), func(l *lab) {
		l.answers = func(name string, at time.Duration) answer {
			if n := at / interval; name == "r1" && (n%20 == 7 || n%20 == 8) {
				return silence
			}
			return alive
		}
	}, nil)
	l.wantTold()
}

func TestHostThatIsBackIsUpAfterAsManyRepliesAsTheRuleWants(t *testing.T) {
	t.Parallel()
	targets := hosts("r1", "r2")
	targets[0].Up = monitor.Rule{N: 4, Of: 4}
	l := watching(t, 5*time.Minute, targets, func(l *lab) {
		l.answers = within(time.Minute, 2*time.Minute, named("r1"), silence)
	}, nil)
	l.wantTold("r1 up>down", "r1 down>up")
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.events[len(l.events)-1]
	if at := last.Time.Sub(l.began); at != 2*time.Minute+3*interval+prompt {
		t.Errorf("up after %s", at)
	}
}

func TestHostThatWasNeverHeardIsDownAndNotUnknownForEver(t *testing.T) {
	t.Parallel()
	l := watching(t, time.Minute, hosts("r1", "r2"), func(l *lab) { l.answers = dies("r1", 0) }, func(l *lab) {
		l.at(10 * time.Second)
		if s := l.state("r1"); s.Health != muster.HealthUnknown || s.Reason != "not enough probes yet" {
			t.Errorf("%s: %s", s.Health, s.Reason)
		}
	})
	l.wantTold("r1 unknown>down")
}

func TestFlappingHostIsToldOnceAndAgainWhenItIsStable(t *testing.T) {
	t.Parallel()
	flaps := func(name string, at time.Duration) answer {
		if name == "r1" && at > 5*time.Minute && at < 65*time.Minute && at/(2*time.Minute)%2 == 0 {
			return silence
		}
		return alive
	}
	l := watching(t, 2*time.Hour, hosts("r1", "r2"), func(l *lab) {
		l.answers = flaps
		l.cfg.Flap = monitor.Flap{Changes: 3}
	}, func(l *lab) {
		l.at(40 * time.Minute)
		if s := l.state("r1"); !s.Flapping {
			t.Errorf("%+v", s)
		}
	})
	told := l.told()
	// three changes, the one that makes it flap, and the last word when it is stable again
	if len(told) != 4 && len(told) != 5 {
		t.Errorf("told %d times: %s", len(told), told)
	}
	all := l.told(true)
	if len(all) < 25 {
		t.Errorf("the state is not followed: %d transitions", len(all))
	}
	if s := l.state("r1"); s.Flapping || s.Health != muster.HealthUp {
		t.Errorf("at the end: %+v", s)
	}
	_, reason := "", ""
	for _, e := range l.events {
		if strings.HasPrefix(e.Transition.Reason, "flapping, 4 changes within 10m0s: ") && !e.Transition.Quiet {
			reason = e.Transition.Reason
		}
	}
	if reason == "" {
		t.Errorf("nobody was told that it flaps: %v", told)
	}
}

func TestWhatHoldsWhenFlappingEndsIsTold(t *testing.T) {
	t.Parallel()
	l := watching(t, 2*time.Hour, hosts("r1", "r2"), func(l *lab) {
		l.cfg.Flap = monitor.Flap{Changes: 2}
		l.answers = func(name string, at time.Duration) answer {
			if name == "r1" && (at > 15*time.Minute || at > 5*time.Minute && at/(2*time.Minute)%2 == 0) {
				return silence
			}
			return alive
		}
	}, nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.events[len(l.events)-1].Transition
	if s := l.state("r1"); s.Health != muster.HealthDown || last.To != muster.HealthDown {
		t.Errorf("%+v, told last: %+v", s, last)
	}
}

// family is a router and what is behind it, and others that are not.
func family(children int, first bool) []monitor.Target {
	names := append([]string{"r1"}, numbered("sw", children)...)
	if !first { // the parent is asked last of all
		names = append(names[1:], names[0])
	}
	targets := hosts(append(names, "x1", "x2", "x3", "x4")...)
	for i := range targets {
		if strings.HasPrefix(targets[i].Device.Name, "sw") {
			targets[i].Parents = []string{"r1"}
		}
	}
	return targets
}

func behindR1(name string) bool { return name == "r1" || strings.HasPrefix(name, "sw") }

func TestChildrenOfADeadRouterAreUnknownAndRaiseNothing(t *testing.T) {
	t.Parallel()
	for _, parentFirst := range []bool{true, false} {
		for _, cut := range []time.Duration{time.Minute, 64 * time.Second, 69500 * time.Millisecond} {
			t.Run(fmt.Sprint(parentFirst, cut), func(t *testing.T) {
				t.Parallel()
				l := watching(t, 10*time.Minute, family(50, parentFirst), func(l *lab) {
					l.answers = within(cut, 5*time.Minute, behindR1, silence)
				}, func(l *lab) {
					l.at(4 * time.Minute)
					if s := l.state("sw07"); s.Health != muster.HealthUnknown || s.Reason != "behind r1, which is down" || s.Behind == "" {
						t.Errorf("%s: %s", s.Health, s.Reason)
					}
				})
				l.wantTold("r1 up>down", "r1 down>up")
				if s := l.state("sw07"); s.Health != muster.HealthUp {
					t.Errorf("at the end: %+v", s)
				}
			})
		}
	}
}

func TestARouterWithNothingBesideItIsDownAndNotThisMachineCutOff(t *testing.T) {
	t.Parallel()
	l := watching(t, 3*time.Minute, family(50, false)[:51], func(l *lab) { l.answers = within(time.Minute, time.Hour, everybody, silence) }, nil)
	l.wantTold("r1 up>down")
}

func TestGrandchildrenAreBehindWhatIsBehindADeadRouter(t *testing.T) {
	t.Parallel()
	targets := hosts("host", "switch", "router", "x1", "x2")
	targets[0].Parents, targets[1].Parents = []string{"switch"}, []string{"router"}
	dead := named("host", "switch", "router")
	l := watching(t, 5*time.Minute, targets, func(l *lab) { l.answers = within(time.Minute, time.Hour, dead, silence) }, nil)
	l.wantTold("router up>down")
	if s := l.state("host"); s.Reason != "behind switch, which is behind router, which is down" {
		t.Error(s.Reason)
	}
}

func TestAChildOfASlowParentWaitsForItsVerdict(t *testing.T) {
	t.Parallel()
	targets := family(5, true)
	for i := range targets {
		if targets[i].Parents != nil {
			targets[i].Interval = time.Second
		}
	}
	l := watching(t, 5*time.Minute, targets, func(l *lab) { l.answers = within(time.Minute, time.Hour, behindR1, silence) }, nil)
	l.wantTold("r1 up>down")
}

func TestAChildThatDiesAloneIsDownAsSoonAsAnybody(t *testing.T) {
	t.Parallel()
	l := watching(t, 3*time.Minute, family(5, true), func(l *lab) { l.answers = dies("sw03", time.Minute) }, nil)
	l.wantTold("sw03 up>down")
	if at, _ := l.when("sw03", muster.HealthDown); at > time.Minute+3*interval+timeout {
		t.Errorf("down after %s", at)
	}
}

func TestWhatDiedBehindADeadRouterIsToldWhenTheRouterIsBack(t *testing.T) {
	t.Parallel()
	l := watching(t, 10*time.Minute, family(5, true), func(l *lab) {
		l.answers = func(name string, at time.Duration) answer {
			if at >= time.Minute && (name == "sw03" || behindR1(name) && at < 5*time.Minute) {
				return silence
			}
			return alive
		}
	}, nil)
	l.wantTold("r1 up>down", "r1 down>up", "sw03 unknown>down")
}

func TestADeviceWithTwoParentsIsHiddenOnlyBehindBoth(t *testing.T) {
	t.Parallel()
	targets := hosts("sw", "r1", "r2", "x1", "x2")
	targets[0].Parents = []string{"r1", "r2"}
	l := watching(t, 8*time.Minute, targets, func(l *lab) {
		l.answers = func(name string, at time.Duration) answer {
			if at > time.Minute && name == "r1" || at > 3*time.Minute && (name == "r2" || name == "sw") {
				return silence
			}
			return alive
		}
	}, nil)
	l.wantTold("r1 up>down", "r2 up>down")
}

func TestWhenAllFallSilentItIsThisMachine(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 12, 200} {
		for _, cut := range []time.Duration{time.Minute, 67 * time.Second} {
			t.Run(fmt.Sprint(n, cut), func(t *testing.T) {
				t.Parallel()
				l := watching(t, 10*time.Minute, hosts(numbered("h", n)...), func(l *lab) {
					l.answers = within(cut, 5*time.Minute, everybody, silence)
				}, func(l *lab) {
					l.at(4 * time.Minute)
					if s := l.state("h01"); s.Health != muster.HealthUnknown || !strings.HasPrefix(s.Reason, "this machine is cut off: ") {
						t.Errorf("%s: %s", s.Health, s.Reason)
					}
				})
				l.wantTold(" up>down", " down>up")
				if l.m.Stats().Health[muster.HealthUp] != n {
					t.Errorf("%+v", l.m.Stats())
				}
			})
		}
	}
}

func TestAnOwnAddressThatAnswersHidesNoCut(t *testing.T) {
	t.Parallel()
	targets := hosts(numbered("h", 5)...)
	targets[4].Device.Address = "127.0.0.1"
	l := watching(t, 3*time.Minute, targets, func(l *lab) {
		l.answers = within(time.Minute, time.Hour, named("h00", "h01", "h02", "h03"), silence)
	}, nil)
	l.wantTold(" up>down")
}

func TestManyThatDieWhileOthersAnswerAreDown(t *testing.T) {
	t.Parallel()
	l := watching(t, 3*time.Minute, hosts(numbered("h", 20)...), func(l *lab) {
		l.answers = within(time.Minute, time.Hour, func(name string) bool { return name < "h15" }, silence)
	}, nil)
	if got := l.told(); len(got) != 15 {
		t.Errorf("told %v", got)
	}
}

func TestWhoDoesNotAnswerAfterACutIsDown(t *testing.T) {
	t.Parallel()
	l := watching(t, 8*time.Minute, hosts(numbered("h", 5)...), func(l *lab) {
		l.answers = func(name string, at time.Duration) answer {
			if at > time.Minute && (at < 3*time.Minute || name == "h03") {
				return silence
			}
			return alive
		}
	}, nil)
	l.wantTold(" up>down", " down>up", "h03 unknown>down")
}

func TestWhatThisMachineCannotSendIsNoMiss(t *testing.T) {
	t.Parallel()
	l := watching(t, 5*time.Minute, hosts("r1", "r2", "r3", "r4"), func(l *lab) {
		l.answers = within(time.Minute, 3*time.Minute, named("r1"), unsent)
	}, nil)
	l.wantTold("r1 up>unknown", "r1 unknown>up")
	if _, why := l.when("r1", muster.HealthUnknown); !strings.Contains(why, "this machine could not ask") || !strings.Contains(why, "network is unreachable") {
		t.Error(why)
	}
}

func TestWhenNothingCanBeSentItIsThisMachine(t *testing.T) {
	t.Parallel()
	l := watching(t, 5*time.Minute, hosts("r1", "r2", "r3", "r4"), func(l *lab) {
		l.answers = within(time.Minute, 3*time.Minute, everybody, unsent)
	}, nil)
	l.wantTold(" up>down", " down>up")
}

func TestWhatThisMachineDroppedIsNoMiss(t *testing.T) {
	t.Parallel()
	l := watching(t, 5*time.Minute, hosts("r1", "r2", "r3"), func(l *lab) {
		l.answers = func(name string, at time.Duration) answer {
			if name == "r1" && at > time.Minute && at/interval%3 != 0 {
				return dropped
			}
			return alive
		}
	}, nil)
	l.wantTold()
}

func TestAHostWhoseRepliesAreLateIsDegradedAndNotDown(t *testing.T) {
	t.Parallel()
	for _, rtt := range []time.Duration{2500 * time.Millisecond, 5 * time.Second, 15 * time.Second} {
		t.Run(rtt.String(), func(t *testing.T) {
			t.Parallel()
			l := watching(t, 20*time.Minute, hosts("r1", "r2"), func(l *lab) {
				l.answers = within(5*time.Minute, time.Hour, named("r1"), answer{rtt: rtt})
			}, nil)
			l.wantTold("r1 up>degraded")
			if s := l.state("r1"); s.Loss != 1 || s.RTT != rtt || !strings.Contains(s.Reason, "late") {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestAHostThatLosesMuchIsDegraded(t *testing.T) {
	t.Parallel()
	l := watching(t, 30*time.Minute, hosts("r1", "r2"), func(l *lab) {
		l.answers = func(name string, at time.Duration) answer {
			if name == "r1" && at > 5*time.Minute && at < 15*time.Minute && at/interval%3 == 0 {
				return silence
			}
			return alive
		}
	}, nil)
	l.wantTold("r1 up>degraded", "r1 degraded>up")
}

func TestNobodyIsAlarmedInMaintenanceButAfterIt(t *testing.T) {
	t.Parallel()
	targets := hosts("r1", "r2", "r3")
	start := time.Date(2000, 1, 1, 0, 5, 0, 0, time.UTC)
	for i := range targets {
		targets[i].Maintenance = []monitor.Window{{From: start, To: start.Add(10 * time.Minute)}}
	}
	l := watching(t, 30*time.Minute, targets, func(l *lab) {
		l.answers = func(name string, at time.Duration) answer {
			if at > 6*time.Minute && (name == "r1" && at < 12*time.Minute || name == "r2") {
				return silence
			}
			return alive
		}
	}, func(l *lab) {
		l.at(10 * time.Minute)
		if s := l.state("r1"); s.Health != muster.HealthDown || !s.Maintenance {
			t.Errorf("%+v", s)
		}
		l.wantTold()
		l.at(20 * time.Minute)
	})
	l.wantTold("r2 up>down")
	if _, why := l.when("r2", muster.HealthDown); why == "" {
		t.Error("no reason")
	}
}

func TestReplaceKeepsStateAndForgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	kept := &states{}
	l := watching(t, 10*time.Minute, hosts("r1", "r2", "r3"), func(l *lab) {
		l.cfg.States = kept
		l.answers = dies("r1", time.Minute)
	}, func(l *lab) {
		l.at(3 * time.Minute)
		since := l.state("r1").Since
		l.mu.Lock()
		l.targets = l.targets[:2]
		l.mu.Unlock()
		renamed := slices.Clone(l.targets)
		renamed[0].Device.Group = "core"
		if err := l.m.Replace(renamed); err != nil {
			t.Error(err)
		}
		l.at(5 * time.Minute)
		if s := l.state("r1"); s.Health != muster.HealthDown || !s.Since.Equal(since) || s.Device.Group != "core" {
			t.Errorf("%+v", s)
		}
		if s := l.state("r2"); s.Health != muster.HealthUp {
			t.Errorf("%+v", s)
		}
		for s := range l.m.States() {
			if s.Device.Name == "r3" {
				t.Error("r3 is still there")
			}
		}
		if _, ok, _ := kept.of("r3"); ok {
			t.Error("r3 is still kept")
		}
	})
	l.wantTold("r1 up>down")
}

func TestAClockThatIsSetDisturbsNothing(t *testing.T) {
	t.Parallel()
	got := &samples{}
	l := watching(t, 10*time.Minute, hosts("r1", "r2", "r3"), func(l *lab) {
		l.cfg.Samples = got
		l.answers = dies("r1", 4*time.Minute)
	}, func(l *lab) {
		l.at(2 * time.Minute)
		l.m.SetWall(func() time.Time { return time.Now().Add(365 * 24 * time.Hour) })
		l.at(3 * time.Minute)
		l.m.SetWall(func() time.Time { return time.Now().Add(-30 * time.Hour) })
		l.at(5 * time.Minute)
		if s := l.state("r1"); s.Since.After(time.Now().Add(-29*time.Hour)) || s.Seen.After(s.Since) || s.Since.Sub(s.Seen) > time.Minute {
			t.Errorf("%+v", s)
		}
	})
	loud := slices.DeleteFunc(slices.Clone(l.events), func(e muster.Event) bool { return e.Transition.Quiet })
	if len(loud) != 1 || loud[0].Transition.To != muster.HealthDown {
		t.Errorf("told %v", loud)
	}
	if n := len(l.asked["r2"]); n != 60 {
		t.Errorf("asked %d times", n)
	}
	if n := len(got.got["muster_probe_up r2 default icmp"]); n != 60 {
		t.Errorf("%d samples", n)
	}
}

func TestTargetsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func([]monitor.Target)
		want   string
	}{
		"parents in a circle": {func(ts []monitor.Target) {
			ts[0].Parents, ts[1].Parents, ts[2].Parents = []string{"r2"}, []string{"r3"}, []string{"r1"}
		}, `the parents of "r1" lead back to it: r1 -> r2 -> r3 -> r1`},
		"its own parent": {func(ts []monitor.Target) { ts[0].Parents = []string{"r1"} }, "r1 -> r1"},
		"twice":          {func(ts []monitor.Target) { ts[1].Device.Name = "r1" }, `two targets are called "r1"`},
		"no address":     {func(ts []monitor.Target) { ts[1].Device.Address = "" }, `"r2": it has no address`},
		"no rule":        {func(ts []monitor.Target) { ts[0].Down = monitor.Rule{N: 4, Of: 3} }, "down: 4 of 3 is no rule"},
		"rule too long":  {func(ts []monitor.Target) { ts[0].Up = monitor.Rule{N: 4, Of: 65} }, "up: 4 of 65"},
		"no such probe":  {func(ts []monitor.Target) { ts[0].Probes = []monitor.Check{{Kind: "snmp"}} }, `unknown kind of probe "snmp"`},
		"probe twice":    {func(ts []monitor.Target) { ts[0].Probes = []monitor.Check{{Kind: "tcp"}, {Kind: "tcp"}} }, `two probes are called "tcp"`},
		"port":           {func(ts []monitor.Target) { ts[0].Probes = []monitor.Check{{Kind: "tcp", Port: 70000}} }, "no port 70000"},
		"interval":       {func(ts []monitor.Target) { ts[0].Interval = time.Millisecond }, "an interval of 1ms is less than 20ms"},
		"timeout":        {func(ts []monitor.Target) { ts[0].Timeout = time.Hour }, "a timeout of 1h0m0s"},
		"maintenance ended": {func(ts []monitor.Target) {
			ts[0].Maintenance = []monitor.Window{{From: time.Unix(9, 0), To: time.Unix(3, 0)}}
		}, "before it begins"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			targets := hosts("r1", "r2", "r3")
			c.change(targets)
			_, err := monitor.New(monitor.Config{Targets: targets, Ping: ping.Config{}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
