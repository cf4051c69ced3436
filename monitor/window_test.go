package monitor_test

import (
	"testing"
	"time"

	"github.com/musternet/muster/monitor"
)

func TestWindowsAreWhenTheClockThereSaysSo(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night := monitor.Window{Start: 22 * time.Hour, End: 6 * time.Hour, Days: []time.Weekday{time.Saturday}, Location: berlin}
	once := monitor.Window{From: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	noon := monitor.Window{Start: 12 * time.Hour, End: 13*time.Hour + 30*time.Minute, Location: time.UTC}
	allDay := monitor.Window{End: 24 * time.Hour, Days: []time.Weekday{time.Sunday}, Location: time.UTC}
	cases := map[string]struct {
		w    monitor.Window
		at   string
		want bool
	}{
		"before it is once":                    {once, "2026-03-01T09:59:59Z", false},
		"once":                                 {once, "2026-03-01T10:00:00Z", true},
		"after it was once":                    {once, "2026-03-01T12:00:00Z", false},
		"every day":                            {noon, "2026-03-02T13:29:59Z", true},
		"every day, over":                      {noon, "2026-03-02T13:30:00Z", false},
		"Saturday evening":                     {night, "2026-02-28T22:30:00+01:00", true},
		"Sunday morning belongs to Saturday":   {night, "2026-03-01T05:59:59+01:00", true},
		"Sunday evening is another night":      {night, "2026-03-01T22:30:00+01:00", false},
		"Saturday morning is another night":    {night, "2026-02-28T05:00:00+01:00", false},
		"the night the clock is put forward":   {night, "2026-03-29T05:59:00+02:00", true},
		"it ends by the clock that night":      {night, "2026-03-29T06:01:00+02:00", false},
		"the night the clock is put back":      {night, "2026-10-25T05:59:00+01:00", true},
		"it ends by the clock that night, too": {night, "2026-10-25T06:01:00+01:00", false},
		"a whole day":                          {allDay, "2026-03-01T23:59:59Z", true},
		"the day after":                        {allDay, "2026-03-02T00:00:00Z", false},
		"the day before":                       {allDay, "2026-02-28T23:59:59Z", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.w.Contains(at); got != c.want {
				t.Errorf("%s: %t", c.at, got)
			}
		})
	}
}
