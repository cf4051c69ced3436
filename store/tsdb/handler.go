package tsdb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/stats"
)

const (
	maxPoints     = 11_000 // of one series in one answer, as Prometheus has it
	maxNotes      = 10     // warnings, and infos, of one answer
	checkContext  = 128    // series between two looks whether the client is still there
	enginePath    = "github.com/prometheus/prometheus"
	statusNoReply = 499 // the client went away, nobody reads it
)

// The kinds of errors, as Prometheus names them.
const (
	badData  = "bad_data"
	execErr  = "execution"
	canceled = "canceled"
	timeout  = "timeout"
	internal = "internal"
)

var statusOf = map[string]int{
	badData: http.StatusBadRequest, execErr: http.StatusUnprocessableEntity, canceled: statusNoReply,
	timeout: http.StatusServiceUnavailable, internal: http.StatusInternalServerError,
}

// apiError is an error with its kind.
type apiError struct {
	kind string
	err  error
}

func (e *apiError) Error() string { return e.err.Error() }
func (e *apiError) Unwrap() error { return e.err }

func invalid(parameter string, err error) error {
	return &apiError{badData, fmt.Errorf("invalid parameter %q: %w", parameter, err)}
}

// answer is the data of a response as JSON, and what is to be said beside it.
type answer struct {
	data  []byte
	notes annotations.Annotations
}

// Handler serves Prometheus' HTTP read API on /api/v1/: query, query_range, series, labels, label/<name>/values,
// metadata and status/buildinfo, and /-/healthy and /-/ready beside it. Mount it below a prefix with http.StripPrefix. Who
// may read is for the caller to say; nothing can be changed through it.
func (d *DB) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, f := range map[string]func(*http.Request) (answer, error){
		"query": d.serveQuery, "query_range": d.serveRange, "series": d.serveSeries, "labels": d.serveLabels,
	} {
		mux.Handle("GET /api/v1/"+path, d.serve(f))
		mux.Handle("POST /api/v1/"+path, d.serve(f))
	}
	mux.Handle("GET /api/v1/label/{name}/values", d.serve(d.serveValues))
	mux.Handle("GET /api/v1/metadata", d.serve(func(*http.Request) (answer, error) { return answer{data: []byte("{}")}, nil }))
	mux.Handle("GET /api/v1/status/buildinfo", d.serve(serveBuild))
	mux.HandleFunc("GET /-/healthy", d.serveState("Healthy"))
	mux.HandleFunc("GET /-/ready", d.serveState("Ready"))
	return mux
}

// serve answers with what f returns.
func (d *DB) serve(f func(*http.Request) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		var body []byte
		a, err := unlessLost(d, func() (answer, error) { return parsed(r, f) })
		if err != nil {
			status, body = failure(err)
		} else {
			status, body = http.StatusOK, success(a, r.FormValue("query"))
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(body) // the client went away: there is nobody to tell
	})
}

func parsed(r *http.Request, f func(*http.Request) (answer, error)) (answer, error) {
	if err := r.ParseForm(); err != nil {
		return answer{}, &apiError{badData, fmt.Errorf("error parsing form values: %w", err)}
	}
	return f(r)
}

// kindOf tells what kind an error of the engine is.
func kindOf(err error) string {
	var own *apiError
	var stopped promql.ErrQueryCanceled
	var late promql.ErrQueryTimeout
	var failed promql.ErrStorage
	switch {
	case errors.As(err, &own):
		return own.kind
	case errors.As(err, &stopped), errors.Is(err, context.Canceled):
		return canceled
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		return timeout
	case errors.As(err, &failed), unavailable(err):
		return internal
	}
	return execErr
}

func (d *DB) serveQuery(r *http.Request) (answer, error) {
	p := params{r: r}
	limit := p.limit()
	at := p.time("time", time.Now())
	ctx, cancel := p.context()
	defer cancel()
	opts := p.options()
	if p.err != nil {
		return answer{}, p.err
	}
	q, err := d.evaluator().NewInstantQuery(ctx, d, opts, r.FormValue("query"), at)
	if err != nil {
		return answer{}, unbuilt(err)
	}
	return evaluate(ctx, q, limit, r.FormValue("stats"))
}

func (d *DB) serveRange(r *http.Request) (answer, error) {
	p := params{r: r}
	limit := p.limit()
	first, last, step := p.span()
	ctx, cancel := p.context()
	defer cancel()
	opts := p.options()
	if p.err != nil {
		return answer{}, p.err
	}
	q, err := d.evaluator().NewRangeQuery(ctx, d, opts, r.FormValue("query"), first, last, step)
	if err != nil {
		return answer{}, unbuilt(err)
	}
	return evaluate(ctx, q, limit, r.FormValue("stats"))
}

// unbuilt is the error of a query that was not even begun: it is wrong, unless it waited too long for its turn.
func unbuilt(err error) error {
	if kindOf(err) != execErr {
		return err
	}
	return invalid("query", err)
}

func evaluate(ctx context.Context, q promql.Query, limit int, withStats string) (answer, error) {
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return answer{}, res.Err
	}
	value, notes := res.Value, res.Warnings
	if cut := truncate(&value, limit); cut {
		notes = truncated(notes)
	}
	data, err := appendValue(nil, value)
	if err == nil && withStats != "" {
		data, err = appendStats(data, stats.NewQueryStats(q.Stats()))
	}
	if err != nil {
		return answer{}, &apiError{internal, err}
	}
	return answer{data: append(data, '}'), notes: notes}, nil
}

func truncated(notes annotations.Annotations) annotations.Annotations {
	return notes.Add(errors.New("results truncated due to limit"))
}

// finder is what series, labels and values have in common: a time span, selectors and a limit.
type finder struct {
	storage.Querier
	sets  [][]*labels.Matcher
	limit int
	last  int64
	first int64
}

func (d *DB) finder(r *http.Request) (*finder, error) {
	p := params{r: r}
	f := &finder{limit: p.limit()}
	first, last := p.time("start", minTime), p.time("end", maxTime)
	if p.err != nil {
		return nil, p.err
	}
	f.first, f.last = first.UnixMilli(), last.UnixMilli()
	var err error
	if f.sets, err = matchers(r.Form["match[]"]); err != nil {
		return nil, &apiError{badData, err}
	}
	if f.Querier, err = d.Querier(f.first, f.last); err != nil {
		return nil, err
	}
	return f, nil
}

// ask is one more than wanted, to see that there are more.
func (f *finder) ask() int {
	if f.limit > 0 {
		return f.limit + 1
	}
	return 0
}

func (d *DB) serveSeries(r *http.Request) (answer, error) {
	if len(r.Form["match[]"]) == 0 {
		return answer{}, &apiError{badData, errors.New("no match[] parameter provided")}
	}
	f, err := d.finder(r)
	if err != nil {
		return answer{}, err
	}
	defer f.Close()
	hints := &storage.SelectHints{Start: f.first, End: f.last, Func: "series", Limit: f.ask()}
	var sets []storage.SeriesSet
	for _, set := range f.sets {
		sets = append(sets, f.Select(r.Context(), len(f.sets) > 1, hints, set...))
	}
	return f.list(r.Context(), storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge))
}

func (f *finder) list(ctx context.Context, set storage.SeriesSet) (answer, error) {
	data, notes := []byte{'['}, set.Warnings()
	n := 0
	for ; set.Next(); n++ {
		if f.limit > 0 && n == f.limit {
			notes = truncated(notes)
			break
		}
		if n%checkContext == 0 && ctx.Err() != nil {
			return answer{}, ctx.Err()
		}
		if n > 0 {
			data = append(data, ',')
		}
		data = appendLabels(data, set.At().Labels())
	}
	return answer{data: append(data, ']'), notes: notes}, set.Err()
}

func (d *DB) serveLabels(r *http.Request) (answer, error) {
	f, err := d.finder(r)
	if err != nil {
		return answer{}, err
	}
	defer f.Close()
	return f.names(func(set []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return f.LabelNames(r.Context(), &storage.LabelHints{Limit: f.ask()}, set...)
	})
}

func (d *DB) serveValues(r *http.Request) (answer, error) {
	name := r.PathValue("name")
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return answer{}, &apiError{badData, fmt.Errorf("invalid label name: %q", name)}
	}
	f, err := d.finder(r)
	if err != nil {
		return answer{}, err
	}
	defer f.Close()
	return f.names(func(set []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return f.LabelValues(r.Context(), name, &storage.LabelHints{Limit: f.ask()}, set...)
	})
}

// names joins what each selector finds, sorted.
func (f *finder) names(find func([]*labels.Matcher) ([]string, annotations.Annotations, error)) (answer, error) {
	sets := f.sets
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	var all []string
	var notes annotations.Annotations
	for _, set := range sets {
		some, n, err := find(set)
		if err != nil {
			return answer{}, err
		}
		all = append(all, some...)
		notes = notes.Merge(n)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if f.limit > 0 && len(all) > f.limit {
		all, notes = all[:f.limit], truncated(notes)
	}
	return answer{data: appendTexts(nil, all), notes: notes}, nil
}

// serveBuild says which engine answers: clients choose what to ask by it.
func serveBuild(*http.Request) (answer, error) {
	data := []byte(`{"version":`)
	data = appendText(data, engineVersion())
	data = append(data, `,"revision":"","branch":"","buildUser":"muster","buildDate":"","goVersion":`...)
	return answer{data: append(appendText(data, runtime.Version()), '}')}, nil
}

// engineVersion is the version of Prometheus that the module's version stands for: v0.312.0 is 3.12.0.
func engineVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "3.0.0"
	}
	for _, m := range info.Deps {
		if minor, found := strings.CutPrefix(m.Version, "v0.3"); found && m.Path == enginePath {
			return "3." + strings.TrimPrefix(minor, "0")
		}
	}
	return "3.0.0"
}

// serveState answers as long as the store is open.
func (d *DB) serveState(word string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		d.mu.RLock()
		defer d.mu.RUnlock()
		if d.engine == nil {
			http.Error(w, d.closed().Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "Prometheus Server is %s.\n", word)
	}
}
