package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/metrics"
)

func TestEventsAreCountedByWhatTheyTell(t *testing.T) {
	t.Parallel()
	s := metrics.New("v1")
	failed := muster.Result{Status: muster.StatusFailed, Elapsed: time.Second, Failure: &muster.Failure{Stage: muster.StageAuth, Code: "auth-rejected"}}
	s.Event(muster.Event{Kind: muster.EventBackupFailed, Result: &failed})
	s.Event(muster.Event{Kind: muster.EventBackupChanged, Result: &muster.Result{Status: muster.StatusChanged}})
	s.Event(muster.Event{Kind: muster.EventHealth, Transition: &muster.Transition{To: muster.HealthDown}})
	s.Event(muster.Event{Kind: muster.EventRunDone, Time: time.Unix(1000, 0)})
	want := `
# HELP muster_backup_failures_total Devices that a backup run failed on, by stage and code (docs/reference/failures.md).
# TYPE muster_backup_failures_total counter
muster_backup_failures_total{code="auth-rejected",stage="auth"} 1
# HELP muster_backup_last_run_timestamp_seconds When the last backup run ended, in seconds since 1970.
# TYPE muster_backup_last_run_timestamp_seconds gauge
muster_backup_last_run_timestamp_seconds 1000
# HELP muster_backup_results_total Devices that a backup run finished, by status.
# TYPE muster_backup_results_total counter
muster_backup_results_total{status="changed"} 1
muster_backup_results_total{status="failed"} 1
# HELP muster_monitor_transitions_total Changes of a device's health, by what it is now.
# TYPE muster_monitor_transitions_total counter
muster_monitor_transitions_total{to="down"} 1
`
	err := testutil.GatherAndCompare(s.Registry, strings.NewReader(want), "muster_backup_failures_total", "muster_backup_results_total",
		"muster_monitor_transitions_total", "muster_backup_last_run_timestamp_seconds")
	if err != nil {
		t.Error(err)
	}
}

func TestEveryMetricIsAsPrometheusWantsThem(t *testing.T) {
	t.Parallel()
	s := metrics.New("v1")
	s.Gauge("muster_things", "Things there are.", func() float64 { return 3 })
	s.Counter("muster_deeds_total", "Deeds that were done.", func() float64 { return 4 })
	s.Gauges("muster_places", "Places there are, by kind.", "kind", func() map[string]float64 { return map[string]float64{"near": 1, "far": 2} })
	s.Histogram("muster_wait_seconds", "How long it took.", func() (uint64, float64, map[float64]uint64) {
		return 3, 1.5, map[float64]uint64{0.1: 1, 1: 2}
	})
	s.Event(muster.Event{Kind: muster.EventRunDone})
	want := `
# HELP muster_places Places there are, by kind.
# TYPE muster_places gauge
muster_places{kind="far"} 2
muster_places{kind="near"} 1
# HELP muster_wait_seconds How long it took.
# TYPE muster_wait_seconds histogram
muster_wait_seconds_bucket{le="0.1"} 1
muster_wait_seconds_bucket{le="1"} 2
muster_wait_seconds_bucket{le="+Inf"} 3
muster_wait_seconds_sum 1.5
muster_wait_seconds_count 3
`
	if err := testutil.GatherAndCompare(s.Registry, strings.NewReader(want), "muster_places", "muster_wait_seconds"); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(s.Registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "muster_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}
