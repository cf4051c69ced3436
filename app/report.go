package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/store/sqlite"
	"github.com/musternet/muster/store/tsdb"
)

// Report is how a device fared in a period.
type Report struct {
	Device       string   `json:"device"`
	Availability *float64 `json:"availability"` // share of the probes that were answered, 0 to 1; null: there were none
	Median       *int64   `json:"median_us"`
	P95          *int64   `json:"p95_us"`
	Downs        int      `json:"downs"` // how often it went down
}

// Report tells how devices fared since a time, in their order.
func (a *App) Report(ctx context.Context, devices []muster.Device, period time.Duration) ([]Report, error) {
	samples, err := a.samples(ctx)
	if err != nil {
		return nil, err
	}
	defer samples.Close()
	now := time.Now()
	span := strconv.FormatInt(max(1, int64(period/time.Second)), 10) + "s"
	shares, err := samples.byDevice(ctx, fmt.Sprintf("avg by (device) (avg_over_time(%s[%s]))", monitor.MetricUp, span), now)
	if err != nil {
		return nil, err
	}
	medians, err := samples.byDevice(ctx, fmt.Sprintf("max by (device) (quantile_over_time(0.5, %s[%s]))", monitor.MetricRTT, span), now)
	if err != nil {
		return nil, err
	}
	p95s, err := samples.byDevice(ctx, fmt.Sprintf("max by (device) (quantile_over_time(0.95, %s[%s]))", monitor.MetricRTT, span), now)
	if err != nil {
		return nil, err
	}
	downs, err := a.downs(ctx, now.Add(-period))
	if err != nil {
		return nil, err
	}
	reports := make([]Report, len(devices))
	for i, d := range devices {
		reports[i] = Report{
			Device: d.Name, Availability: found(shares, d.Name), Downs: downs[d.Name],
			Median: inMicroseconds(found(medians, d.Name)), P95: inMicroseconds(found(p95s, d.Name)),
		}
	}
	return reports, nil
}

func found(values map[string]float64, device string) *float64 {
	v, ok := values[device]
	if !ok || math.IsNaN(v) {
		return nil
	}
	return &v
}

func inMicroseconds(seconds *float64) *int64 {
	if seconds == nil {
		return nil
	}
	us := int64(math.Round(*seconds * 1e6))
	return &us
}

// downs counts how often each device went down.
func (a *App) downs(ctx context.Context, since time.Time) (map[string]int, error) {
	index, err := a.watchIndex(ctx)
	if err != nil {
		return nil, err
	}
	defer index.Close()
	all, err := index.TransitionsSince(ctx, "", since)
	if err != nil {
		return nil, storeError(err)
	}
	downs := map[string]int{}
	for _, t := range all {
		if t.To == muster.HealthDown {
			downs[t.Device]++
		}
	}
	return downs, nil
}

// watchIndex opens the rows for reading. ErrNothing where nothing was ever kept.
func (a *App) watchIndex(ctx context.Context) (*sqlite.DB, error) {
	index, err := a.readIndex(ctx)
	if errors.Is(err, errNoData) {
		return nil, a.nothingMeasured()
	}
	return index, err
}

func (a *App) nothingMeasured() error {
	return fmt.Errorf("%w: %w in %s; that is what muster serve does", ErrNothing, errNoSamples, a.dir)
}

// samples is the history of what was measured: of the muster that serves, or where none does, of the directory.
type samples struct {
	app   *App
	local *tsdb.DB // nil: the muster that serves answers
}

func (a *App) samples(ctx context.Context) (samples, error) {
	err := a.ask(ctx, http.MethodGet, "/health", nil, nil, nil)
	if !errors.Is(err, errNotServing) {
		return samples{app: a}, err
	}
	dir := filepath.Join(a.dir, samplesDir)
	if _, err := os.Stat(dir); err != nil {
		return samples{}, a.nothingMeasured()
	}
	h := a.settings.History
	db, err := tsdb.Open(dir, tsdb.Options{Retention: time.Duration(h.Retention), MaxBytes: int64(h.MaxSize), Log: a.opts.Log})
	return samples{a, db}, storeError(err)
}

// Close closes the directory, if that is what answers.
func (s samples) Close() error {
	if s.local == nil {
		return nil
	}
	return s.local.Close()
}

// byDevice asks for one value of each device.
func (s samples) byDevice(ctx context.Context, expr string, at time.Time) (map[string]float64, error) {
	var series []muster.Series
	var err error
	if s.local != nil {
		series, err = s.local.Query(ctx, expr, at)
		err = storeError(err)
	} else {
		series, err = s.ask(ctx, "query", url.Values{"query": {expr}, "time": {stampOf(at)}})
	}
	values := map[string]float64{}
	for _, one := range series {
		values[one.Labels[muster.LabelDevice]] = one.Points[0].Value
	}
	return values, err
}

// QueryRange evaluates an expression at each step from first to last.
func (s samples) QueryRange(ctx context.Context, expr string, first, last time.Time, step time.Duration) ([]muster.Series, error) {
	if s.local != nil {
		return s.local.QueryRange(ctx, expr, first, last, step)
	}
	return s.ask(ctx, "query_range", url.Values{
		"query": {expr}, "start": {stampOf(first)}, "end": {stampOf(last)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// ask asks the muster that serves in the words of Prometheus.
func (s samples) ask(ctx context.Context, what string, query url.Values) ([]muster.Series, error) {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  *point
				Values []point
			}
		}
	}
	if err := s.app.ask(ctx, http.MethodGet, "/prometheus/api/v1/"+what, query, nil, &answer); err != nil {
		return nil, err
	}
	all := make([]muster.Series, len(answer.Data.Result))
	for i, one := range answer.Data.Result {
		all[i].Labels = one.Metric
		if one.Value != nil {
			one.Values = append(one.Values, *one.Value)
		}
		for _, p := range one.Values {
			all[i].Points = append(all[i].Points, muster.Point(p))
		}
	}
	return all, nil
}

// point is a value at a time as Prometheus writes it: [1700000000.123, "0.5"].
type point muster.Point

// UnmarshalJSON reads it.
func (p *point) UnmarshalJSON(data []byte) error {
	var parts [2]json.RawMessage
	var seconds float64
	var text string
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if err := errors.Join(json.Unmarshal(parts[0], &seconds), json.Unmarshal(parts[1], &text)); err != nil {
		return err
	}
	value, err := strconv.ParseFloat(text, 64)
	*p = point{Time: time.UnixMilli(int64(math.Round(seconds * 1000))), Value: value}
	return err
}
