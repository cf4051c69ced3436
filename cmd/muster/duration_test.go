package main

import (
	"testing"
	"time"
)

func TestSpansAreReadWithDaysAndWeeks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "24h": day, "25h": 25 * time.Hour, "2d": 2 * day, "2w": 14 * day, "1w2d3h": 9*day + 3*time.Hour, "0s": 0, "500ms": time.Second / 2,
	} {
		if got, err := parseSpan(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "5", "-1h", "-1d", "1dd", "1.5d", "soon", "1h1d", "99999999999d"} {
		if got, err := parseSpan(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestDurationsAreSaidInTwoUnits(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0s": 0, "40us": 40 * time.Microsecond, "812ms": 812 * time.Millisecond, "2.1s": 2149 * time.Millisecond, "2s": 2 * time.Second, "1m24s": 84 * time.Second,
		"1m": time.Minute, "2h05m": 2*time.Hour + 5*time.Minute, "3d04h": 3*day + 4*time.Hour, "24h": day, "25h": 25 * time.Hour, "2d": 2 * day,
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
