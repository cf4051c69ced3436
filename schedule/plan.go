package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// Plan says when something is due. It is made by Parse; the fields are for the caller to set.
type Plan struct {
	// Zone is the clock that a cron expression follows; nil is that of the machine.
	Zone *time.Location
	// Jitter spreads what would be due at the same time: each name has a share of it, always the same one, by which the times
	// of a cron expression and the first run of an interval are later.
	Jitter time.Duration

	every time.Duration // 0: it is a cron expression
	cron  string
}

// The bounds of an interval.
const (
	MinEvery = time.Second
	MaxEvery = 10 * 366 * 24 * time.Hour
)

// tags are the names of expressions. gronx has more; these are the ones that cron has.
var tags = []string{"@annually", "@daily", "@hourly", "@monthly", "@weekly", "@yearly"}

// Parse reads an interval ("every 6h", "90m", "1d12h", "2w") or a cron expression: the five fields minute, hour, day of the
// month, month and day of the week, or a name such as @daily. The error is a sentence that says what is wrong with the text.
func Parse(text string) (Plan, error) {
	clean := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	rest, isInterval := strings.CutPrefix(clean, "every ")
	fields := strings.Fields(rest)
	switch {
	case clean == "":
		return Plan{}, fmt.Errorf("a schedule is missing: say \"every 6h\", or a cron expression such as \"15 2 * * *\"")
	case isInterval, len(fields) == 1 && fields[0][0] >= '0' && fields[0][0] <= '9':
		return parseEvery(text, rest)
	case slices.Contains(tags, clean):
		return Plan{cron: clean}, nil
	case clean[0] == '@':
		return Plan{}, fmt.Errorf("%q is no schedule: the names are %s", text, strings.Join(tags, ", "))
	case len(fields) != 5:
		return Plan{}, fmt.Errorf("%q is no schedule: a cron expression has 5 fields, minute, hour, day, month and weekday, and an"+
			" interval reads \"every 6h\"", text)
	}
	return parseCron(text, fields)
}

func parseEvery(text, rest string) (Plan, error) {
	every, err := parseDuration(rest)
	switch {
	case err != nil:
		return Plan{}, fmt.Errorf("%q is no interval: say it in w, d, h, m and s, such as \"every 6h\" or \"every 1d12h\"", text)
	case every < MinEvery:
		return Plan{}, fmt.Errorf("%q is too short an interval: the shortest is 1s", text)
	case every > MaxEvery:
		return Plan{}, fmt.Errorf("%q is too long an interval: the longest is 10 years", text)
	}
	return Plan{every: every}, nil
}

// parseDuration is time.ParseDuration with whole weeks and days before the rest.
func parseDuration(s string) (sum time.Duration, err error) {
	s = strings.ReplaceAll(s, " ", "")
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		number, rest, ok := strings.Cut(s, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 13) // so that no sum overflows
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * unit.size
		if s = rest; s == "" {
			return sum, nil
		}
	}
	d, err := time.ParseDuration(s)
	if d > MaxEvery {
		d = MaxEvery + 1
	}
	return sum + d, err
}

var fieldNames = [...]string{"minute", "hour", "day of the month", "month", "day of the week"}

// fieldForm is what gronx is asked about. Numbers have two digits at most: with long ones some of its loops do not end.
var fieldForm = regexp.MustCompile(`^[0-9]{0,2}([a-z*,/?#-]+[0-9]{0,2})*$`)

func parseCron(text string, fields []string) (Plan, error) {
	for i, field := range fields {
		alone := []string{"*", "*", "*", "*", "*"}
		alone[i] = field
		if !fieldForm.MatchString(field) || !gronx.IsValid(strings.Join(alone, " ")) {
			return Plan{}, fmt.Errorf("%q is no schedule: %q is no %s of a cron expression", text, field, fieldNames[i])
		}
	}
	p := Plan{cron: strings.Join(fields, " "), Zone: time.UTC}
	if p.tick(time.Now()).IsZero() {
		return Plan{}, fmt.Errorf("%q is no schedule: such a time never comes", text)
	}
	p.Zone = nil
	return p, nil
}

// String is the plan as Parse reads it.
func (p Plan) String() string {
	if p.every == 0 {
		return p.cron
	}
	text := p.every.String()
	for _, end := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, end) {
			text = text[:len(text)-2]
		}
	}
	return "every " + text
}

// Next is when a plan is due next after a time: that is later than it. The name says which share of the Jitter counts. The
// zero Plan is never due, and Next is zero.
//
// Where the clock of the zone is put forward, the times that it skips are due at that moment, together. Where it is put
// back, a time that comes twice is due the first time only. An expression whose hour is * or */1 follows what really
// passes: every hour of the day is one of its hours, those that come twice and those that are skipped as well.
func (p Plan) Next(name string, after time.Time) time.Time {
	if p.every > 0 {
		return after.Add(p.every)
	}
	late := p.share(name)
	t := p.tick(after.Add(-late))
	if t.IsZero() {
		return t
	}
	return t.Add(late)
}

// share is the part of Jitter that a name has: the same in every process.
func (p Plan) share(name string) time.Duration {
	if p.Jitter <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(name))
	hi, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), uint64(p.Jitter))
	return time.Duration(hi)
}
