package logwatch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster/logwatch"
)

var noon = time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)

// within is a rule of so many messages within 10 s.
func within(count int) logwatch.Rule {
	return logwatch.Rule{Name: fmt.Sprint("rule-", count), Text: "x", Count: count, Within: 10 * time.Second}
}

func TestAWindowFiresWhenThereAreEnough(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		count int
		at    string // seconds after noon; r: replayed
		want  string // how many; !: fires
	}{
		{"one message fires a rule without a window", 0, "0 1", "1! 1!"},
		{"and of a count of one", 1, "0 0", "1! 1!"},
		{"and when it is replayed", 1, "r0 r-3600", "1! 1!"},
		{"three within the time", 3, "0 4 9", "1 2 3!"},
		{"three exactly within the time", 3, "0 5 10", "1 2 3!"},
		{"three in more than the time", 3, "0 5 11", "1 2 2"},
		{"each further one while there are enough", 3, "0 1 2 3 4", "1 2 3! 3! 3!"},
		{"and not when they have become fewer", 3, "0 1 2 20 21 22", "1 2 3! 1 2 3!"},
		{"slowly for ever", 2, "0 11 22 33", "1 1 1 1"},
		{"at the same time", 3, "5 5 5", "1 2 3!"},
		{"out of order", 3, "9 0 4", "1 2 3!"},
		{"out of order, beside one that is too late", 3, "12 0 5 3", "1 1 2 3!"},
		{"enough before the latest", 3, "0 1 11 2", "1 2 2 3!"},
		{"what comes too late does not count", 3, "20 21 0 22", "1 2 2 3!"},
		{"what comes too late does not fire", 2, "20 21 0", "1 2! 2"},
		{"a clock that was set back", 3, "3600 3601 0 1 2", "1 2 2 2 3!"},
		{"a message of the future", 3, "0 9000 1 2 3", "1 1 1 2 3!"},
		{"what is replayed neither counts nor fires", 3, "0 1 r2 r3 4", "1 2 2 2 3!"},
		{"nothing but what is replayed", 2, "r0 r1 r2", "0 0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			counter := logwatch.NewCounter([]logwatch.Rule{within(5), {Name: "r", Text: "x", Count: c.count, Within: 10 * time.Second}})
			var got []string
			for _, word := range strings.Fields(c.at) {
				n, _, fires := counter.Add(1, "r1", after(t, word), word[0] == 'r')
				got = append(got, fmt.Sprint(n, map[bool]string{true: "!"}[fires]))
			}
			if got := strings.ReplaceAll(strings.Join(got, ","), " ", ""); strings.ReplaceAll(got, ",", " ") != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// after is the time of a word such as 12 or r12: so many seconds after noon.
func after(t *testing.T, word string) time.Time {
	t.Helper()
	var s float64
	if _, err := fmt.Sscan(strings.TrimPrefix(word, "r"), &s); err != nil {
		t.Fatal(err)
	}
	return noon.Add(time.Duration(s * float64(time.Second)))
}

func TestAWindowTellsWhenItsFirstMessageWas(t *testing.T) {
	t.Parallel()
	c := logwatch.NewCounter([]logwatch.Rule{within(3)})
	for _, step := range []struct{ at, first string }{{"0", "0"}, {"20", "20"}, {"15", "15"}, {"22", "15"}, {"23", "20"}, {"r0", "20"}, {"90", "90"}} {
		if _, first, _ := c.Add(0, "r1", after(t, step.at), step.at[0] == 'r'); !first.Equal(after(t, step.first)) {
			t.Errorf("at %s the first was at %v, want %s", step.at, first, step.first)
		}
	}
}

func TestRulesAndSendersAreCountedApart(t *testing.T) {
	t.Parallel()
	c := logwatch.NewCounter([]logwatch.Rule{within(2), within(2)})
	for _, key := range []string{"r1", "r2"} {
		for rule := range 2 {
			if n, _, fires := c.Add(rule, key, noon, false); n != 1 || fires {
				t.Errorf("the first message of %s for rule %d is number %d", key, rule, n)
			}
		}
	}
	if n, _, fires := c.Add(1, "r2", noon, false); n != 2 || !fires {
		t.Errorf("the second is number %d", n)
	}
}

func TestTheWindowThatWasNotUsedMakesRoom(t *testing.T) {
	t.Parallel()
	t.Run("when there are too many", func(t *testing.T) {
		t.Parallel()
		c := logwatch.NewCounter([]logwatch.Rule{within(3)})
		add := func(key string) int { n, _, _ := c.Add(0, key, noon, false); return n }
		add("old")
		add("busy")
		for i := range logwatch.MostWindows - 1 {
			add(fmt.Sprint("sender-", i))
			if i == 0 {
				add("busy")
			}
		}
		if c.Forgotten() != 1 {
			t.Errorf("%d windows were forgotten", c.Forgotten())
		}
		if n := add("busy"); n != 3 {
			t.Errorf("the busy one is at %d", n)
		}
		if n := add("old"); n != 1 {
			t.Errorf("the old one is at %d", n)
		}
	})
	t.Run("when they hold too many messages", func(t *testing.T) {
		t.Parallel()
		c := logwatch.NewCounter([]logwatch.Rule{within(logwatch.MostCount)})
		for i := range 1100 {
			for range logwatch.MostCount {
				c.Add(0, fmt.Sprint("sender-", i), noon, false)
			}
		}
		if n := c.Forgotten(); n != 1100-(1<<20)/logwatch.MostCount {
			t.Errorf("%d windows were forgotten", n)
		}
		if n, _, fires := c.Add(0, "sender-1099", noon, false); n != logwatch.MostCount || !fires {
			t.Errorf("the last sender is at %d", n)
		}
	})
}

func FuzzCounter(f *testing.F) {
	f.Add(3, []byte{0, 1, 2, 200, 3, 4})
	f.Add(2, []byte{255, 0, 0, 0, 255})
	f.Fuzz(func(t *testing.T, count int, seconds []byte) {
		if count < 2 || count > 20 {
			t.Skip()
		}
		rule := within(count)
		c := logwatch.NewCounter([]logwatch.Rule{rule})
		sorted := true
		for i, s := range seconds {
			sorted = sorted && (i == 0 || s >= seconds[i-1])
			at := noon.Add(time.Duration(s) * time.Second)
			n, first, fires := c.Add(0, "r1", at, false)
			if n < 1 || n > count || fires && n != count || first.After(noon.Add(255*time.Second)) || first.Before(noon) {
				t.Fatalf("message %d of %v: %d since %v, fires: %v", i, seconds, n, first, fires)
			}
			if want := i+1 >= count && time.Duration(s-seconds[max(0, i+1-count)])*time.Second <= rule.Within; sorted && fires != want {
				t.Fatalf("message %d of %v fires: %v", i, seconds, fires)
			}
		}
	})
}

func BenchmarkCounter(b *testing.B) {
	for _, count := range []int{5, logwatch.MostCount} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			c := logwatch.NewCounter([]logwatch.Rule{within(count)})
			keys := make([]string, 1000)
			for i := range keys {
				keys[i] = fmt.Sprint("sender-", i)
			}
			b.ReportAllocs()
			at := noon
			for i := 0; b.Loop(); i++ {
				at = at.Add(time.Millisecond)
				c.Add(0, keys[i%len(keys)], at, false)
			}
		})
	}
}
