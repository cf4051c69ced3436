package tsdb_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/tsdb"
)

var long = flag.Bool("long", false, "run what takes minutes")

// alone says that this process runs one test, and may leave goroutines behind.
const alone = "MUSTER_TSDB_ALONE"

// childDir says that this process is the one that is to be killed while it writes.
const childDir = "MUSTER_TSDB_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		writeForEver(dir)
	}
	flag.Parse()
	if os.Getenv(alone) != "" {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string, o tsdb.Options) *tsdb.DB {
	t.Helper()
	d, err := tsdb.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// at is a moment in whole seconds at which samples begin.
var at = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func rtt(device string, when time.Time, value float64) muster.Sample {
	return muster.Sample{
		Name: "muster_probe_rtt_seconds", Labels: map[string]string{"device": device, "probe": "icmp", "group": "core"},
		Time: when, Value: value,
	}
}

func write(t testing.TB, d *tsdb.DB, some ...muster.Sample) {
	t.Helper()
	if err := d.Write(t.Context(), some); err != nil {
		t.Fatal(err)
	}
}

func value(t testing.TB, d *tsdb.DB, expr string, when time.Time) float64 {
	t.Helper()
	got, err := d.Query(t.Context(), expr, when)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || len(got[0].Points) != 1 {
		t.Fatalf("%s: got %v, want one value", expr, got)
	}
	return got[0].Points[0].Value
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{})
	write(t, d, rtt("r1", at, 0.001), rtt("r2", at, 0.002), rtt("r1", at.Add(time.Minute), 0.003))
	got, err := d.QueryRange(t.Context(), `muster_probe_rtt_seconds{device="r1"}`, at, at.Add(time.Minute), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := []muster.Series{{
		Labels: map[string]string{"__name__": "muster_probe_rtt_seconds", "device": "r1", "probe": "icmp", "group": "core"},
		Points: []muster.Point{{Time: at, Value: 0.001}, {Time: at.Add(time.Minute), Value: 0.003}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := value(t, d, "sum(muster_probe_rtt_seconds) * 1000", at); math.Abs(got-3) > 1e-9 {
		t.Errorf("sum: got %v, want 3", got)
	}
	scalar, err := d.Query(t.Context(), "40 + 2", at)
	if want := []muster.Series{{Points: []muster.Point{{Time: at, Value: 42}}}}; err != nil || !cmp.Equal(want, scalar) {
		t.Errorf("scalar: got %v, %v", scalar, err)
	}
	raw, err := d.Query(t.Context(), `muster_probe_rtt_seconds{device="r1"}[5m]`, at.Add(time.Minute))
	if err != nil || len(raw) != 1 || len(raw[0].Points) != 2 {
		t.Errorf("range vector: got %v, %v", raw, err)
	}
}

func TestAReopenedStoreHoldsTheSameAndGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	reg := prometheus.NewRegistry()
	for i := range 3 {
		d := open(t, dir, tsdb.Options{Registerer: reg})
		write(t, d, rtt("r1", at.Add(time.Duration(i)*time.Second), float64(i)))
		if got := value(t, d, `count_over_time(muster_probe_rtt_seconds[1m])`, at.Add(10*time.Second)); got != float64(i+1) {
			t.Errorf("opened %d times: got %v samples", i+1, got)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := reg.Gather(); err != nil || len(left) != 0 {
		t.Errorf("closed, and %d metrics are left (%v)", len(left), err)
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{})
	for range 2 {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, query := d.Query(t.Context(), "up", at)
	for name, err := range map[string]error{"Write": d.Write(t.Context(), []muster.Sample{rtt("r1", at, 1)}), "Query": query} {
		if err == nil || !strings.HasSuffix(err.Error(), "the sample history is closed") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir, tsdb.Options{})
	_, err := tsdb.Open(dir, tsdb.Options{})
	var locked *store.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Fatalf("got %v, want the holder", err)
	}
	want := fmt.Sprintf("open sample history: %s is being written by process %d (sample history)", dir, os.Getpid())
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestLateSamples(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		late   time.Duration
		tooOld bool
	}{
		"a second late is taken":           {time.Second, false},
		"ten minutes late is taken":        {10 * time.Minute, false},
		"a bit more is told":               {10*time.Minute + time.Second, true},
		"as after a clock's jump is told":  {20 * 24 * time.Hour, true},
		"the same time and value is taken": {0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, t.TempDir(), tsdb.Options{})
			write(t, d, rtt("r1", at, 1))
			err := d.Write(t.Context(), []muster.Sample{rtt("r1", at.Add(-c.late), 1), rtt("r2", at.Add(time.Second), 2)})
			if errors.Is(err, store.ErrTooOld) != c.tooOld || (err != nil) != c.tooOld {
				t.Errorf("got %v", err)
			}
			if c.tooOld && !strings.Contains(err.Error(), "1 of 2 are older than what is kept") {
				t.Errorf("the sentence does not say how many: %v", err)
			}
			if got := value(t, d, `muster_probe_rtt_seconds{device="r2"}`, at.Add(time.Second)); got != 2 {
				t.Errorf("the other one: got %v", got)
			}
			want := tsdb.Counts{Written: 3}
			if c.tooOld {
				want = tsdb.Counts{Written: 2, TooOld: 1}
			}
			if got := d.Counts(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestABatchMayBeInAnyOrder(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{})
	batch := []muster.Sample{rtt("r1", at.Add(time.Hour), 3), rtt("r1", at, 1), rtt("r1", at.Add(30*time.Minute), 2)}
	write(t, d, batch...)
	if batch[0].Value != 3 {
		t.Error("the caller's batch was changed")
	}
	if got := value(t, d, `count_over_time(muster_probe_rtt_seconds[2h])`, at.Add(time.Hour)); got != 3 {
		t.Errorf("got %v samples, want 3", got)
	}
}

func TestABadSampleIsRefusedAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bad  muster.Sample
		want string
	}{
		"without a name":                       {muster.Sample{Time: at}, "has no name"},
		"with a label that is no UTF-8":        {muster.Sample{Name: "a", Time: at, Labels: map[string]string{"x": "\xff"}}, "is no UTF-8"},
		"with a label without a name":          {muster.Sample{Name: "a", Time: at, Labels: map[string]string{"": "x"}}, "has no name"},
		"with another value for the same time": {rtt("r1", at, 7), "duplicate sample"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, t.TempDir(), tsdb.Options{})
			write(t, d, rtt("r1", at, 1))
			err := d.Write(t.Context(), []muster.Sample{c.bad, rtt("r2", at, 2)})
			if err == nil || !strings.Contains(err.Error(), "1 of 2 were refused") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if got, want := d.Counts(), (tsdb.Counts{Written: 2, Refused: 1}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got := value(t, d, `sum(muster_probe_rtt_seconds)`, at); got != 3 {
				t.Errorf("got %v, want 1 + 2", got)
			}
		})
	}
}

func TestLabelsThatDifferAreDifferentSeries(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{})
	for i := range 6 { // again and again, and in another order: from the cache, too
		when := at.Add(time.Duration(i) * time.Second)
		var some []muster.Sample
		for _, l := range []map[string]string{
			nil, {"a": "b"}, {"b": "a"}, {"a": "a", "b": "b"}, {"a": "b", "b": "a"}, {"ab": ""}, {"a": "b", "c": ""},
		} {
			some = append(some, muster.Sample{Name: "m", Labels: l, Time: when, Value: 1})
		}
		if i%2 == 1 {
			slices.Reverse(some)
		}
		write(t, d, some...)
		if got := value(t, d, "count(timestamp(m) == time())", when); got != 5 {
			t.Errorf("got %v series, want 5: a label without a value is none", got)
		}
	}
}

func TestSeriesThatAreGoneLeaveTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, t.TempDir(), tsdb.Options{})
		now := time.Now()
		for round := range 4 {
			for i := range 10 {
				write(t, d, rtt("stays", now.Add(time.Duration(i)), 1), rtt(fmt.Sprintf("%d-%d", round, i), now, 1))
			}
			time.Sleep(11 * time.Minute)
			now = time.Now()
		}
		if got := d.Cached(); got < 1+10 || got > 1+2*10 {
			t.Errorf("got %d series, want those of the last one or two rounds", got)
		}
		if got := value(t, d, "count(last_over_time(muster_probe_rtt_seconds[2h]))", now); got != 41 {
			t.Errorf("got %v series, want all in the history", got)
		}
	})
}

func TestTimes(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{})
	write(t, d, rtt("r1", at.Add(1500*time.Microsecond), math.Inf(1)), rtt("r2", at, math.NaN()))
	if got := value(t, d, `muster_probe_rtt_seconds{device="r1"}`, at.Add(time.Millisecond)); !math.IsInf(got, 1) {
		t.Errorf("got %v, want +Inf at the millisecond", got)
	}
	if got := value(t, d, `muster_probe_rtt_seconds{device="r2"}`, at); !math.IsNaN(got) {
		t.Errorf("got %v, want NaN", got)
	}
	if got, err := d.Query(t.Context(), `muster_probe_rtt_seconds`, at.Add(6*time.Minute)); err != nil || len(got) != 0 {
		t.Errorf("after the look-back: got %v, %v", got, err)
	}
}

func TestWrongExpressionsSayWhere(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{MaxSamples: 3})
	for i := range 5 {
		write(t, d, rtt("r"+strconv.Itoa(i), at, 1))
	}
	for expr, want := range map[string]string{
		`rate(muster_probe_up[5m]`:              "character 25: unclosed left parenthesis",
		"sum(\n  ünknown(up)\n)":                "line 2, character 3: ",
		`nofunction(up)`:                        `character 1: unknown function with name "nofunction"`,
		``:                                      "no expression found in input",
		`"text"`:                                "it gives a text, not values",
		`muster_probe_rtt_seconds`:              "too many samples",
		`up{a=~"("}`:                            "error parsing regexp",
		`muster_probe_rtt_seconds[5m] + 1`:      "binary expression must contain only scalar and instant vector types",
		`label_replace(up, "a", "b", "c", "(")`: "invalid regular expression",
	} {
		_, err := d.Query(t.Context(), expr, at)
		if !errors.Is(err, store.ErrQuery) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", expr, err, want)
		}
	}
	_, tiny := d.QueryRange(t.Context(), "up", at, at, 0)
	_, turned := d.QueryRange(t.Context(), "up", at, at.Add(-1), time.Second)
	for _, err := range []error{tiny, turned} {
		if !errors.Is(err, store.ErrQuery) {
			t.Errorf("got %v, want ErrQuery", err)
		}
	}
}

func TestACancelledCallIsNoWrongExpression(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{})
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	_, err := d.Query(ctx, "up", at)
	if !errors.Is(err, stop) || errors.Is(err, store.ErrQuery) {
		t.Errorf("Query: got %v", err)
	}
	if err := d.Write(ctx, []muster.Sample{rtt("r1", at, 1)}); !errors.Is(err, stop) {
		t.Errorf("Write: got %v", err)
	}
}

func TestAQueryThatTakesTooLongIsEnded(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{Timeout: time.Nanosecond})
	if _, err := d.Query(t.Context(), "1", at); !errors.Is(err, store.ErrQuery) || !strings.Contains(err.Error(), "takes longer") {
		t.Errorf("got %v", err)
	}
}

func TestWritingAndQueryingAtTheSameTime(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), tsdb.Options{})
	const writers, batches = 4, 50
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range batches {
				if err := d.Write(t.Context(), []muster.Sample{rtt("w"+strconv.Itoa(w), at.Add(time.Duration(i)*time.Second), 1)}); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range batches {
				if _, err := d.QueryRange(t.Context(), "sum(rate(muster_probe_rtt_seconds[1m]))", at, at.Add(time.Minute), time.Second); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := value(t, d, "sum(count_over_time(muster_probe_rtt_seconds[1h]))", at.Add(time.Minute)); got != writers*batches {
		t.Errorf("got %v samples, want %d", got, writers*batches)
	}
}

// hours writes a sample a minute of five devices.
func hours(t *testing.T, d *tsdb.DB, from, n int) (last time.Time) {
	t.Helper()
	for i := from * 60; i < (from+n)*60; i++ {
		last = at.Add(time.Duration(i) * time.Minute)
		var some []muster.Sample
		for device := range 5 {
			some = append(some, rtt("r"+strconv.Itoa(device), last, 1/float64(i+1)))
		}
		write(t, d, some...)
	}
	return last
}

// halfDays makes blocks, and opens the store anew each time.
func halfDays(t *testing.T, dir string, n int, o tsdb.Options) (last time.Time) {
	t.Helper()
	for i := range n {
		d := open(t, dir, o)
		last = hours(t, d, 12*i, 12)
		if err := errors.Join(d.Compact(), d.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

func TestRetention(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options tsdb.Options
		oldest  bool // the first sample is still there
	}{
		"what is young stays":                 {tsdb.Options{}, true},
		"by time":                             {tsdb.Options{Retention: 30 * time.Hour}, false},
		"by size":                             {tsdb.Options{MaxBytes: 250_000}, false},
		"by size, if there is room, all stay": {tsdb.Options{MaxBytes: 100 << 20}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			last := halfDays(t, dir, 6, c.options)
			d := open(t, dir, c.options)
			if d.Blocks() == 0 {
				t.Fatal("there are no blocks: nothing was tested")
			}
			got, err := d.Query(t.Context(), "count(muster_probe_rtt_seconds)", at)
			if err != nil || (len(got) == 1) != c.oldest {
				t.Errorf("the first sample: got %v, %v", got, err)
			}
			if got := value(t, d, "count(muster_probe_rtt_seconds)", last); got != 5 {
				t.Errorf("the last samples: got %v", got)
			}
		})
	}
}
