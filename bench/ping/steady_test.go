package ping_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/ping"
)

// steadyEnv makes the test binary a steady loop over so many hosts.
const steadyEnv = "MUSTER_BENCH_STEADY"

const (
	watched  = 50_000
	fpings   = 6000 // fping cannot do 6,554 a second: its sequence numbers last for 65,536 requests in 10 s
	watchFor = 10 * time.Second
)

// watch is what a loop of watchFor at one request a second and host did.
type watch struct {
	ping.Stats
	// Gaps counts how far the time between two requests to one host was from a second, in steps of 0.1 ms.
	Gaps [1001]int
}

// gap is what a share q of the gaps does not exceed.
func (w *watch) gap(q float64) time.Duration {
	all := 0
	for _, n := range w.Gaps {
		all += n
	}
	left := q * float64(all)
	for i, n := range w.Gaps {
		if left -= float64(n); left <= 0 {
			return time.Duration(i+1) * 100 * time.Microsecond
		}
	}
	return 0
}

// steady watches hosts of 127.1.0.0/16 and prints the watch.
func steady(hosts int) {
	var plan ping.Plan
	addr := netip.MustParseAddr("127.1.0.0")
	for i := range hosts {
		if err := plan.Set(ping.Target{Key: strconv.Itoa(i), Addr: addr, Interval: time.Second}); err != nil {
			panic(err)
		}
		addr = addr.Next()
	}
	ctx, cancel := context.WithTimeout(context.Background(), watchFor)
	defer cancel()
	var w watch
	before := make([]time.Time, hosts)
	for p, err := range ping.Steady(ctx, &plan, ping.Config{}) {
		if err == nil {
			w.note(p, before)
		}
	}
	w.Stats = plan.Stats()
	json.NewEncoder(os.Stdout).Encode(w)
}

func (w *watch) note(p ping.Probe, before []time.Time) {
	i, _ := strconv.Atoi(p.Key)
	if last := before[i]; !last.IsZero() {
		w.Gaps[min(1000, (p.Sent.Sub(last)-time.Second).Abs()/(100*time.Microsecond))]++
	}
	before[i] = p.Sent
}

// BenchmarkSteady watches 50,000 loopback hosts at one request a second for 10 s, and 6,000 by muster and by fping, each in a
// process of its own, and reports the CPU time of a request, the ratio of the two, and how far intervals were from a second.
// That fping does not do 50,000 is shown in the log.
func BenchmarkSteady(b *testing.B) {
	command, err := exec.LookPath("fping")
	if err != nil {
		b.Skip("fping is not installed")
	}
	var cpu [3]float64 // seconds of a request
	for b.Loop() {
		many, c := steadily(b, watched)
		few, d := steadily(b, fpings)
		cpu[0] += c
		cpu[1] += d
		cpu[2] += fpingSteadily(b, command)
		report(b, "50k", many)
		report(b, "6k", few)
	}
	for i, name := range []string{"muster-50k", "muster-6k", "fping-6k"} {
		b.ReportMetric(cpu[i]/float64(b.N)*1e6, name+"-cpu-us/probe")
	}
	b.ReportMetric(cpu[0]/cpu[2], "50k-cpu-ratio")
	b.ReportMetric(cpu[1]/cpu[2], "6k-cpu-ratio")
	b.Logf("fping with %d hosts: %s", watched, fpingRefusal(b, command))
}

func report(b *testing.B, name string, w watch) {
	b.ReportMetric(float64(w.Sent), name+"-sent")
	b.ReportMetric(float64(w.Skipped+w.Lost), name+"-skipped-or-lost")
	b.ReportMetric(w.gap(0.5).Seconds()*1e3, name+"-gap-p50-ms")
	b.ReportMetric(w.gap(0.99).Seconds()*1e3, name+"-gap-p99-ms")
	b.Logf("%s: %+v, mean delay %s", name, w.Stats, w.Jitter.Mean())
}

// steadily runs a loop in a process of its own.
func steadily(b *testing.B, hosts int) (w watch, cpu float64) {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", steadyEnv, hosts))
	out, err := c.Output()
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(out, &w); err != nil || w.Sent == 0 {
		b.Skipf("no request was sent: %v, %s", err, out)
	}
	return w, used(c) / float64(w.Sent)
}

func used(c *exec.Cmd) float64 {
	return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
}

// fpingSteadily runs fping for as long, and gives the CPU time of a request.
func fpingSteadily(b *testing.B, command string) float64 {
	b.Helper()
	c := exec.Command(command, "-l", "-q", "-i", "0", "-p", "1000", "-f", listOf(b, fpings))
	var summary strings.Builder
	c.Stderr = &summary
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	stop := time.AfterFunc(watchFor, func() { c.Process.Signal(syscall.SIGINT) })
	defer stop.Stop()
	c.Wait() // its status says that it was interrupted
	sent := 0
	for line := range strings.Lines(summary.String()) {
		if _, after, ok := strings.Cut(line, "xmt/rcv/%loss = "); ok {
			n, _, _ := strings.Cut(after, "/")
			i, _ := strconv.Atoi(n)
			sent += i
		}
	}
	if sent == 0 {
		b.Skipf("fping sent nothing: %s", summary.String())
	}
	return used(c) / float64(sent)
}

// fpingRefusal is what fping says of as many hosts as muster watches.
func fpingRefusal(b *testing.B, command string) string {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 2*watchFor)
	defer cancel()
	c := exec.CommandContext(ctx, command, "-l", "-q", "-i", "0", "-p", "1000", "-f", listOf(b, watched))
	var said strings.Builder
	c.Stderr = &said
	err := c.Run()
	text := strings.TrimSpace(said.String())
	return fmt.Sprint(text[:min(len(text), 200)], ", ", err)
}

// listOf writes a list of hosts.
func listOf(b *testing.B, hosts int) string {
	b.Helper()
	var list strings.Builder
	addr := netip.MustParseAddr("127.1.0.0")
	for range hosts {
		fmt.Fprintln(&list, addr)
		addr = addr.Next()
	}
	name := filepath.Join(b.TempDir(), fmt.Sprint(hosts))
	if err := os.WriteFile(name, []byte(list.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}
