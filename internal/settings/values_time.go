package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/musternet/muster/internal/settings/strict"
)

// Span is a time that something lasts: 10s or 1h30m, and with days and weeks 1d or 2w. It is not nothing.
type Span time.Duration

var errSpan = errors.New("must be a time with its unit, such as 10s, 6h, 1d or 2w")

// UnmarshalText reads "2w".
func (s *Span) UnmarshalText(text []byte) error {
	d, err := parseSpan(string(text))
	if err != nil || d == 0 {
		return errSpan
	}
	*s = Span(d)
	return nil
}

// Delay is a Span that may be nothing: 0s.
type Delay time.Duration

// UnmarshalText reads "10m" or "0s".
func (d *Delay) UnmarshalText(text []byte) error {
	v, err := parseSpan(string(text))
	if err != nil {
		return err
	}
	*d = Delay(v)
	return nil
}

// parseSpan reads a time that is not negative, weeks and days before the form of Go.
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
		n, err := strconv.ParseUint(digits, 10, 13) // 157 years, so that no sum is too long
		if err != nil {
			return 0, errSpan
		}
		total, rest = total+time.Duration(n)*unit.length, after
	}
	if rest == "" && text != "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || total+d < 0 {
		return 0, errSpan
	}
	return total + d, nil
}

const day = 24 * time.Hour

// Every is the time from one backup to the next, or Off. Zero: nothing is said.
type Every time.Duration

// Off is the Every of what is not done at all.
const Off Every = -1

// UnmarshalText reads "6h" or "off".
func (e *Every) UnmarshalText(text []byte) error {
	if on, err := parseSwitch(text); err == nil && !on {
		*e = Off
		return nil
	}
	if err := (*Span)(e).UnmarshalText(text); err != nil {
		return fmt.Errorf("%w; or off", err)
	}
	return nil
}

// parseSwitch reads on and off, and the words that YAML has for them.
func parseSwitch(text []byte) (bool, error) {
	switch strings.ToLower(string(text)) {
	case "on", "true", "yes":
		return true, nil
	case "off", "false", "no":
		return false, nil
	}
	return false, errors.New("must be on, off, or a set of keys with their values")
}

// Zone is a time zone by its name, such as Europe/Amsterdam. Empty: that of this machine.
type Zone string

// UnmarshalText takes the name of a zone that this machine knows.
func (z *Zone) UnmarshalText(text []byte) error {
	if _, err := time.LoadLocation(string(text)); err != nil {
		return fmt.Errorf("no time zone is named %q here: write one such as Europe/Amsterdam or UTC", text)
	}
	*z = Zone(text)
	return nil
}

// Location returns the zone.
func (z Zone) Location() *time.Location {
	if z == "" {
		return time.Local
	}
	if loc, err := time.LoadLocation(string(z)); err == nil {
		return loc
	}
	return time.Local // it was there when the settings were read
}

// Moment is a date with its time, or a time that comes every day. The zero Moment is none.
type Moment struct {
	At    time.Time     // zero: it comes every day
	Clock time.Duration // since midnight, at most 24 h
	Daily bool
}

// UnmarshalText reads 2026-12-24T22:00:00+01:00, or 22:00.
func (m *Moment) UnmarshalText(text []byte) error {
	if string(text) == "24:00" {
		*m = Moment{Clock: day, Daily: true}
		return nil
	}
	if t, err := time.Parse("15:04", string(text)); err == nil {
		*m = Moment{Clock: time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, Daily: true}
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return errors.New("must be a time of the day such as 22:00, or a date with its time such as 2026-12-24T22:00:00+01:00")
	}
	*m = Moment{At: t}
	return nil
}

// Given tells whether there is a moment.
func (m Moment) Given() bool { return m.Daily || !m.At.IsZero() }

// Weekday is a day of the week.
type Weekday time.Weekday

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// UnmarshalText reads "sat", or the whole word.
func (w *Weekday) UnmarshalText(text []byte) error {
	word := strings.ToLower(string(text))
	for i, name := range weekdays {
		if word == name || word == strings.ToLower(time.Weekday(i).String()) {
			*w = Weekday(i)
			return nil
		}
	}
	return fmt.Errorf("unknown day %q%s", text, strict.Hint(word, weekdays))
}
