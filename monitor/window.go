package monitor

import (
	"fmt"
	"slices"
	"time"
)

// Window is a time of maintenance: once, from one instant to another, or every week.
type Window struct {
	// From and To are of a window that is once.
	From, To time.Time
	// Start and End are times on the clock since midnight, of a window that is every week. An End that is not after Start
	// is on the next day. They are what the clock on the wall there shows, also on the day on which it is put forward.
	Start, End time.Duration
	// Days are those on which the window starts; none: every day.
	Days []time.Weekday
	// Location is where the clock hangs; nil: here.
	Location *time.Location
}

// Contains tells whether a time is in the window.
func (w Window) Contains(at time.Time) bool {
	if w.once() {
		return !at.Before(w.From) && at.Before(w.To)
	}
	at = at.In(w.location())
	return w.startedOn(at, 0, at) || w.startedOn(at, -1, at)
}

func (w Window) once() bool { return !w.From.IsZero() || !w.To.IsZero() }

func (w Window) location() *time.Location {
	if w.Location == nil {
		return time.Local
	}
	return w.Location
}

// startedOn tells whether the window that started so many days from a day contains a time.
func (w Window) startedOn(day time.Time, days int, at time.Time) bool {
	start := clock(day, days, w.Start)
	if len(w.Days) > 0 && !slices.Contains(w.Days, clock(day, days, 12*time.Hour).Weekday()) {
		return false
	}
	if w.End <= w.Start {
		days++
	}
	return !at.Before(start) && at.Before(clock(day, days, w.End))
}

// clock is when the clock shows a time so many days from a day.
func clock(day time.Time, days int, shows time.Duration) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d+days, int(shows/time.Hour), int(shows%time.Hour/time.Minute), int(shows%time.Minute/time.Second), 0, day.Location())
}

func (w Window) check() error {
	const day = 24 * time.Hour
	switch {
	case w.once() && !w.To.After(w.From):
		return fmt.Errorf("maintenance ends at %s, before it begins", w.To.Format(time.RFC3339))
	case w.Start < 0 || w.Start >= day || w.End < 0 || w.End > day:
		return fmt.Errorf("maintenance: from %s to %s are no times of a day", w.Start, w.End)
	}
	return nil
}
