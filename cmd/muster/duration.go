package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// span is a duration on the command line: Go's form (90s, 1h30m), with days and weeks beside it (2d, 1w).
type span time.Duration

// String is empty for none, so that help shows no default.
func (s *span) String() string {
	if *s == 0 {
		return ""
	}
	return shortDuration(time.Duration(*s))
}

// Type is the word that help shows for the value.
func (s *span) Type() string { return "D" }

func (s *span) Set(text string) error {
	d, err := parseSpan(text)
	if err != nil {
		return err
	}
	*s = span(d)
	return nil
}

var errSpan = errors.New("a duration looks like 90s, 2h30m, 1d or 2w")

const day = 24 * time.Hour

func parseSpan(text string) (time.Duration, error) {
	var total time.Duration
	rest := text
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		digits, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil {
			return 0, errSpan
		}
		total, rest = total+time.Duration(n)*unit.length, after
	}
	if rest == "" && text != "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, errSpan
	}
	return total + d, nil
}

// shortDuration is a duration as a person says it: two units at most.
func shortDuration(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Millisecond && d > 0:
		return strconv.FormatInt(d.Microseconds(), 10) + "us"
	case d < time.Second && d > 0:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < time.Minute:
		return strings.TrimSuffix(strconv.FormatFloat(d.Truncate(100*time.Millisecond).Seconds(), 'f', 1, 64), ".0") + "s"
	case d < time.Hour:
		return units(d, time.Minute, "m", time.Second, "s")
	case d < 2*day:
		return units(d, time.Hour, "h", time.Minute, "m")
	default:
		return units(d, day, "d", time.Hour, "h")
	}
}

func units(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	n, rest := d/big, d%big/small
	if rest == 0 {
		return fmt.Sprintf("%d%s", n, bigName)
	}
	return fmt.Sprintf("%d%s%02d%s", n, bigName, rest, smallName)
}

// stamp is a time as JSON has it, null where there is none.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// sinceNow is how long ago a time was.
func sinceNow(t time.Time) time.Duration { return time.Since(t).Truncate(time.Second) }

// clock is a time as tables have it, in local time.
func clock(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func (s span) duration() time.Duration { return time.Duration(s) }
