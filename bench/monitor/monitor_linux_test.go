// Package monitor_test measures the whole process `muster serve`, which watches 50,000 hosts of loopback at a probe a second
// and keeps the history of each, beside what fping and Debian's prometheus-blackbox-exporter can do, in a network that the
// benchmark made. It needs Linux and root.
package monitor_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	watched  = 50_000
	fpings   = 6000 // fping cannot do 6,554 a second: its sequence numbers last for 65,536 requests in 10 s
	exported = 300  // hosts that the exporter is asked for, each once a second
	watchFor = 20 * time.Second
	peersFor = 10 * time.Second
	upWithin = time.Minute

	musterAt   = "127.0.0.1:8970"
	blackboxAt = "127.0.0.1:9115"
)

// BenchmarkServe reports the CPU time of a probe of each, the ratios, and of muster how much later than planned it asked, what
// it left out or lost, and its memory.
func BenchmarkServe(b *testing.B) {
	program := muster(b)
	loopback(b)
	var cpu [3]float64 // seconds of a probe
	for b.Loop() {
		cpu[0] += serve(b, program)
		cpu[1] += fping(b)
		cpu[2] += blackbox(b)
	}
	for i, name := range []string{"muster", "fping", "blackbox"} {
		b.ReportMetric(cpu[i]/float64(b.N)*1e6, name+"-cpu-us/probe")
	}
	b.ReportMetric(cpu[0]/cpu[1], "cpu/fping")
	b.ReportMetric(cpu[0]/cpu[2], "cpu/blackbox")
	b.ReportMetric(0, "ns/op") // says nothing of its own
}

// serve watches for a while once all are up, and returns the CPU time of a probe with all that belongs to it.
func serve(b *testing.B, program string) float64 {
	b.Helper()
	dir := b.TempDir()
	settings := filepath.Join(dir, "muster.yaml")
	write(b, settings, "inventory: [{file: devices.csv}]\nmonitor: {interval: 1s, timeout: 1s}\nbackup: off\n")
	write(b, filepath.Join(dir, "devices.csv"), "name,address\n"+list(watched, func(i int, addr netip.Addr) string { return fmt.Sprintf("h%d,%s", i, addr) }))
	began := time.Now()
	stop := start(b, program, "serve", "--config", settings, "--data-dir", filepath.Join(dir, "data"))
	defer stop()
	conn := dial(b, musterAt)
	defer conn.Close()
	for conn.metrics(b)[`muster_monitor_devices{state="up"}`] < watched {
		if time.Since(began) > upWithin {
			b.Fatalf("not all are up after %v", upWithin)
		}
		time.Sleep(200 * time.Millisecond)
	}
	settled := time.Since(began)
	time.Sleep(3 * time.Second)
	from := conn.metrics(b)
	time.Sleep(watchFor)
	to := conn.metrics(b)
	grown := func(name string) float64 { return to[name] - from[name] }
	sent := grown("muster_monitor_pings_sent_total")
	if sent == 0 {
		b.Fatal("nothing was sent")
	}
	b.ReportMetric(settled.Seconds(), "until-all-are-up-s")
	b.ReportMetric(sent/watchFor.Seconds(), "probes/s")
	b.ReportMetric(grown("muster_monitor_pings_skipped_total"), "skipped")
	b.ReportMetric(grown("muster_monitor_pings_lost_total"), "lost")
	b.ReportMetric(grown("muster_monitor_samples_lost_total"), "samples-lost")
	b.ReportMetric(grown("muster_samples_written_total")/watchFor.Seconds(), "samples/s")
	for name, q := range map[string]float64{"p50": 0.5, "p99": 0.99} {
		b.ReportMetric(within(grown, "muster_monitor_ping_jitter_seconds", q)*1e3, "jitter-"+name+"-ms")
	}
	b.ReportMetric(to["process_resident_memory_bytes"]/1e6, "RSS-MB")
	b.ReportMetric(grown("process_cpu_seconds_total")/watchFor.Seconds(), "cores")
	return grown("process_cpu_seconds_total") / sent
}

// bounds are the upper ends of the buckets of the jitter.
var bounds = []float64{0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5}

// within is a bound that a share q of what a histogram counted does not exceed; a minute where none is.
func within(grown func(string) float64, name string, q float64) float64 {
	for _, bound := range bounds {
		if grown(fmt.Sprintf(`%s_bucket{le="%v"}`, name, bound)) >= q*grown(name+"_count") {
			return bound
		}
	}
	return 60
}

// fping asks as many as it can, each once a second, and returns the CPU time of a request.
func fping(b *testing.B) float64 {
	b.Helper()
	hosts := filepath.Join(b.TempDir(), "hosts")
	write(b, hosts, list(fpings, func(_ int, addr netip.Addr) string { return addr.String() }))
	c := exec.Command("fping", "-l", "-q", "-i", "0", "-p", "1000", "-f", hosts)
	var summary strings.Builder
	c.Stderr = &summary
	if err := c.Start(); err != nil {
		b.Skip(err)
	}
	defer time.AfterFunc(peersFor, func() { c.Process.Signal(syscall.SIGINT) }).Stop()
	c.Wait() // its status says that it was interrupted
	sent := 0
	for line := range strings.Lines(summary.String()) {
		_, after, _ := strings.Cut(line, "xmt/rcv/%loss = ")
		n, _, _ := strings.Cut(after, "/")
		i, _ := strconv.Atoi(n)
		sent += i
	}
	if sent == 0 {
		b.Fatalf("fping sent nothing: %s", &summary)
	}
	return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds() / float64(sent)
}

// blackbox has the exporter probe some hosts once a second, as a Prometheus would, and returns the CPU time of a probe.
func blackbox(b *testing.B) float64 {
	b.Helper()
	config := filepath.Join(b.TempDir(), "blackbox.yml")
	write(b, config, "modules: {icmp: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4}}}\n")
	stop := start(b, "prometheus-blackbox-exporter", "--config.file="+config, "--web.listen-address="+blackboxAt, "--log.level=error")
	defer stop()
	conn := dial(b, blackboxAt)
	defer conn.Close()
	from, probes := conn.metrics(b)["process_cpu_seconds_total"], 0
	for began := time.Now(); time.Since(began) < peersFor; time.Sleep(time.Until(began.Add(time.Duration(probes/exported) * time.Second))) {
		for i := range exported {
			body := conn.get(b, fmt.Sprintf("/probe?module=icmp&target=127.1.%d.%d", i/250, 1+i%250))
			if !strings.Contains(body, "probe_success 1\n") {
				b.Fatalf("the exporter does not reach a host of loopback:\n%s", body)
			}
			probes++
		}
	}
	return (conn.metrics(b)["process_cpu_seconds_total"] - from) / float64(probes)
}

// start starts a server, and returns what ends it.
func start(b *testing.B, name string, args ...string) (stop func()) {
	b.Helper()
	c := exec.Command(name, args...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.TempDir()}
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var stderr strings.Builder
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		b.Skip(err)
	}
	return func() {
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
		if b.Failed() {
			b.Log(stderr.String())
		}
	}
}

// conn is a connection to a server in the network of the benchmark, whose thread alone can make one.
type conn struct {
	net.Conn
	r *bufio.Reader
}

// dial connects once somebody listens.
func dial(b *testing.B, address string) conn {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), upWithin)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn{c, bufio.NewReader(c)}
		}
		if ctx.Err() != nil {
			b.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c conn) get(b *testing.B, path string) string {
	b.Helper()
	if err := c.SetDeadline(time.Now().Add(upWithin)); err != nil {
		b.Fatal(err)
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path)
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s %v", path, res.Status, err)
	}
	return string(body)
}

// metrics are the values of a server's metrics, by name and labels.
func (c conn) metrics(b *testing.B) map[string]float64 {
	b.Helper()
	values := map[string]float64{}
	for line := range strings.Lines(c.get(b, "/metrics")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = v
		}
	}
	return values
}

// list is a line for each of so many addresses of loopback.
func list(n int, line func(int, netip.Addr) string) string {
	var b strings.Builder
	addr := netip.MustParseAddr("127.1.0.0")
	for i := range n {
		b.WriteString(line(i, addr) + "\n")
		addr = addr.Next()
	}
	return b.String()
}

func write(b *testing.B, path, text string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// muster builds the program.
func muster(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "muster")
	c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/muster")
	c.Dir = "../.."
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return program
}

// loopback moves the benchmark into a network of its own, which is gone with its goroutine.
func loopback(b *testing.B) {
	b.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the benchmark
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		b.Skipf("a network namespace is not allowed: %v", err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}
