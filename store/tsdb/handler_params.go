package tsdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
)

// The span of a request that names none: all that milliseconds can say and RFC 3339 can print, as Prometheus has it.
var (
	minTime = time.Unix(math.MinInt64/1000+62135596801, 0).UTC()
	maxTime = time.Unix(math.MaxInt64/1000-62135596801, 999999999).UTC()
)

// params reads the parameters of a request; the first that is wrong stays as err.
type params struct {
	r   *http.Request
	err error
}

func (p *params) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// limit is 0 where there is none.
func (p *params) limit() int {
	text := p.r.FormValue("limit")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err == nil && n < 0 {
		err = errors.New("limit must be non-negative")
	}
	if err != nil {
		p.fail(invalid("limit", err))
		return 0
	}
	return min(n, math.MaxInt-1)
}

// time reads an optional time.
func (p *params) time(name string, none time.Time) time.Time {
	text := p.r.FormValue(name)
	if text == "" {
		return none
	}
	t, err := parseTime(text)
	if err != nil {
		p.fail(invalid(name, fmt.Errorf("invalid time value for '%s': %w", name, err)))
	}
	return t
}

// must reads a time that has to be there.
func (p *params) must(name string) time.Time {
	t, err := parseTime(p.r.FormValue(name))
	if err != nil {
		p.fail(invalid(name, err))
	}
	return t
}

// span reads the steps of a range query.
func (p *params) span() (first, last time.Time, step time.Duration) {
	first, last = p.must("start"), p.must("end")
	if p.err == nil && last.Before(first) {
		p.fail(invalid("end", errors.New("end timestamp must not be before start time")))
	}
	step, err := parseDuration(p.r.FormValue("step"))
	if err == nil && step <= 0 {
		err = errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer")
	}
	if err != nil {
		p.fail(invalid("step", err))
		return first, last, 1
	}
	if p.err == nil && last.Sub(first)/step > maxPoints {
		p.fail(&apiError{badData, errors.New("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")})
	}
	return first, last, step
}

// context ends with the request, or with the time it allows itself.
func (p *params) context() (context.Context, context.CancelFunc) {
	text := p.r.FormValue("timeout")
	if text == "" {
		return p.r.Context(), func() {}
	}
	d, err := parseDuration(text)
	if err != nil {
		p.fail(invalid("timeout", err))
	}
	return context.WithTimeout(p.r.Context(), d)
}

func (p *params) options() promql.QueryOpts {
	var lookback time.Duration
	if text := p.r.FormValue("lookback_delta"); text != "" {
		var err error
		if lookback, err = parseDuration(text); err != nil {
			p.fail(&apiError{badData, fmt.Errorf("error parsing lookback delta duration: %w", err)})
		}
	}
	return lookingBack(lookback)
}

// lookingBack are the options of a query that says for itself how old a current value may be; 0: the engine's.
type lookingBack time.Duration

// EnablePerStepStats says no: it costs, and nobody asks for it.
func (lookingBack) EnablePerStepStats() bool { return false }

// LookbackDelta returns how old a current value may be.
func (l lookingBack) LookbackDelta() time.Duration { return time.Duration(l) }

// UseStartTimestamps leaves it to the engine.
func (lookingBack) UseStartTimestamps() *bool { return nil }

// parseTime reads seconds since 1970 with fractions, or RFC 3339.
func parseTime(s string) (time.Time, error) {
	if t, err := strconv.ParseFloat(s, 64); err == nil {
		whole, part := math.Modf(t)
		part = math.Round(part*1000) / 1000
		return time.Unix(int64(whole), int64(part*float64(time.Second))).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	switch s { // the ends of time have years of nine digits
	case minTime.Format(time.RFC3339Nano):
		return minTime, nil
	case maxTime.Format(time.RFC3339Nano):
		return maxTime, nil
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", s)
}

// parseDuration reads seconds, or a duration in Prometheus' form: 1h30m, 5d.
func parseDuration(s string) (time.Duration, error) {
	if d, err := strconv.ParseFloat(s, 64); err == nil {
		ns := d * float64(time.Second)
		if math.IsNaN(ns) || ns >= math.MaxInt64 || ns < math.MinInt64 {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", s)
		}
		return time.Duration(ns), nil
	}
	if d, err := model.ParseDuration(s); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", s)
}
