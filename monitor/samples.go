package monitor

import (
	"context"
	"errors"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/task"
)

// The metrics that are sampled, each with the labels device, group and probe.
const (
	MetricUp   = "muster_probe_up"
	MetricRTT  = "muster_probe_rtt_seconds"
	MetricLoss = "muster_probe_loss_ratio"
)

// LabelProbe is the label with the name of a Check.
const LabelProbe = "probe"

// Metric describes one metric.
type Metric struct{ Name, Help string }

var metrics = []Metric{
	{MetricLoss, "Share of the last probes without a reply or with a late one, as many as the target's loss rule looks at; every 10 s at most."},
	{MetricRTT, "Round trip of a probe that was answered, also of one that was answered late, in seconds."},
	{MetricUp, "Whether a probe was answered as it should be, in time: 1 or 0. None while this machine is cut off or could not send."},
}

// Metrics are all metrics, sorted by name.
func Metrics() []Metric { return metrics }

const (
	samplesLeast = 4096
	samplesEach  = 10 // of a check, while the store takes none
	lossEvery    = 10 * time.Second
)

// record is a sample that waits for the store.
type record struct {
	metric string
	c      *check
	at     int64 // milliseconds since 1970
	value  float64
}

// queue is what waits for the store. When it is full the oldest quarter is dropped.
type queue struct {
	records []record
	bound   int
	dropped int
}

func (q *queue) push(r record) {
	if len(q.records) >= q.bound {
		n := q.bound/4 + 1
		q.dropped += n
		q.records = append(q.records[:0], q.records[n:]...)
	}
	q.records = append(q.records, r)
}

// measure makes samples of a result. m.mu is held.
func (m *Monitor) measure(c *check, r result) {
	if m.cfg.Samples == nil || r.kind == unasked {
		return
	}
	at := c.stampOf(m.fleet.wall().UnixMilli())
	if r.kind != late && !m.fleet.cut {
		m.samples.push(record{MetricUp, c, at, number(r.kind == inTime)})
	}
	if r.rtt > 1 && r.kind != lost {
		m.samples.push(record{MetricRTT, c, at, r.rtt.Seconds()})
	}
	if r.kind != late && at-c.lossAt >= lossEvery.Milliseconds() && !m.fleet.cut {
		c.lossAt = at
		m.samples.push(record{MetricLoss, c, at, c.loss()})
	}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// stampOf is the time of the next samples: no two of a series have the same, unless the clock was set back.
func (c *check) stampOf(now int64) int64 {
	const setBack = 1000
	if now <= c.stamp && c.stamp-now < setBack {
		now = c.stamp + 1
	}
	if now < c.lossAt {
		c.lossAt = now - lossEvery.Milliseconds()
	}
	c.stamp = now
	return now
}

// loss is the share of the last probes without a reply or with a late one.
func (c *check) loss() float64 {
	known, lost, late := c.lost(c.of.Loss.Of)
	if known == 0 {
		return 0
	}
	return float64(lost+late) / float64(known)
}

// sample gives the store what was measured, once a second, and what is left at the end.
func (m *Monitor) sample(ctx context.Context) error {
	if m.cfg.Samples == nil {
		return nil
	}
	w := sampler{m: m}
	every(ctx, time.Second, func() { w.write(ctx) })
	w.write(ctx)
	return nil
}

// sampler writes samples.
type sampler struct {
	m     *Monitor
	spare []record
	batch []muster.Sample
	ill   bool // the store took none last time
}

// write writes all that waits. The end of ctx does not cut it short.
func (w *sampler) write(ctx context.Context) {
	records := w.take()
	w.batch = w.batch[:0]
	for _, r := range records {
		w.batch = append(w.batch, muster.Sample{Name: r.metric, Labels: r.c.labels, Time: time.UnixMilli(r.at), Value: r.value})
	}
	w.spare = records[:0]
	if len(w.batch) == 0 {
		return
	}
	err := task.Shield(ctx, writeLimit, func(ctx context.Context) error { return w.m.cfg.Samples.Write(ctx, w.batch) })
	if err != nil && !errors.Is(err, store.ErrTooOld) {
		w.m.count(func(l *Lost) { l.Samples += len(w.batch) })
	}
	switch log := w.m.cfg.Log; {
	case err != nil && !w.ill:
		log.Error("samples were not kept", "samples", len(w.batch), "err", err)
	case err == nil && w.ill:
		log.Info("samples are kept again")
	}
	w.ill = err != nil
}

// take exchanges the full queue for an empty one.
func (w *sampler) take() []record {
	m := w.m
	m.mu.Lock()
	defer m.mu.Unlock()
	records := m.samples.records
	m.samples.records = w.spare
	m.lost.Samples += m.samples.dropped
	m.samples.dropped = 0
	return records
}
