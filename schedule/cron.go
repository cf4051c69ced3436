package schedule

import (
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// tick is the first time of the expression after t, or zero where there is none. gronx only ever sees clocks that are not
// changed: what daylight saving time means is decided here.
func (p Plan) tick(t time.Time) time.Time {
	if p.cron == "" {
		return time.Time{}
	}
	zone := p.Zone
	if zone == nil {
		zone = time.Local
	}
	t = t.In(zone).Round(0)
	if p.everyHour() {
		return p.tickOfHours(t)
	}
	return p.tickOfClock(t)
}

// everyHour tells whether all hours are meant, so that what counts is time that passes.
func (p Plan) everyHour() bool {
	fields := strings.Fields(p.cron)
	return p.cron == "@hourly" || len(fields) == 5 && (fields[1] == "*" || fields[1] == "*/1" || fields[1] == "?")
}

// tickOfHours follows the clock from one of its changes to the next one.
func (p Plan) tickOfHours(t time.Time) time.Time {
	for inclusive := false; ; inclusive = true {
		_, end := t.ZoneBounds()
		_, offset := t.Zone()
		next := p.ask(t.In(time.FixedZone("", offset)), inclusive)
		if next.IsZero() || end.IsZero() || next.Before(end) {
			return in(next, t.Location())
		}
		t = end.In(t.Location())
	}
}

// tickOfClock asks what the clock on the wall is to show, and when it first does.
func (p Plan) tickOfClock(t time.Time) time.Time {
	for wall := asUTC(t); ; {
		if wall = p.ask(wall, false); wall.IsZero() {
			return wall
		}
		// The hour that comes twice gives times that have been.
		if next := firstAt(wall, t.Location()); next.After(t) {
			return next
		}
	}
}

// ask returns zero where the expression has no further time.
func (p Plan) ask(t time.Time, inclusive bool) time.Time {
	// gronx looks at whole seconds: it would take a part of one for the second that has just been.
	if whole := t.Truncate(time.Second); !whole.Equal(t) {
		t, inclusive = whole, false
	}
	next, err := gronx.NextTickAfter(p.cron, t, inclusive)
	if err != nil {
		return time.Time{}
	}
	return next
}

func in(t time.Time, zone *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(zone)
}

// asUTC is the time at which a clock in UTC shows what t shows.
func asUTC(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// firstAt is the first moment at which the clock of a zone shows what wall shows in UTC, or more than that.
func firstAt(wall time.Time, zone *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	start, end := t.ZoneBounds()
	switch shown := asUTC(t); {
	case shown.After(wall): // skipped: t is after the change
		return start
	case shown.Before(wall): // skipped: t is before the change
		return end
	case start.IsZero():
		return t
	}
	_, now := t.Zone()
	_, before := start.Add(-1).Zone()
	if earlier := t.Add(time.Duration(now-before) * time.Second); earlier.Before(start) {
		return earlier
	}
	return t
}
