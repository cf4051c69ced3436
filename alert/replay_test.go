package alert_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
	"github.com/musternet/muster/store"
)

var monday = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

// past is a week with r1 down for 3 minutes each day and r2 for an hour once, also while r1 is.
func past() alert.Past {
	p := alert.Past{From: monday, To: monday.AddDate(0, 0, 7), Devices: fleet(4)}
	set := func(device string, at time.Duration, to muster.Health) {
		p.Transitions = append(p.Transitions, muster.Transition{Device: device, Time: monday.Add(at), To: to})
	}
	for day := range 7 {
		at := time.Duration(day)*24*time.Hour + 2*time.Hour
		set("r1", at, muster.HealthDown)
		set("r1", at+3*time.Minute, muster.HealthUp)
	}
	set("r2", 90*time.Minute, muster.HealthDown)
	set("r2", 150*time.Minute, muster.HealthUp)
	return p
}

func TestARuleIsReplayedOnThePast(t *testing.T) {
	t.Parallel()
	p := past()
	for i := range 3 {
		p.Events = append(p.Events, muster.Event{ID: fmt.Sprint(i), Time: monday.Add(time.Duration(i) * time.Hour),
			Kind: muster.EventBackupFailed, Device: p.Devices[0]})
	}
	for _, c := range []struct {
		rule alert.Rule
		want int
	}{
		{alert.Rule{Kind: "state"}, 8},
		{alert.Rule{Kind: "state", For: 3*time.Minute - 1}, 8},
		{alert.Rule{Kind: "state", For: 3*time.Minute + 1}, 1},
		{alert.Rule{Kind: "state", For: 2 * time.Hour}, 0},
		{alert.Rule{Kind: "group", Count: 2}, 1},
		{alert.Rule{Kind: "group", Share: 0.25}, 7}, // of which one lasts while r1 comes and goes
		{alert.Rule{Kind: "event", Event: muster.EventBackupFailed}, 1},
		{alert.Rule{Kind: "event", Event: muster.EventBackupFailed, Keep: time.Minute}, 3},
		{alert.Rule{Kind: "uplink"}, 0},
	} {
		c.rule.Name = "x"
		got, err := alert.Replay(t.Context(), c.rule, p)
		if err != nil || got != c.want {
			t.Errorf("%+v: fired %d times, want %d (%v)", c.rule, got, c.want, err)
		}
	}
}

func TestAnExpressionIsReplayedOnTheHistory(t *testing.T) {
	t.Parallel()
	h := &history{ranges: func(_ string, first, last time.Time, step time.Duration) []muster.Series {
		return []muster.Series{
			{Labels: map[string]string{"device": "r1"}, Points: points(first, last, step, func(at time.Time) bool { return at.Hour() == 3 })},
			{Labels: map[string]string{"device": "r2"}, Points: points(first, last, step, func(at time.Time) bool { return at.Day() == 17 })},
		}
	}}
	p := past()
	p.Samples = h
	for wait, want := range map[time.Duration]int{0: 8, 50 * time.Minute: 8, 2 * time.Hour: 1, 30 * time.Hour: 0} {
		got, err := alert.Replay(t.Context(), alert.Rule{Name: "x", Kind: "promql", Expr: "x", For: wait}, p)
		if err != nil || got != want {
			t.Errorf("with %s it fired %d times, want %d (%v)", wait, got, want, err)
		}
	}
}

// points are those of each step at which there is one.
func points(first, last time.Time, step time.Duration, there func(time.Time) bool) []muster.Point {
	var all []muster.Point
	for at := first; !at.After(last); at = at.Add(step) {
		if there(at) {
			all = append(all, muster.Point{Time: at, Value: 1})
		}
	}
	return all
}

func TestAReplayOfAWrongRuleSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := past()
	if _, err := alert.Replay(t.Context(), alert.Rule{Name: "x", Kind: "promql", Expr: "x"}, p); err == nil {
		t.Error("there is no history")
	}
	p.Samples = &history{fail: map[string]error{"x(": fmt.Errorf("%w: 1:2: unclosed", store.ErrQuery), "x": errors.New("disk on fire")}}
	var wrong *alert.RuleError
	if _, err := alert.Replay(t.Context(), alert.Rule{Name: "x", Kind: "promql", Expr: "x("}, p); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	if _, err := alert.Replay(t.Context(), alert.Rule{Name: "x", Kind: "promql", Expr: "x"}, p); err == nil || errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	if _, err := alert.Replay(t.Context(), alert.Rule{Name: "x", Kind: "nosuch"}, p); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	_, err := alert.Replay(t.Context(), alert.Rule{Name: "x", Kind: "log"}, p)
	if want := `rule "x": what devices have logged is replayed by: muster syslog rules test`; !errors.Is(err, alert.ErrNotReplayed) || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
