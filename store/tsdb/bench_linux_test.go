package tsdb_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store/tsdb"
)

// fleet is a batch of three series for each target, as a monitor writes it once a second.
func fleet(targets int) []muster.Sample {
	var all []muster.Sample
	for i := range targets {
		l := map[string]string{"device": "device-" + strconv.Itoa(i) + ".example", "group": "core", "probe": "icmp"}
		for _, name := range []string{"muster_probe_up", "muster_probe_rtt_seconds", "muster_probe_loss_ratio"} {
			all = append(all, muster.Sample{Name: name, Labels: l})
		}
	}
	return all
}

func setTime(some []muster.Sample, when time.Time) {
	for i := range some {
		some[i].Time = when
		switch some[i].Name {
		case "muster_probe_up":
			some[i].Value = 1
		case "muster_probe_rtt_seconds":
			some[i].Value = float64(1000+(uint32(i)*2654435761+uint32(when.Unix())*40503)%97) / 1e6
		}
	}
}

// rss is the memory that is not mapped from files, in bytes.
func rss(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(n)[0], 64)
			return kb * 1024
		}
	}
	return 0
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkWrite is one second of 50,000 targets probed each second: 150,000 samples.
func BenchmarkWrite(b *testing.B) {
	d := open(b, b.TempDir(), tsdb.Options{})
	some := fleet(50_000)
	setTime(some, at)
	write(b, d, some...)
	runtime.GC()
	when, begun := at, cpu()
	for b.Loop() {
		when = when.Add(time.Second)
		setTime(some, when)
		write(b, d, some...)
	}
	b.ReportMetric(float64(cpu()-begun)/float64(b.N*len(some)), "cpu-ns/sample")
	b.ReportMetric(rss(b)/float64(len(some)), "anon-B/series")
}

// BenchmarkQuery is a report about one device of 50,000, and one about all.
func BenchmarkQuery(b *testing.B) {
	d := open(b, b.TempDir(), tsdb.Options{})
	some := fleet(50_000)
	for i := range 60 {
		setTime(some, at.Add(time.Duration(i)*time.Minute))
		write(b, d, some...)
	}
	for name, expr := range map[string]string{
		"one device":  `avg_over_time(muster_probe_up{device="device-777.example"}[1h])`,
		"all devices": `avg(avg_over_time(muster_probe_up[1h]))`,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				value(b, d, expr, at.Add(time.Hour))
			}
		})
	}
}

// BenchmarkOpen reads the log of two minutes of 50,000 targets at a probe a second, as after kill -9.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	d := open(b, dir, tsdb.Options{})
	some := fleet(50_000)
	for i := range 120 {
		setTime(some, at.Add(time.Duration(i)*time.Second))
		write(b, d, some...)
	}
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
	size := 0.0
	for _, file := range glob(b, dir, "wal", "0*") {
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		size += float64(info.Size())
	}
	for b.Loop() {
		d, err := tsdb.Open(dir, tsdb.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N*len(some)*120), "ns/sample")
	b.ReportMetric(size/float64(len(some)*120), "log-B/sample")
}

func glob(b *testing.B, pattern ...string) []string {
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil {
		b.Fatal(err)
	}
	return found
}
