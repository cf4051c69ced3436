package ping_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster/ping"
)

// sweepEnv makes the test binary the sweep, so that its CPU time is measured as that of the peers is.
const sweepEnv = "MUSTER_BENCH_SWEEP"

const hosts = 65536

func TestMain(m *testing.M) {
	if os.Getenv(sweepEnv) != "" {
		sweep()
		return
	}
	if hosts, err := strconv.Atoi(os.Getenv(steadyEnv)); err == nil {
		steady(hosts)
		return
	}
	os.Exit(m.Run())
}

// sweep prints how many hosts of 127.1.0.0/16 are up.
func sweep() {
	targets := func(yield func(netip.Addr) bool) {
		for addr, n := netip.MustParseAddr("127.1.0.0"), 0; n < hosts && yield(addr); n++ {
			addr = addr.Next()
		}
	}
	up := 0
	for _, err := range ping.Sweep(context.Background(), targets, ping.Config{Rate: ping.Unlimited}) {
		if err == nil {
			up++
		}
	}
	fmt.Println(up)
}

// BenchmarkSweepOfLoopback sweeps 65,536 loopback addresses by muster and by plain C in turns, in processes of their own,
// and reports the CPU and wall time of each and the ratio of the CPU.
func BenchmarkSweepOfLoopback(b *testing.B) {
	plain := compile(b)
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	var cpu, wall [2]time.Duration
	for b.Loop() {
		for i, program := range []string{self, plain} {
			c, w := run(b, program)
			cpu[i], wall[i] = cpu[i]+c, wall[i]+w
		}
	}
	for i, name := range []string{"muster", "C"} {
		b.ReportMetric(float64(cpu[i].Milliseconds())/float64(b.N), name+"-cpu-ms")
		b.ReportMetric(float64(wall[i].Milliseconds())/float64(b.N), name+"-wall-ms")
	}
	b.ReportMetric(float64(cpu[0])/float64(cpu[1]), "cpu-ratio")
}

// compile makes the peer.
func compile(b *testing.B) string {
	b.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		b.Skip("the peer needs gcc")
	}
	program := filepath.Join(b.TempDir(), "sweep")
	if out, err := exec.Command("gcc", "-O2", "-o", program, "testdata/sweep.c").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return program
}

// run runs one sweep, which has to find every host.
func run(b *testing.B, program string) (cpu, wall time.Duration) {
	b.Helper()
	c := exec.Command(program)
	c.Env = append(os.Environ(), sweepEnv+"=1")
	began := time.Now()
	out, err := c.CombinedOutput()
	wall = time.Since(began)
	if err != nil {
		b.Skipf("%s: %v: %s", filepath.Base(program), err, out)
	}
	if got := strings.TrimSpace(string(out)); got != fmt.Sprint(hosts) {
		b.Fatalf("%s found %s of %d", filepath.Base(program), got, hosts)
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), wall
}

// BenchmarkFping sweeps the same addresses by fping, at its highest rate.
func BenchmarkFping(b *testing.B) {
	command, err := exec.LookPath("fping")
	if err != nil {
		b.Skip("fping is not installed")
	}
	var cpu, wall time.Duration
	found := 0
	for b.Loop() {
		c := exec.Command(command, "-a", "-q", "-i", "0", "-r", "1", "-g", "127.1.0.0", "127.1.255.255")
		began := time.Now()
		out, _ := c.Output() // its status says that not all were found, which is what is counted
		wall += time.Since(began)
		cpu += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		found += strings.Count(string(out), "\n")
	}
	b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms")
	b.ReportMetric(float64(wall.Milliseconds())/float64(b.N), "wall-ms")
	b.ReportMetric(float64(found)/float64(b.N), "found")
}
