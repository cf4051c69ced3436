package app

import (
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/store/tsdb"
)

// measure adds what the parts count to the metrics.
func (s *server) measure() {
	s.measureMonitor()
	s.measureSamples()
	m := s.metrics
	m.Gauges("muster_alerts", "Alerts that the rules know, by phase: pending, firing, or ended a short while ago.", "phase", s.phases)
	m.Gauges("muster_schedule_next_timestamp_seconds", "When a schedule is due next, in seconds since 1970.", "schedule", s.due)
}

func (s *server) measureMonitor() {
	m := s.metrics
	m.Gauges("muster_monitor_devices", "Devices that are watched, by health.", "state", func() map[string]float64 {
		counts := map[string]float64{"up": 0, "degraded": 0, "down": 0, "unknown": 0}
		for h, n := range s.monitor.Stats().Health {
			counts[string(h)] = float64(n)
		}
		return counts
	})
	m.Gauge("muster_monitor_cut", "1 while this machine has no way to the network, else 0.", func() float64 {
		if s.monitor.Stats().Cut {
			return 1
		}
		return 0
	})
	for _, c := range []struct {
		name, help string
		value      func(monitor.Stats) int
	}{
		{"muster_monitor_pings_sent_total", "Pings that were sent.", func(s monitor.Stats) int { return s.Ping.Sent }},
		{"muster_monitor_pings_lost_total", "Pings without a reply in time.", func(s monitor.Stats) int { return s.Ping.Lost }},
		{"muster_monitor_pings_late_total", "Replies to pings that came too late.", func(s monitor.Stats) int { return s.Ping.Late }},
		{"muster_monitor_pings_skipped_total", "Pings that were not sent because their time was over.", func(s monitor.Stats) int { return s.Ping.Skipped }},
		{"muster_monitor_pings_refused_total", "Pings that this machine could not send.", func(s monitor.Stats) int { return s.Ping.SendErrors }},
		{"muster_monitor_receive_drops_total", "Packets that the kernel threw away because the receive buffer was full.", func(s monitor.Stats) int { return s.Ping.ReceiveDrops }},
		{"muster_monitor_probes_total", "Probes other than pings.", func(s monitor.Stats) int { return s.Probes }},
		{"muster_monitor_probes_skipped_total", "Probes other than pings that were not made because too many ran.", func(s monitor.Stats) int { return s.Skipped }},
		{"muster_monitor_samples_lost_total", "Samples that the history did not take, or not soon enough.", func(s monitor.Stats) int { return s.Lost.Samples }},
		{"muster_monitor_transitions_lost_total", "Changes of health that could not be kept.", func(s monitor.Stats) int { return s.Lost.Transitions }},
	} {
		m.Counter(c.name, c.help, func() float64 { return float64(c.value(s.monitor.Stats())) })
	}
	m.Histogram("muster_monitor_ping_jitter_seconds", "How much later than planned pings were sent.", s.jitter)
}

func (s *server) measureSamples() {
	m := s.metrics
	for _, c := range []struct {
		name, help string
		value      func(tsdb.Counts) uint64
	}{
		{"muster_samples_written_total", "Samples that the history took.", func(c tsdb.Counts) uint64 { return c.Written }},
		{"muster_samples_old_total", "Samples that came too late for the history.", func(c tsdb.Counts) uint64 { return c.TooOld }},
		{"muster_samples_refused_total", "Samples that the history refused.", func(c tsdb.Counts) uint64 { return c.Refused }},
	} {
		m.Counter(c.name, c.help, func() float64 { return float64(c.value(s.samples.Counts())) })
	}
}

// jitter is how much later than planned pings were sent, each bucket with those before it.
func (s *server) jitter() (count uint64, sum float64, buckets map[float64]uint64) {
	j := s.monitor.Stats().Ping.Jitter
	buckets = map[float64]uint64{}
	var upTo uint64
	for i, bound := range ping.JitterBounds {
		upTo += uint64(j.Buckets[i])
		buckets[bound.Seconds()] = upTo
	}
	return uint64(j.Count), j.Sum.Seconds(), buckets
}

// phases counts the alerts that the rules know.
func (s *server) phases() map[string]float64 {
	counts := map[string]float64{"pending": 0, "firing": 0, "ended": 0}
	for _, a := range s.rules.Alerts() {
		counts[string(a.Phase)]++
	}
	return counts
}

// due tells when the backups are due next.
func (s *server) due() map[string]float64 {
	times := map[string]float64{}
	for group := range s.held().plans {
		if next, ok := s.schedule.Next(backupEntry(group)); ok && !next.IsZero() {
			times[backupEntry(group)] = float64(next.Unix())
		}
	}
	return times
}

// devices is how many are watched.
func (s *server) devices() (n int) {
	for _, of := range s.monitor.Stats().Health {
		n += of
	}
	return n
}
