package monitor_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/store"
)

// loopback are hosts of 127.1.0.0/16, which all answer.
func loopback(n int, interval time.Duration) (targets []monitor.Target) {
	addr := netip.MustParseAddr("127.1.0.1")
	for i := range n {
		targets = append(targets, monitor.Target{
			Device:   muster.Device{Name: fmt.Sprintf("host-%05d", i), Address: addr.String(), Group: "loopback"},
			Interval: interval, Timeout: 500 * time.Millisecond,
		})
		addr = addr.Next()
	}
	return targets
}

// canPing skips where pings need a process each: 50 of those at once do not keep up.
func canPing(t testing.TB) {
	one := func(yield func(netip.Addr) bool) { yield(netip.MustParseAddr("127.0.0.1")) }
	var sum ping.Summary
	for _, err := range ping.Sweep(t.Context(), one, ping.Config{Timeout: time.Second, Summary: &sum}) {
		if err != nil || sum.Method == ping.MethodProcess {
			t.Skipf("no socket for pings is allowed here: %v", err)
		}
	}
}

func TestRealPingsOfTheLoopbackNet(t *testing.T) {
	t.Parallel()
	canPing(t)
	m, err := monitor.New(monitor.Config{Targets: loopback(300, 100*time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	deadline := time.Now().Add(20 * time.Second)
	for m.Stats().Health[muster.HealthUp] < 300 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond) // the kernel answers in its own time
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s := m.Stats(); s.Health[muster.HealthUp] != 300 || s.Ping.Sent < 600 {
		t.Errorf("%+v", s)
	}
}

func TestOnceOfTheLoopbackNet(t *testing.T) {
	t.Parallel()
	canPing(t)
	up := 0
	for s, err := range monitor.Once(t.Context(), loopback(300, time.Minute), monitor.Config{}) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Health == muster.HealthUp && s.RTT > 0 {
			up++
		}
	}
	if up != 300 {
		t.Errorf("%d are up", up)
	}
}

// counting is a store.Samples that counts.
type counting struct {
	store.Samples
	n int
}

func (s *counting) Write(_ context.Context, some []muster.Sample) error {
	s.n += len(some)
	return nil
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

const (
	benchHosts = 50_000
	benchTime  = 10 * time.Second
	benchWarm  = 5 * time.Second // everybody gets a first verdict
)

// BenchmarkMonitor watches 50,000 loopback hosts at one ping a second with samples and states on, for 10 s once
// everybody has a verdict, and asks them by a
// bare ping.Steady for as long: it reports the CPU time of a probe of each, and what a target holds.
func BenchmarkMonitor(b *testing.B) {
	canPing(b)
	targets := loopback(benchHosts, time.Second)
	for b.Loop() {
		bare, sent := steadily(b, targets)
		before := heap()
		samples, kept := &counting{}, &counted{}
		m, err := monitor.New(monitor.Config{Targets: targets, Samples: samples, States: kept})
		if err != nil {
			b.Fatal(err)
		}
		held := heap() - before
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error)
		go func() { done <- m.Run(ctx) }()
		time.Sleep(benchWarm)
		warm, first, began := m.Stats().Ping, heap(), cpu()
		time.Sleep(benchTime)
		used, s := cpu()-began, m.Stats()
		sentNow, skipped := s.Ping.Sent-warm.Sent, s.Ping.Skipped-warm.Skipped
		running := first - before
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(bare.Seconds()/float64(sent)*1e6, "steady-cpu-us/probe")
		b.ReportMetric(used.Seconds()/float64(sentNow)*1e6, "monitor-cpu-us/probe")
		b.ReportMetric(used.Seconds()/float64(sentNow)/(bare.Seconds()/float64(sent)), "cpu-ratio")
		b.ReportMetric(float64(held)/benchHosts, "B/target")
		b.ReportMetric(float64(running)/benchHosts, "B/target-running")
		b.ReportMetric(float64(samples.n)/(benchTime+benchWarm).Seconds(), "samples/s")
		b.ReportMetric(float64(kept.rows), "rows")
		b.ReportMetric(float64(warm.Skipped), "skipped-at-first")
		b.ReportMetric(float64(skipped+s.Ping.Lost), "skipped-or-lost")
		b.Logf("%+v", s)
		runtime.KeepAlive(m)
	}
}

// counted is a store.Watch that counts.
type counted struct {
	store.Watch
	rows int
}

func (s *counted) SaveHealth(_ context.Context, some []store.Health) error {
	s.rows += len(some)
	return nil
}

func (s *counted) AddTransitions(context.Context, []muster.Transition, time.Time) error { return nil }

func (s *counted) Healths(context.Context) ([]store.Health, error) { return nil, nil }

// steadily asks the targets by ping.Steady alone.
func steadily(b *testing.B, targets []monitor.Target) (used time.Duration, sent int) {
	b.Helper()
	var plan ping.Plan
	for _, t := range targets {
		if err := plan.Set(ping.Target{Key: t.Device.Name, Addr: netip.MustParseAddr(t.Device.Address), Interval: t.Interval, Timeout: t.Timeout}); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(b.Context(), benchTime)
	defer cancel()
	began := cpu()
	for range ping.Steady(ctx, &plan, ping.Config{}) {
	}
	b.Logf("steady: %+v", plan.Stats())
	return cpu() - began, plan.Stats().Sent
}
