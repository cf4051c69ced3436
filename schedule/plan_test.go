package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster/schedule"
)

func parse(t testing.TB, text string) schedule.Plan {
	t.Helper()
	p, err := schedule.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPlanIsAnIntervalOrACronExpression(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"every 6h": "every 6h", "6h": "every 6h", " EVERY  90m ": "every 1h30m", "every 6 h": "every 6h", "1d": "every 24h", "1d12h": "every 36h",
		"2w": "every 336h", "1w1d1h": "every 193h", "1s": "every 1s", "every 1m30s": "every 1m30s", "10m": "every 10m",
		"15 2 * * *": "15 2 * * *", " */5\t*  * * * ": "*/5 * * * *", "0 6-20/2 * * MON-FRI": "0 6-20/2 * * mon-fri", "@daily": "@daily",
		"@Hourly": "@hourly", "0 0 29 2 *": "0 0 29 2 *", "0 0 31 12 *": "0 0 31 12 *", "5,35 1 1 jan,jul *": "5,35 1 1 jan,jul *",
	} {
		p := parse(t, text)
		if got := p.String(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if again := parse(t, p.String()); again.String() != want {
			t.Errorf("%q: read again it is %q", text, again)
		}
	}
}

func TestWhatIsNoPlanIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                "a schedule is missing",
		"  ":              "a schedule is missing",
		"every":           "has 5 fields",
		"every ":          "has 5 fields",
		"every day":       "no interval",
		"6":               "no interval",
		"6y":              "no interval",
		"6h 2x":           "has 5 fields",
		"0h":              "shortest is 1s",
		"every -6h":       "shortest is 1s",
		"every 100ms":     "shortest is 1s",
		"600w":            "longest is 10 years",
		"8191w8191d":      "longest is 10 years",
		"99999w":          "no interval",
		"999999h":         "longest is 10 years",
		"99999999999h":    "no interval",
		"15 2 * *":        "has 5 fields",
		"0 15 2 * * *":    "has 5 fields",
		"60 2 * * *":      `"60" is no minute`,
		"x 2 * * *":       `"x" is no minute`,
		"0 24 * * *":      `"24" is no hour`,
		"0 2 0 * *":       `"0" is no day of the month`,
		"0 2 * 13 *":      `"13" is no month`,
		"0 2 * * 8":       `"8" is no day of the week`,
		"0 2,, * * *":     `"2,," is no hour`,
		"0 */ * * *":      `"*/" is no hour`,
		"0 0 30 2 *":      "never comes",
		"@fortnightly":    "the names are @annually, @daily",
		"@every 6h":       "the names are",
		"@everysecond":    "the names are",
		"15 2 * * * 2030": "has 5 fields",
	} {
		p, err := schedule.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v, want %q", text, p, err, want)
		}
	}
}

const clock = "2006-01-02 15:04:05 MST"

// wantTimes checks the first times of a plan after a moment.
func wantTimes(t *testing.T, p schedule.Plan, after time.Time, want ...string) {
	t.Helper()
	for _, w := range want {
		after = p.Next("r1", after)
		if got := after.In(p.Zone).Format(clock); got != w {
			t.Errorf("%s: got %s, want %s", p, got, w)
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skip(err)
	}
	return loc
}

func TestTheClockOfAZoneIsFollowedThroughItsChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, zone, after string
		want                    []string
	}{
		{"summer time begins: a skipped time is due when it was skipped", "15 2 * * *", "Europe/Amsterdam", "2026-03-28 12:00:00",
			[]string{"2026-03-29 03:00:00 CEST", "2026-03-30 02:15:00 CEST"}},
		{"several skipped times are due together", "*/20 2 * * *", "Europe/Amsterdam", "2026-03-29 01:59:59",
			[]string{"2026-03-29 03:00:00 CEST", "2026-03-30 02:00:00 CEST", "2026-03-30 02:20:00 CEST"}},
		{"summer time ends: a time that comes twice is due once", "15 2 * * *", "Europe/Amsterdam", "2026-10-24 12:00:00",
			[]string{"2026-10-25 02:15:00 CEST", "2026-10-26 02:15:00 CET"}},
		{"a list of hours is due once each", "30 1,2,3 * * *", "Europe/Amsterdam", "2026-10-25 00:00:00",
			[]string{"2026-10-25 01:30:00 CEST", "2026-10-25 02:30:00 CEST", "2026-10-25 03:30:00 CET"}},
		{"every hour goes on through the end of summer time", "0 * * * *", "Europe/Amsterdam", "2026-10-25 01:00:00",
			[]string{"2026-10-25 02:00:00 CEST", "2026-10-25 02:00:00 CET", "2026-10-25 03:00:00 CET"}},
		{"every hour goes on through its beginning", "0 * * * *", "Europe/Amsterdam", "2026-03-29 00:30:00",
			[]string{"2026-03-29 01:00:00 CET", "2026-03-29 03:00:00 CEST", "2026-03-29 04:00:00 CEST"}},
		{"so do minutes", "*/30 * * * *", "Europe/Amsterdam", "2026-10-25 01:45:00",
			[]string{"2026-10-25 02:00:00 CEST", "2026-10-25 02:30:00 CEST", "2026-10-25 02:00:00 CET", "2026-10-25 02:30:00 CET", "2026-10-25 03:00:00 CET"}},
		{"a change of half an hour", "15 * * * *", "Australia/Lord_Howe", "2026-04-05 00:30:00",
			[]string{"2026-04-05 01:15:00 +11", "2026-04-05 02:15:00 +1030", "2026-04-05 03:15:00 +1030"}},
		{"a day that begins at one o'clock", "@daily", "America/Santiago", "2026-09-05 12:00:00",
			[]string{"2026-09-06 01:00:00 -03", "2026-09-07 00:00:00 -03"}},
		{"a day that was left out", "0 12 * * *", "Pacific/Apia", "2011-12-29 00:00:00",
			[]string{"2011-12-29 12:00:00 -10", "2011-12-31 00:00:00 +14", "2011-12-31 12:00:00 +14"}},
		{"leap days", "0 0 29 2 *", "UTC", "2096-03-01 00:00:00", []string{"2104-02-29 00:00:00 UTC", "2108-02-29 00:00:00 UTC"}},
		{"the day of the month or that of the week", "0 0 13 * fri", "UTC", "2026-11-10 00:00:00",
			[]string{"2026-11-13 00:00:00 UTC", "2026-11-20 00:00:00 UTC", "2026-11-27 00:00:00 UTC", "2026-12-04 00:00:00 UTC",
				"2026-12-11 00:00:00 UTC", "2026-12-13 00:00:00 UTC"}},
		{"long months only", "0 0 31 * *", "UTC", "2026-11-10 00:00:00", []string{"2026-12-31 00:00:00 UTC", "2027-01-31 00:00:00 UTC",
			"2027-03-31 00:00:00 UTC"}},
		{"a part of a second later is later", "0 12 * * *", "UTC", "2026-11-10 11:59:59.999999999",
			[]string{"2026-11-10 12:00:00 UTC", "2026-11-11 12:00:00 UTC"}},
		{"a part of a second after it is after it", "0 12 * * *", "UTC", "2026-11-10 12:00:00.000000001", []string{"2026-11-11 12:00:00 UTC"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := parse(t, c.text)
			p.Zone = zone(t, c.zone)
			after, err := time.ParseInLocation("2006-01-02 15:04:05", c.after, p.Zone)
			if err != nil {
				t.Fatal(err)
			}
			wantTimes(t, p, after, c.want...)
		})
	}
}

// reading is what a cron expression of numbers, lists, ranges and steps means, read simply.
type reading struct {
	hits   [5][60]bool // by field and value
	either bool        // of the two fields of days
}

func read(text string) (r reading) {
	fields := strings.Fields(text)
	for i, field := range fields {
		for _, part := range strings.Split(field, ",") {
			for value := range r.hits[i] {
				r.hits[i][value] = r.hits[i][value] || inPart(part, value, []int{0, 0, 1, 1, 0}[i])
			}
		}
	}
	r.either = fields[2] != "*" && fields[4] != "*"
	return r
}

// after is the first minute after a time that matches, found by looking at each one.
func (r reading) after(t time.Time) time.Time {
	for t = t.Truncate(time.Minute).Add(time.Minute); ; t = t.Add(time.Minute) {
		day, weekday := r.hits[2][t.Day()], r.hits[4][t.Weekday()]
		if r.hits[0][t.Minute()] && r.hits[1][t.Hour()] && r.hits[3][t.Month()] && (day && weekday || r.either && (day || weekday)) {
			return t
		}
	}
}

func inPart(part string, value, lowest int) bool {
	body, stepText, stepped := strings.Cut(part, "/")
	step, _ := strconv.Atoi(stepText)
	first, last, ranged := strings.Cut(body, "-")
	low, _ := strconv.Atoi(first)
	high, _ := strconv.Atoi(last)
	switch {
	case body == "*":
		low, high = lowest, 99
	case !ranged:
		high = low
	}
	return value >= low && value <= high && (!stepped || (value-low)%step == 0)
}

// randomField is a field of a cron expression with values from low to high.
func randomField(r *rand.Rand, low, high int) string {
	one := func() int { return low + r.IntN(high-low+1) }
	switch r.IntN(5) {
	case 0:
		return strconv.Itoa(one())
	case 1:
		return fmt.Sprintf("%d,%d", one(), one())
	case 2:
		a := low + r.IntN(high-low)
		return fmt.Sprintf("%d-%d", a, a+1+r.IntN(high-a))
	case 3:
		return fmt.Sprintf("*/%d", 2+r.IntN(high-low-1))
	}
	return "*"
}

func TestNextIsTheFirstMinuteThatMatches(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		dom, dow := randomField(r, 1, 28), "*"
		if strings.HasPrefix(dom, "*") { // what both mean when one begins with * is read in two ways
			dom, dow = "*", randomField(r, 0, 6)
		}
		text := strings.Join([]string{randomField(r, 0, 59), randomField(r, 0, 23), dom, randomField(r, 1, 12), dow}, " ")
		p := parse(t, text)
		p.Zone = time.UTC
		after := time.Date(2026, 1, 1+r.IntN(700), r.IntN(24), r.IntN(60), r.IntN(60), 0, time.UTC)
		want := read(text).after(after)
		if got := p.Next("r1", after); !got.Equal(want) {
			t.Errorf("%s after %s: got %s, want %s", text, after.Format(clock), got.Format(clock), want.Format(clock))
		}
	}
}

func TestJitterSpreadsNamesAndEachNameKeepsItsPlace(t *testing.T) {
	t.Parallel()
	p := parse(t, "15 2 * * *")
	p.Zone, p.Jitter = time.UTC, 10*time.Minute
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	tick := from.Add(2*time.Hour + 15*time.Minute)
	quarters := make([]int, 4)
	for i := range 400 {
		name := fmt.Sprintf("backup/group%d", i)
		first := p.Next(name, from)
		late := first.Sub(tick)
		if late < 0 || late >= p.Jitter {
			t.Fatalf("%s is due at %v", name, first)
		}
		if second := p.Next(name, first); !second.Equal(first.Add(24 * time.Hour)) {
			t.Errorf("%s is due at %v and %v", name, first, second)
		}
		if again := p.Next(name, first.Add(-1)); !again.Equal(first) {
			t.Errorf("%s is due at %v or %v", name, first, again)
		}
		quarters[late*4/p.Jitter]++
	}
	for _, n := range quarters {
		if n < 70 || n > 130 {
			t.Errorf("of 400 names the quarters have %v", quarters)
		}
	}
	if got := p.Next("backup/core", from).Sub(tick); got != 232559292937 {
		t.Errorf("backup/core is %d late: in another version of muster it was another time", got)
	}
}

func TestTheZeroPlanIsNeverDue(t *testing.T) {
	t.Parallel()
	var p schedule.Plan
	if got := p.Next("r1", time.Now()); !got.IsZero() {
		t.Errorf("got %v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"every 6h", "15 2 * * *", "@daily", "1w2d", "*/5 0-6,22 l * 5#2", "0 0 lw 2 ?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := schedule.Parse(text)
		if err != nil {
			return
		}
		again, err := schedule.Parse(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q is %q, which is %q, %v", text, p, again, err)
		}
		now := time.Date(2026, 11, 22, 8, 3, 0, 0, time.UTC)
		if next := p.Next("r1", now); !next.After(now) && !next.IsZero() {
			t.Errorf("%q: the next after %v is %v", text, now, next)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	for _, text := range []string{"every 6h", "*/5 * * * *", "15 2 * * *", "0 0 29 2 *"} {
		b.Run(text, func(b *testing.B) {
			p := parse(b, text)
			at := time.Date(2026, 11, 22, 8, 3, 0, 0, time.UTC)
			for b.Loop() {
				p.Next("backup/core", at)
			}
		})
	}
}
