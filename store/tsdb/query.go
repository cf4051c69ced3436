package tsdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/task"
)

var language = parser.NewParser(parser.Options{})

func newQueries(o Options, log *slog.Logger) *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		Logger:                   log,
		MaxSamples:               o.MaxSamples,
		Timeout:                  o.Timeout,
		LookbackDelta:            o.Lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		ActiveQueryTracker:       turns{task.NewSemaphore(concurrent)},
		Parser:                   language,
	})
}

// turns lets a bounded number of queries be evaluated at once.
type turns struct{ *task.Semaphore }

// GetMaxConcurrent returns how many.
func (turns) GetMaxConcurrent() int { return concurrent }

// Insert waits for a turn.
func (t turns) Insert(ctx context.Context, _ string) (int, error) { return 0, t.Acquire(ctx, 1) }

// Delete ends a turn.
func (t turns) Delete(int) { t.Release(1) }

// Close has nothing to close.
func (turns) Close() error { return nil }

// Querier reads the samples between two times in milliseconds. The engine is not replaced until it is closed.
func (d *DB) Querier(first, last int64) (storage.Querier, error) {
	e, err := d.use()
	if err != nil {
		return nil, err
	}
	q, err := e.Querier(first, last)
	if err != nil {
		e.users.Done()
		return nil, err
	}
	return &held{Querier: q, release: e.users.Done}, nil
}

// held is a querier that holds the engine in place.
type held struct {
	storage.Querier
	release func()
}

// Close may be called twice.
func (h *held) Close() error {
	if h.release == nil {
		return nil
	}
	err := h.Querier.Close()
	h.release()
	h.release = nil
	return err
}

// Query evaluates an expression at a time. The order is that of the expression where it sorts, else any. A range vector
// gives all its points, a text is no answer. What is wrong with the expression, or asks for more than the limits of
// Options, matches store.ErrQuery.
func (d *DB) Query(ctx context.Context, expr string, at time.Time) ([]muster.Series, error) {
	q, err := d.evaluator().NewInstantQuery(ctx, d, nil, expr, at)
	if err != nil {
		return nil, queryError(ctx, expr, err)
	}
	return d.run(ctx, expr, q)
}

// QueryRange evaluates an expression at each step from first to last; its series are sorted by their labels.
func (d *DB) QueryRange(ctx context.Context, expr string, first, last time.Time, step time.Duration) ([]muster.Series, error) {
	switch {
	case step < time.Millisecond:
		return nil, fmt.Errorf("%w %q: a step of %v is too small", store.ErrQuery, expr, step)
	case last.Before(first):
		return nil, fmt.Errorf("%w %q: the end, %s, is before the start, %s", store.ErrQuery, expr,
			last.Format(time.RFC3339), first.Format(time.RFC3339))
	}
	q, err := d.evaluator().NewRangeQuery(ctx, d, nil, expr, first, last, step)
	if err != nil {
		return nil, queryError(ctx, expr, err)
	}
	return d.run(ctx, expr, q)
}

func (d *DB) run(ctx context.Context, expr string, q promql.Query) ([]muster.Series, error) {
	all, err := unlessLost(d, func() ([]muster.Series, error) { return evaluated(ctx, expr, q) })
	if errors.Is(err, errLost) {
		return nil, queryError(ctx, expr, err)
	}
	return all, err
}

func evaluated(ctx context.Context, expr string, q promql.Query) ([]muster.Series, error) {
	defer q.Close()
	r := q.Exec(ctx)
	if r.Err != nil {
		return nil, queryError(ctx, expr, r.Err)
	}
	switch v := r.Value.(type) {
	case promql.Scalar:
		return []muster.Series{{Points: []muster.Point{point(v.T, v.V)}}}, nil
	case promql.Vector:
		return ofVector(v), nil
	case promql.Matrix:
		return ofMatrix(v), nil
	}
	return nil, fmt.Errorf("%w %q: it gives a text, not values", store.ErrQuery, expr)
}

func point(ms int64, value float64) muster.Point {
	return muster.Point{Time: time.UnixMilli(ms).UTC(), Value: value}
}

func ofVector(v promql.Vector) []muster.Series {
	all := make([]muster.Series, len(v))
	for i, s := range v {
		all[i] = muster.Series{Labels: s.Metric.Map(), Points: []muster.Point{point(s.T, s.F)}}
	}
	return all
}

func ofMatrix(m promql.Matrix) []muster.Series {
	all := make([]muster.Series, len(m))
	for i, s := range m {
		all[i] = muster.Series{Labels: s.Metric.Map(), Points: make([]muster.Point, len(s.Floats))}
		for j, p := range s.Floats {
			all[i].Points[j] = point(p.T, p.F)
		}
	}
	return all
}

// queryError tells the caller's end and a failing store from an expression that is wrong.
func queryError(ctx context.Context, expr string, err error) error {
	var failed promql.ErrStorage
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("query %q: %w", expr, cause)
	}
	if unavailable(err) || errors.As(err, &failed) {
		return fmt.Errorf("query %q: %w", expr, err)
	}
	var late promql.ErrQueryTimeout
	if errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w %q: it takes longer than a query may", store.ErrQuery, expr)
	}
	return fmt.Errorf("%w %q: %s", store.ErrQuery, expr, inWords(expr, err))
}

// inWords says where in the expression the parser stumbled.
func inWords(expr string, err error) string {
	var several parser.ParseErrors
	if !errors.As(err, &several) || len(several) == 0 {
		return err.Error()
	}
	at := min(max(int(several[0].PositionRange.Start), 0), len(expr))
	before := expr[:at]
	character := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	if line := strings.Count(before, "\n") + 1; strings.Contains(expr, "\n") {
		return fmt.Sprintf("line %d, character %d: %v", line, character, several[0].Err)
	}
	return fmt.Sprintf("character %d: %v", character, several[0].Err)
}

// matchers parses the selectors of a request. One that fits every series is refused, as Prometheus does.
func matchers(selectors []string) ([][]*labels.Matcher, error) {
	sets, err := language.ParseMetricSelectors(selectors)
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		if !narrows(set) {
			return nil, errors.New("match[] must contain at least one non-empty matcher")
		}
	}
	return sets, nil
}

func narrows(set []*labels.Matcher) bool {
	for _, m := range set {
		if m != nil && !m.Matches("") {
			return true
		}
	}
	return false
}
