package app

import (
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/store/tsdb"
	"github.com/musternet/muster/syslog"
)

// measure adds what the parts count to the metrics.
func (s *server) measure() {
	s.measureMonitor()
	s.measureSamples()
	s.measureSyslog()
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

func (s *server) measureSyslog() {
	if s.receiver == nil {
		return
	}
	m, r := s.metrics, s.receiver
	count := func(name, help string, value func() uint64) {
		m.Counter(name, help, func() float64 { return float64(value()) })
	}
	for _, c := range []struct {
		name, help string
		value      func(syslog.Counts) uint64
	}{
		{"muster_syslog_received_total", "Syslog messages that were received.", func(c syslog.Counts) uint64 { return c.Received }},
		{"muster_syslog_received_bytes_total", "Bytes of syslog messages that were received.", func(c syslog.Counts) uint64 { return c.Bytes }},
		{"muster_syslog_receive_drops_total", "Syslog messages that the kernel threw away because the receive buffer was full.", func(c syslog.Counts) uint64 { return c.Dropped }},
		{"muster_syslog_truncated_total", "Syslog messages of which the end was cut off.", func(c syslog.Counts) uint64 { return c.Truncated }},
		{"muster_syslog_bad_frames_total", "Octet counts of syslog messages that were wrong.", func(c syslog.Counts) uint64 { return c.BadFrames }},
		{"muster_syslog_refused_total", "Connections of syslog senders that were refused.", func(c syslog.Counts) uint64 { return c.Refused }},
	} {
		count(c.name, c.help, func() uint64 { return c.value(r.listener.Counts()) })
	}
	m.Gauge("muster_syslog_connections", "Connections of syslog senders that are open.", func() float64 { return float64(r.listener.Counts().Conns) })
	for _, c := range []struct {
		name, help string
		value      func(logwatch.Counts) uint64
	}{
		{"muster_syslog_parsed_total", "Syslog messages whose form is known.", func(c logwatch.Counts) uint64 { return c.Parsed }},
		{"muster_syslog_unknown_sender_total", "Syslog messages of senders that no inventory knows.", func(c logwatch.Counts) uint64 { return c.Unknown }},
		{"muster_syslog_missing_total", "Syslog messages that never came, by the devices' own numbers.", func(c logwatch.Counts) uint64 { return c.Missing }},
		{"muster_syslog_noise_total", "Syslog messages that are noise.", func(c logwatch.Counts) uint64 { return c.Noise }},
		{"muster_syslog_rule_hits_total", "Syslog messages that a rule was about.", func(c logwatch.Counts) uint64 { return c.Hits }},
		{"muster_syslog_events_lost_total", "Events of syslog rules that could not be told.", func(c logwatch.Counts) uint64 { return c.Unheard }},
		{"muster_syslog_windows_forgotten_total", "Windows of syslog rules that had to make room.", func(c logwatch.Counts) uint64 { return c.Forgotten }},
	} {
		count(c.name, c.help, func() uint64 { return c.value(r.watcher.Counts()) })
	}
	if r.archive == nil {
		return
	}
	count("muster_syslog_archived_total", "Syslog messages that are archived, durably.", func() uint64 { return r.archive.Counts().Durable })
	count("muster_syslog_archive_lost_total", "Syslog messages that the archive could not take.", func() uint64 { return r.archive.Counts().Lost })
	m.Gauge("muster_syslog_archive_bytes", "Bytes of the syslog archive.", func() float64 { return float64(r.archive.Counts().Bytes) })
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
