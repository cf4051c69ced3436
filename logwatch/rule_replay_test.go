package logwatch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

// archived is a line of a device that arrived so many seconds after noon.
func archived(second int, device, mnemonic, text string) muster.LogLine {
	at := noon.Add(time.Duration(second) * time.Second)
	return muster.LogLine{
		Received: at, Time: at, TimeQuality: "year,zone,ms", Source: netip.MustParseAddr("192.0.2.1"), Device: device,
		Facility: "local7", Severity: "notice", Mnemonic: mnemonic, Message: text,
	}
}

func history(lines ...muster.LogLine) iter.Seq2[muster.LogLine, error] {
	return func(yield func(muster.LogLine, error) bool) {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// inventory knows r1, which is in the core, and r2.
func inventory(name string) (muster.Device, bool) {
	switch name {
	case "r1":
		return muster.Device{Name: name, Group: "core"}, true
	case "r2":
		return muster.Device{Name: name}, true
	}
	return muster.Device{}, false
}

// found is what a Report says of a rule, as "matched fired told: sender matched fired, ...".
func found(r logwatch.RuleReport) string {
	var senders []string
	for _, s := range r.Senders {
		senders = append(senders, fmt.Sprintf("%s %d %d", s.Key, s.Matched, s.Fired))
	}
	return fmt.Sprintf("%d %d %d: %s", r.Matched, r.Fired, r.Told, strings.Join(senders, ", "))
}

func TestReplayTellsHowOftenARuleWouldHaveFired(t *testing.T) {
	t.Parallel()
	stranger := archived(0, "", "", "down")
	local := stranger
	local.Source = netip.Addr{}
	late := archived(900, "r1", "", "down")
	late.Flags = []string{muster.FlagReplayed}
	unset := archived(3, "r1", "", "down")
	unset.Time, unset.TimeQuality = noon.Add(-time.Hour), "s,unsynced"
	mute := archived(0, "r1", "", "down")
	mute.Noise = "log-mark"
	critical := archived(0, "r1", "SYS-2-X", "malloc")
	critical.Severity, critical.Facility = "critical", "kern"
	sshd := archived(0, "r1", "", "fatal: Write failed: Broken pipe [preauth]")
	sshd.App = "sshd"

	down := logwatch.Rule{Name: "down", Text: "down"}
	three := logwatch.Rule{Name: "three", Text: "down", Count: 3, Within: 10 * time.Second}
	for _, c := range []struct {
		name  string
		rule  logwatch.Rule
		lines []muster.LogLine
		want  string
	}{
		{"nothing in history", down, nil, "0 0 0: "},
		{"once", down, []muster.LogLine{archived(0, "r1", "", "up"), archived(1, "r1", "", "down")}, "1 1 1: r1 1 1"},
		{"more of it is one hit", down, []muster.LogLine{archived(0, "r1", "", "down"), archived(1, "r1", "", "down"), archived(2, "r1", "", "down")}, "3 1 2: r1 3 1"},
		{"what comes later is another", down, []muster.LogLine{archived(0, "r1", "", "down"), archived(60, "r1", "", "down"), archived(120, "r1", "", "down")}, "3 3 3: r1 3 3"},
		{"each sender has its own", down, []muster.LogLine{archived(0, "r2", "", "down"), archived(0, "r1", "", "down"), stranger, local, archived(90, "r1", "", "down")},
			"5 5 5: r1 2 2, 192.0.2.1 1 1, local 1 1, r2 1 1"},
		{"a window", three, []muster.LogLine{archived(0, "r1", "", "down"), archived(4, "r1", "", "down"), archived(5, "r2", "", "down"), archived(9, "r1", "", "down")},
			"4 1 1: r1 3 1, r2 1 0"},
		{"a window that is too short", three, []muster.LogLine{archived(0, "r1", "", "down"), archived(4, "r1", "", "down"), archived(15, "r1", "", "down")}, "3 0 0: r1 3 0"},
		{"a window does not count what is replayed", three, []muster.LogLine{archived(0, "r1", "", "down"), late, late}, "3 0 0: r1 3 0"},
		{"but a rule without a window fires at it", down, []muster.LogLine{late}, "1 1 1: r1 1 1"},
		{"a clock that is not set is no time", three, []muster.LogLine{archived(0, "r1", "", "down"), archived(1, "r1", "", "down"), unset}, "3 1 1: r1 3 1"},
		{"noise is heard by none", down, []muster.LogLine{mute}, "0 0 0: "},
		{"but by who hears noise", logwatch.Rule{Name: "r", Text: "down", Noisy: true}, []muster.LogLine{mute}, "1 1 1: r1 1 1"},
		{"severity, facility and mnemonic", logwatch.Rule{Name: "r", Severity: severity(syslog.Critical), Facilities: []syslog.Facility{syslog.Kern}, Mnemonics: []string{"%SYS-2-*"}},
			[]muster.LogLine{critical, archived(0, "r1", "SYS-5-Y", "x")}, "1 1 1: r1 1 1"},
		{"an app", logwatch.Rule{Name: "r", Apps: []string{"sshd"}}, []muster.LogLine{sshd, critical}, "1 1 1: r1 1 1"},
		{"devices", logwatch.Rule{Name: "r", Select: inCore}, []muster.LogLine{archived(0, "r1", "", "x"), archived(0, "r2", "", "x"), archived(0, "r3", "", "x"), stranger}, "1 1 1: r1 1 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := logwatch.Replay(t.Context(), history(c.lines...), []logwatch.Rule{{Name: "other", Text: "none of it"}, c.rule}, logwatch.ReplayOptions{Device: inventory})
			if err != nil {
				t.Fatal(err)
			}
			if r.Lines != len(c.lines) || len(r.Rules) != 2 || r.Rules[0].Matched != 0 || r.Rules[1].Rule != c.rule.Name {
				t.Errorf("got %+v", r)
			}
			if got := found(r.Rules[1]); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestReplayKeepsTimesAndExamples(t *testing.T) {
	t.Parallel()
	var lines []muster.LogLine
	for i := range 6 {
		lines = append(lines, archived(100*i, "r1", "", fmt.Sprint("down ", i)))
	}
	lines = append(lines, archived(601, "r1", "", "up"))
	for _, c := range []struct{ examples, want int }{{0, logwatch.DefaultExamples}, {2, 2}, {9, 6}, {-1, 0}} {
		r, err := logwatch.Replay(t.Context(), history(lines...), []logwatch.Rule{{Name: "down", Text: "down"}}, logwatch.ReplayOptions{Examples: c.examples})
		if err != nil {
			t.Fatal(err)
		}
		got := r.Rules[0]
		if !got.First.Equal(noon) || !got.Last.Equal(noon.Add(500*time.Second)) || !r.From.Equal(noon) || !r.To.Equal(noon.Add(601*time.Second)) {
			t.Errorf("it fired from %v to %v in history from %v to %v", got.First, got.Last, r.From, r.To)
		}
		if diff := cmp.Diff(lines[:c.want], append([]muster.LogLine{}, got.Examples...), addrs); diff != "" {
			t.Errorf("%d examples (-want +got):\n%s", c.examples, diff)
		}
	}
}

func TestReplayAsksNoiseAnew(t *testing.T) {
	t.Parallel()
	was, is := archived(0, "r1", "", "fan 1 failed"), archived(0, "r2", "", "fan 2 failed")
	was.Noise = "what it was"
	o := logwatch.ReplayOptions{Device: inventory, Noise: noise(t, logwatch.NoiseRule{Rule: logwatch.Rule{Name: "fan 2", Text: "fan 2"}})}
	r, err := logwatch.Replay(t.Context(), history(was, is), []logwatch.Rule{{Name: "fan", Text: "fan"}}, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(r.Rules[0]); got != "1 1 1: r1 1 1" || r.Noise != 1 {
		t.Errorf("got %s, %d lines are noise", got, r.Noise)
	}
}

func TestReplayEndsWithWhatItFound(t *testing.T) {
	t.Parallel()
	rules := []logwatch.Rule{{Name: "down", Text: "down"}}
	line := archived(0, "r1", "", "down")
	broken := errors.New("segment 7: unexpected end")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	for _, c := range []struct {
		name  string
		lines iter.Seq2[muster.LogLine, error]
		want  error
	}{
		{"the lines cannot be read", func(yield func(muster.LogLine, error) bool) {
			_ = yield(line, nil) && yield(muster.LogLine{}, broken) && yield(line, nil)
		}, broken},
		{"it is ended", func(yield func(muster.LogLine, error) bool) {
			if yield(line, nil) {
				cancel(stopped)
				_ = yield(line, nil) && yield(line, nil)
			}
		}, stopped},
	} {
		r, err := logwatch.Replay(ctx, c.lines, rules, logwatch.ReplayOptions{})
		if !errors.Is(err, c.want) || r.Lines != 1 || found(r.Rules[0]) != "1 1 1: r1 1 1" {
			t.Errorf("%s: got %v, %+v", c.name, err, r)
		}
	}
	var wrong *logwatch.RuleError
	if _, err := logwatch.Replay(t.Context(), history(line), []logwatch.Rule{{Name: "r"}}, logwatch.ReplayOptions{}); !errors.As(err, &wrong) {
		t.Errorf("rules that are wrong: %v", err)
	}
}

func BenchmarkReplay(b *testing.B) {
	var lines []muster.LogLine
	for i, m := range messages() {
		lines = append(lines, archived(i, "r1", string(m.Mnemonic), string(m.Text)))
	}
	rules := manyRules(100)
	b.ReportAllocs()
	forever := func(yield func(muster.LogLine, error) bool) {
		for i := 0; b.Loop(); i++ {
			if !yield(lines[i%len(lines)], nil) {
				return
			}
		}
	}
	if _, err := logwatch.Replay(b.Context(), forever, rules, logwatch.ReplayOptions{Device: inventory}); err != nil {
		b.Fatal(err)
	}
}
