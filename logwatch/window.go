package logwatch

import (
	"slices"
	"time"
)

// Bounds of a Counter: 64 MB of memory at the most.
const (
	MostWindows = 1 << 16 // a rule and a sender each
	mostTimes   = 1 << 20 // of messages, in all windows together
)

// Counter counts, for each rule and sender, messages within a time. It is for one goroutine at a time. What it has counted is
// not kept over a restart: a rule that was about to fire begins anew.
//
// Beyond MostWindows, or a million messages in all of them, the window that had no message for longest is forgotten: its rule
// needs all its messages anew.
type Counter struct {
	rules   []Rule
	windows lru[window]
	times   int // in all windows

	forgotten uint64
}

// window is the times of the last messages of a sender that fulfil a rule.
type window struct {
	times []int64 // in microseconds, ascending; as many as the rule counts at the most
	late  int64   // of a message that came too late to count; 0: the last one was none
}

// NewCounter makes a Counter for rules, which are known by their index from then on.
func NewCounter(rules []Rule) *Counter { return &Counter{rules: rules} }

// Add counts a message of a sender that fulfils a rule. at is its time by the clock that the rule goes by; times that come a
// little out of order are put in order. It returns how many messages there are within the rule's time, at most its Count; when
// the first of these was, to the microsecond; and whether they are as many as it takes. A rule without a window fires at each.
//
// A message that was replayed is of a time that is over: a rule with a window neither counts it nor fires at it.
func (c *Counter) Add(rule int, key string, at time.Time, replayed bool) (count int, first time.Time, fires bool) {
	r := &c.rules[rule]
	if !r.windowed() {
		return 1, at, true
	}
	h := hearing{rule, key}
	w := c.windows.use(h)
	if replayed {
		if w == nil || len(w.times) == 0 {
			return 0, at, false
		}
		return len(w.times), time.UnixMicro(w.times[0]).UTC(), false
	}
	if w == nil {
		w = c.windows.add(h, window{})
	}
	c.times -= len(w.times)
	from, count, fires := w.add(at.UnixMicro(), r.Count, r.Within.Microseconds())
	c.times += len(w.times)
	c.forget()
	return count, time.UnixMicro(from).UTC(), fires
}

// Forgotten is how many windows had to make room so far.
func (c *Counter) Forgotten() uint64 { return c.forgotten }

// forget makes room.
func (c *Counter) forget() {
	for c.windows.len() > MostWindows || c.times > mostTimes && c.windows.len() > 1 {
		last := c.windows.last()
		c.times -= len(last.value.times)
		c.windows.drop(last.hearing)
		c.forgotten++
	}
}

// add puts a time among the others. It returns the first and the number of those that are within a time of each other: with it
// among them, when they are as many as it takes, which is what fires; and else the latest.
//
// What is older than all that could count with the latest is left out once. The second in a row says that the sender's clock was
// set back, and all begins anew.
func (w *window) add(at int64, most int, within int64) (first int64, count int, fires bool) {
	if n := len(w.times); n > 0 && w.times[n-1]-at > within {
		if w.late == 0 {
			w.late = at
			first, count = w.latest(within)
			return first, count, false
		}
		w.times = append(w.times[:0], w.late)
	}
	w.late = 0
	place, _ := slices.BinarySearch(w.times, at+1) // after those of the same time
	w.times = slices.Insert(w.times, place, at)
	first, count = w.latest(within)
	for i := max(0, place-most+1); i <= place && i+most <= len(w.times); i++ {
		if w.times[i+most-1]-w.times[i] <= within {
			first, count, fires = w.times[i], most, true
			break
		}
	}
	if over := len(w.times) - most; over > 0 {
		w.times = slices.Delete(w.times, 0, over)
	}
	return first, count, fires
}

// latest returns the first and the number of the times that are not longer before the last.
func (w *window) latest(within int64) (first int64, count int) {
	last := w.times[len(w.times)-1]
	i, _ := slices.BinarySearch(w.times, last-within)
	return w.times[i], len(w.times) - i
}
