// Package metrics names what muster counts of itself, in one place, for whoever scrapes /metrics.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/musternet/muster"
)

// Set is the metrics of one running muster. Its methods may be called by many goroutines.
type Set struct {
	// Registry is what /metrics serves.
	Registry *prometheus.Registry

	results  *prometheus.CounterVec
	failures *prometheus.CounterVec
	duration prometheus.Histogram
	lastRun  prometheus.Gauge
	health   *prometheus.CounterVec
	events   *prometheus.CounterVec
}

// New makes the metrics of a muster of a version.
func New(version string) *Set {
	s := &Set{
		Registry: prometheus.NewRegistry(),
		results:  counters("muster_backup_results_total", "Devices that a backup run finished, by status.", "status"),
		failures: counters("muster_backup_failures_total", "Devices that a backup run failed on, by stage and code (docs/reference/failures.md).", "stage", "code"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "muster_backup_duration_seconds", Help: "How long the backup of one device took.", Buckets: prometheus.ExponentialBuckets(0.1, 2, 12),
		}),
		lastRun: gauge("muster_backup_last_run_timestamp_seconds", "When the last backup run ended, in seconds since 1970."),
		health:  counters("muster_monitor_transitions_total", "Changes of a device's health, by what it is now.", "to"),
		events:  counters("muster_events_total", "Events that were published, by kind.", "kind"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "muster_build_info", Help: "Always 1; the label says which muster this is.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	s.Registry.MustRegister(build, s.results, s.failures, s.duration, s.lastRun, s.health, s.events,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

// Gauge adds a gauge that asks for its value when it is read.
func (s *Set) Gauge(name, help string, value func() float64) {
	s.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Counter adds a counter that asks for its value, which never falls, when it is read.
func (s *Set) Counter(name, help string, value func() float64) {
	s.Registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
}

// Gauges adds a gauge of one label that asks for its values, by the value of the label, when it is read.
func (s *Set) Gauges(name, help, label string, values func() map[string]float64) {
	s.Registry.MustRegister(&asked{prometheus.NewDesc(name, help, []string{label}, nil), func(d *prometheus.Desc, to chan<- prometheus.Metric) {
		for of, value := range values() {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, of)
		}
	}})
}

// Histogram adds a histogram that asks for its value when it is read: each bucket counts what is not above its bound.
func (s *Set) Histogram(name, help string, value func() (count uint64, sum float64, buckets map[float64]uint64)) {
	s.Registry.MustRegister(&asked{prometheus.NewDesc(name, help, nil, nil), func(d *prometheus.Desc, to chan<- prometheus.Metric) {
		count, sum, buckets := value()
		to <- prometheus.MustNewConstHistogram(d, count, sum, buckets)
	}})
}

// asked is a metric whose values are asked for when it is read.
type asked struct {
	desc    *prometheus.Desc
	collect func(*prometheus.Desc, chan<- prometheus.Metric)
}

// Describe tells of the metric.
func (a *asked) Describe(to chan<- *prometheus.Desc) { to <- a.desc }

// Collect asks for the values.
func (a *asked) Collect(to chan<- prometheus.Metric) { a.collect(a.desc, to) }

// Event counts one event and what it tells.
func (s *Set) Event(e muster.Event) {
	s.events.WithLabelValues(string(e.Kind)).Inc()
	switch {
	case e.Kind == muster.EventRunDone:
		s.lastRun.Set(float64(e.Time.Unix()))
	case e.Transition != nil:
		s.health.WithLabelValues(string(e.Transition.To)).Inc()
	case e.Result != nil:
		s.result(*e.Result)
	}
}

func (s *Set) result(r muster.Result) {
	s.results.WithLabelValues(string(r.Status)).Inc()
	s.duration.Observe(r.Elapsed.Seconds())
	if f := r.Failure; f != nil {
		s.failures.WithLabelValues(string(f.Stage), f.Code).Inc()
	}
}
