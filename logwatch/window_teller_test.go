package logwatch_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
)

var addrs = cmpopts.EquateComparable(netip.Addr{})

// heard drives a Teller by a clock that begins at noon.
type heard struct {
	*logwatch.Teller
	now time.Time
}

func newHeard(rules ...logwatch.Rule) *heard { return &heard{logwatch.NewTeller(rules), noon} }

// told is what was told, as "rule key count/line", with + where it was told before.
func told(all ...logwatch.Told) string {
	var words []string
	for _, t := range all {
		again := ""
		if t.Again {
			again = "+"
		}
		words = append(words, fmt.Sprintf("%s%s %s %d/%s", again, t.Rule, t.Key, t.Count, t.Line.Message))
	}
	return strings.Join(words, ", ")
}

func message(text string) func() muster.LogLine {
	return func() muster.LogLine { return muster.LogLine{Message: text} }
}

// hear has a device say something now.
func (h *heard) hear(rule int, key, text string) string {
	return h.hearAt(rule, key, text, h.now, false)
}

func (h *heard) hearAt(rule int, key, text string, at time.Time, replayed bool) string {
	one, ok := h.Hear(h.now, rule, key, &muster.Device{Name: key}, at, replayed, message(text))
	if !ok {
		return ""
	}
	return told(one)
}

func (h *heard) wait(d time.Duration) string {
	h.now = h.now.Add(d)
	return told(h.Due(h.now)...)
}

func each(name string) logwatch.Rule { return logwatch.Rule{Name: name, Text: "x"} }

func TestTheFirstIsToldAtOnceAndWhatItBecomesLater(t *testing.T) {
	t.Parallel()
	h := newHeard(each("fan"))
	steps := []struct{ name, got, want string }{
		{"the first", h.hear(0, "r1", "a"), "fan r1 1/a"},
		{"nothing more", h.wait(9 * time.Second), ""},
		{"a second", h.hear(0, "r1", "b"), ""},
		{"a third", h.hear(0, "r1", "c"), ""},
		{"when it is time", h.wait(time.Second), "+fan r1 3/c"},
		{"told once", h.wait(10 * time.Second), ""},
		{"another after a while is told at once", h.hear(0, "r1", "d"), "+fan r1 4/d"},
		{"and one right after it is not", h.hear(0, "r1", "e"), ""},
		{"but when no more come", h.wait(11 * time.Second), "+fan r1 5/e"},
		{"silence", h.wait(48 * time.Second), ""},
		{"it is not over before a minute", h.hear(0, "r1", "f"), "+fan r1 6/f"},
		{"silence of a minute", h.wait(time.Minute), ""},
		{"a new one", h.hear(0, "r1", "g"), "fan r1 1/g"},
	}
	for _, s := range steps {
		if s.got != s.want {
			t.Errorf("%s: got %q, want %q", s.name, s.got, s.want)
		}
	}
}

func TestRulesAndSendersAreToldApart(t *testing.T) {
	t.Parallel()
	h := newHeard(each("fan"), each("psu"))
	for _, c := range []struct {
		rule      int
		key, want string
	}{{0, "r1", "fan r1 1/a"}, {1, "r1", "psu r1 1/a"}, {0, "r2", "fan r2 1/a"}} {
		if got := h.hear(c.rule, c.key, "a"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	h.hear(1, "r1", "b")
	h.hear(0, "r2", "c")
	h.hear(0, "r1", "d")
	if got, want := h.wait(10*time.Second), "+fan r1 2/d, +fan r2 2/c, +psu r1 2/b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAFloodIsToldOnceInTenSeconds(t *testing.T) {
	t.Parallel()
	h := newHeard(each("crash"))
	var all []string
	asked, n := 0, 0
	for range 300 {
		for range 1000 {
			n++
			line := func() muster.LogLine { asked++; return muster.LogLine{Message: fmt.Sprint(n)} }
			if one, ok := h.Hear(h.now, 0, "r1", nil, h.now, false, line); ok {
				all = append(all, told(one))
			}
		}
		if got := h.wait(100 * time.Millisecond); got != "" {
			all = append(all, got)
		}
	}
	all = append(all, h.wait(logwatch.TellEvery))
	want := []string{"crash r1 1/1", "+crash r1 100001/100001", "+crash r1 200001/200001", "+crash r1 300000/299001"}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("of a flood of 30 s is told (-want +got):\n%s", diff)
	}
	if asked > 4000 {
		t.Errorf("%d lines of %d were made", asked, n)
	}
}

func TestTwentyLinesOfACrashAreTwoEvents(t *testing.T) {
	t.Parallel()
	h := newHeard(each("crash"))
	var all []string
	for i := range 20 {
		if got := h.hear(0, "r1", fmt.Sprint(i)); got != "" {
			all = append(all, got)
		}
		h.now = h.now.Add(time.Millisecond)
	}
	for range 120 {
		if got := h.wait(time.Second); got != "" {
			all = append(all, got)
		}
	}
	if diff := cmp.Diff([]string{"crash r1 1/0", "+crash r1 20/19"}, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWindowIsToldFromItsFirstMessage(t *testing.T) {
	t.Parallel()
	rule := within(3)
	rule.Within = 5 * time.Minute
	h := newHeard(rule)
	steps := []struct{ name, got, want string }{
		{"one", h.hear(0, "r1", "a"), ""},
		{"later two", h.wait(time.Minute) + h.hear(0, "r1", "b"), ""},
		{"later three", h.wait(time.Minute) + h.hear(0, "r1", "c"), "rule-3 r1 3/c"},
		{"one that is replayed", h.hearAt(0, "r1", "old", noon, true), ""},
		{"nothing of it", h.wait(time.Minute), ""},
		{"four", h.hear(0, "r1", "d"), "+rule-3 r1 4/d"},
		{"it is not over before its time", h.wait(4*time.Minute) + h.hear(0, "r1", "e"), "+rule-3 r1 5/e"},
		{"and then it is", h.wait(5*time.Minute+time.Second) + h.hear(0, "r1", "f"), ""},
		{"until there are enough again", h.hear(0, "r1", "g") + h.hear(0, "r1", "h"), "rule-3 r1 3/h"},
	}
	for _, s := range steps {
		if s.got != s.want {
			t.Errorf("%s: got %q, want %q", s.name, s.got, s.want)
		}
	}
}

func TestAHitHasTheTimesOfItsMessages(t *testing.T) {
	t.Parallel()
	h := newHeard(each("fan"))
	dev := &muster.Device{Name: "r1"}
	first, _ := h.Hear(noon, 0, "r1", dev, noon, false, message("a"))
	h.hearAt(0, "r1", "b", noon.Add(3*time.Second), false)
	h.hearAt(0, "r1", "c", noon.Add(-time.Hour), true)
	h.now = h.now.Add(logwatch.TellEvery)
	due := h.Due(h.now)
	if len(due) != 1 {
		t.Fatalf("%d are due", len(due))
	}
	want := muster.LogHit{Rule: "fan", Key: "r1", Count: 1, First: noon, Last: noon, Line: muster.LogLine{Message: "a"}}
	if diff := cmp.Diff(want, first.LogHit, addrs); diff != "" || first.Device != dev {
		t.Errorf("the first (-want +got):\n%s", diff)
	}
	want = muster.LogHit{
		Rule: "fan", Key: "r1", Count: 3, First: noon.Add(-time.Hour), Last: noon.Add(3 * time.Second), Line: muster.LogLine{Message: "c"},
	}
	if diff := cmp.Diff(want, due[0].LogHit, addrs); diff != "" || due[0].Device != dev {
		t.Errorf("what became of it (-want +got):\n%s", diff)
	}
}

func TestWhatIsNotToldIsToldLast(t *testing.T) {
	t.Parallel()
	h := newHeard(each("fan"))
	h.hear(0, "r1", "a")
	h.hear(0, "r2", "a")
	h.hear(0, "r2", "b")
	if got := told(h.Last(h.now)...); got != "+fan r2 2/b" {
		t.Errorf("got %q", got)
	}
	if got := told(h.Last(h.now)...); got != "" {
		t.Errorf("and again %q", got)
	}
	if got := h.hear(0, "r2", "c"); got != "fan r2 1/c" {
		t.Errorf("then %q", got)
	}
}

func TestWhatNobodyAskedForIsToldNonetheless(t *testing.T) {
	t.Parallel()
	h := newHeard(each("fan"))
	h.hear(0, "r1", "a")
	h.hear(0, "r1", "b")
	h.now = h.now.Add(time.Hour) // without Due
	if got := h.hear(0, "r1", "c"); got != "fan r1 1/c" {
		t.Errorf("a new one is %q", got)
	}
	if got := h.wait(0); got != "+fan r1 2/b" {
		t.Errorf("what was left is %q", got)
	}
}

func TestTooManyUnknownSendersAreToldTogether(t *testing.T) {
	t.Parallel()
	h := newHeard(each("fan"))
	stranger := func(i int) string {
		one, ok := h.Hear(h.now, 0, fmt.Sprint("198.18.0.", i), nil, h.now, false, message(fmt.Sprint(i)))
		if !ok {
			return ""
		}
		return told(one)
	}
	firsts := 0
	for i := range logwatch.MostStrangers {
		if stranger(i) != "" {
			firsts++
		}
	}
	if firsts != logwatch.MostStrangers {
		t.Errorf("%d are told", firsts)
	}
	if got := stranger(5000); got != "fan others 1/5000" {
		t.Errorf("one too many is %q", got)
	}
	for i := range 20_000 {
		if got := stranger(6000 + i); got != "" {
			t.Fatalf("one more is %q", got)
		}
	}
	if got := stranger(7); got != "" {
		t.Errorf("one that was there before is %q", got)
	}
	if got := h.hear(0, "r1", "a"); got != "fan r1 1/a" {
		t.Errorf("a device is %q", got)
	}
	if got, want := h.wait(10*time.Second), "+fan 198.18.0.7 2/7, +fan others 20001/6999"; got != want {
		t.Errorf("later %q, want %q", got, want)
	}
	h.wait(2 * time.Minute)
	if got := stranger(5000); got != "fan 198.18.0.5000 1/5000" {
		t.Errorf("when the others are over it is %q", got)
	}
}

func TestHitsMakeRoomAndAreTold(t *testing.T) {
	t.Parallel()
	h := newHeard(each("fan"))
	h.hear(0, "old", "a")
	h.hear(0, "old", "b")
	for i := range 1 << 16 {
		h.hear(0, fmt.Sprint("r", i), "a")
	}
	if got := h.wait(0); got != "+fan old 2/b" {
		t.Errorf("what made room is %q", got)
	}
}

func BenchmarkTeller(b *testing.B) {
	h := newHeard(each("fan"))
	dev := &muster.Device{Name: "r1"}
	b.ReportAllocs()
	for b.Loop() {
		h.now = h.now.Add(10 * time.Microsecond)
		h.Hear(h.now, 0, "r1", dev, h.now, false, message("a"))
		h.Due(h.now)
	}
}
