// Package scan_test measures the whole process `muster scan` beside a sweep in plain C (bench/ping), fping and nmap, which
// ask the same addresses once each, in turns, in networks that the benchmark made. It needs Linux and root.
package scan_test

import (
	"bytes"
	"context"
	"fmt"
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

const sixteen = 65536

// scene is a network to be swept.
type scene struct {
	first string // of its addresses
	bits  int
	alive int
	make  func(b *testing.B, s scene)
	peers []string
}

func (s scene) targets() int { return 1 << (32 - s.bits) }

func (s scene) last() netip.Addr {
	a := netip.MustParseAddr(s.first).As4()
	n := uint32(a[0])<<24 + uint32(a[1])<<16 + uint32(a[2])<<8 + uint32(a[3]) + uint32(s.targets()) - 1
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// scenes are the networks. nmap sends nothing to addresses of its own machine, so that it has no part on loopback.
var scenes = map[string]scene{
	"65536OnLoopback":  {"127.1.0.0", 16, sixteen, loopback, []string{"muster", "table", "C", "fping"}},
	"65536OverAWire":   {"198.18.0.0", 16, sixteen, wire, []string{"muster", "C", "fping", "nmap"}},
	"65536Silent":      {"198.18.0.0", 16, 0, wire, []string{"muster", "C", "fping", "nmap"}},
	"256OfWhich25Live": {"198.18.0.0", 24, 25, wire, []string{"muster", "C", "fping", "nmap"}},
}

// BenchmarkScan reports the CPU and wall time of each and how many it found, and what muster takes in comparison.
func BenchmarkScan(b *testing.B) {
	for _, name := range []string{"65536OnLoopback", "65536OverAWire", "65536Silent", "256OfWhich25Live"} {
		b.Run(name, func(b *testing.B) { scenes[name].measure(b) })
	}
}

func (s scene) measure(b *testing.B) {
	commands := s.commands(b)
	s.make(b, s)
	var total [4]cost
	for b.Loop() {
		for i, peer := range s.peers {
			c := run(b, commands[peer])
			total[i].cpu, total[i].wall = total[i].cpu+c.cpu, total[i].wall+c.wall
			if total[i].found = c.found; peer == "muster" && c.found != s.alive {
				b.Fatalf("muster found %d of %d", c.found, s.alive)
			}
		}
	}
	for i, peer := range s.peers {
		b.ReportMetric(float64(total[i].cpu.Milliseconds())/float64(b.N), peer+"-cpu-ms")
		b.ReportMetric(float64(total[i].wall.Milliseconds())/float64(b.N), peer+"-wall-ms")
		b.ReportMetric(float64(total[i].found), peer+"-found")
		if i > 0 {
			b.ReportMetric(float64(total[0].cpu)/float64(total[i].cpu), "cpu/"+peer)
			b.ReportMetric(float64(total[0].wall)/float64(total[i].wall), "wall/"+peer)
		}
	}
	b.ReportMetric(0, "ns/op") // says nothing of its own
}

// commands are the programs that sweep the scene, each as fast as it can. Each asks every address once; all but nmap,
// which decides by itself, wait 2 s for the silent.
func (s scene) commands(b *testing.B) map[string][]string {
	program, prefix := muster(b), fmt.Sprintf("%s/%d", s.first, s.bits)
	first, last := s.first, s.last().String()
	if s.targets() == sixteen {
		first = netip.MustParseAddr(first).Next().String() // one less: fping ends with an error at its 65,536th request
	}
	scan := func(format string) []string {
		return []string{program, "scan", prefix, "-q", "--rate", "0", "--retries", "0", "-o", format}
	}
	return map[string][]string{
		"muster": scan("ndjson"),
		"table":  scan("table"), // muster's, which holds all hosts back to put them in order
		"C":      {plain(b, s.first), strconv.Itoa(s.targets())},
		"fping":  {"fping", "-a", "-q", "-i", "0", "-r", "0", "-t", "2000", "-g", first, last},
		"nmap":   {"nmap", "-n", "-sn", "-PE", "-T5", "--max-retries", "0", "--min-rate", "50000", "-oG", "-", prefix},
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

// plain compiles the sweep in C for addresses from first on.
func plain(b *testing.B, first string) string {
	b.Helper()
	text, err := os.ReadFile("../ping/testdata/sweep.c")
	if err != nil {
		b.Fatal(err)
	}
	const base = "0x7f010000"
	if strings.Count(string(text), base) != 1 {
		b.Fatalf("sweep.c does not name its first address %s once", base)
	}
	a := netip.MustParseAddr(first).As4()
	program := filepath.Join(b.TempDir(), "sweep")
	c := exec.Command("gcc", "-O2", "-x", "c", "-o", program, "-")
	c.Stdin = strings.NewReader(strings.Replace(string(text), base, fmt.Sprintf("0x%x", a[:]), 1))
	if out, err := c.CombinedOutput(); err != nil {
		b.Skipf("the peer needs gcc: %v\n%s", err, out)
	}
	return program
}

// cost is what a program took and found.
type cost struct {
	cpu, wall time.Duration
	found     int
}

// run runs one sweep.
func run(b *testing.B, words []string) cost {
	b.Helper()
	if _, err := exec.LookPath(words[0]); err != nil {
		b.Skipf("%s is not installed", words[0])
	}
	home := b.TempDir()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	c.Stdout, c.Stderr = &stdout, &stderr
	began := time.Now()
	err := c.Run()
	took := time.Since(began)
	if err != nil && words[0] != "fping" { // its status says that not all were found
		b.Fatalf("%s: %v\n%s", words[0], err, &stderr)
	}
	return cost{c.ProcessState.UserTime() + c.ProcessState.SystemTime(), took, count(stdout.String())}
}

// count reads how many were found: the number that the sweep in C prints, or a line for each host.
func count(stdout string) int {
	if n, err := strconv.Atoi(strings.TrimSpace(stdout)); err == nil {
		return n
	}
	if strings.Contains(stdout, "# Nmap") {
		return strings.Count(stdout, "Status: Up")
	}
	if _, rest, ok := strings.Cut(stdout, "\nFound "); ok {
		n, _, _ := strings.Cut(rest, " ")
		found, _ := strconv.Atoi(n)
		return found
	}
	return strings.Count(stdout, "\n")
}

// loopback moves the benchmark into a network of its own, which is gone with its goroutine.
func loopback(b *testing.B, _ scene) {
	b.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the benchmark
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		b.Skipf("a network namespace is not allowed: %v", err)
	}
	shell(b, "ip link set lo up\n")
}

// wire moves the benchmark into a network of its own, from which the scene is reached over a wire.
func wire(b *testing.B, s scene) {
	b.Helper()
	loopback(b, s)
	far := exec.Command("cat")
	far.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	stdin, err := far.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := far.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		far.Wait()
	})
	shell(b, fmt.Sprintf(`ip link add wire0 type veth peer name wire0 netns %d
ip addr add 198.19.0.1/30 dev wire0
ip link set wire0 up
nsenter -t %[1]d -n -- sh -e <<END
ip link set lo up
ip addr add 198.19.0.2/30 dev wire0
ip link set wire0 up
%s
END
ip route add 198.18.0.0/16 via 198.19.0.2
`, far.Process.Pid, s.answers()))
}

// answers makes the hosts of the scene, spread evenly; the rest is silent.
func (s scene) answers() string {
	if s.alive == s.targets() {
		return fmt.Sprintf("ip route add local %s/%d dev lo", s.first, s.bits)
	}
	var script strings.Builder
	fmt.Fprintf(&script, "ip route add blackhole %s/%d\n", s.first, s.bits)
	addr := netip.MustParseAddr(s.first)
	for i := range s.targets() {
		if s.alive > 0 && i%(s.targets()/s.alive) == 0 && i/(s.targets()/s.alive) < s.alive {
			fmt.Fprintf(&script, "ip route add local %s dev lo\n", addr)
		}
		addr = addr.Next()
	}
	return script.String()
}

func shell(b *testing.B, script string) {
	b.Helper()
	c := exec.Command("sh", "-e")
	c.Stdin = strings.NewReader(script)
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("set up the network: %v\n%s", err, out)
	}
}

// BenchmarkMemoryOfAMillion reports how much more memory a scan of 1,048,576 addresses of loopback needs, all of which
// answer, than one of 256.
func BenchmarkMemoryOfAMillion(b *testing.B) {
	program := muster(b)
	loopback(b, scene{})
	var few, many int // the most of each, over all rounds
	var took time.Duration
	for b.Loop() {
		f, _ := peak(b, program, "127.1.0.0/24")
		m, d := peak(b, program, "127.16.0.0/12")
		few, many, took = max(few, f), max(many, m), took+d
	}
	b.ReportMetric(float64(few)/1e6, "MB-of-256")
	b.ReportMetric(float64(many)/1e6, "MB-of-1048576")
	b.ReportMetric(float64(many-few)/1e6, "MB-growth")
	b.ReportMetric(took.Seconds()/float64(b.N), "s-of-1048576")
	b.ReportMetric(0, "ns/op")
}

// peak is the most memory of its own that a scan was seen to hold: pages of the program's file, of which the kernel maps
// now more and now fewer, are left out.
func peak(b *testing.B, program, prefix string) (bytesHeld int, took time.Duration) {
	b.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	var stderr bytes.Buffer
	c := exec.Command(program, "scan", prefix, "--rate", "0", "-o", "ndjson", "-q")
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.TempDir()}
	c.Stdout, c.Stderr = null, &stderr
	began := time.Now()
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- c.Wait() }()
	for {
		select {
		case err := <-over:
			if err != nil {
				b.Fatalf("%v\n%s", err, &stderr)
			}
			return bytesHeld, time.Since(began)
		case <-time.After(5 * time.Millisecond):
			bytesHeld = max(bytesHeld, held(c.Process.Pid))
		}
	}
}

// held reads how much memory of its own a process has.
func held(pid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kB, _ := strconv.Atoi(fields[0])
	return kB << 10
}
