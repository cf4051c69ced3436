// Package backup_test measures the main job beside a bare x/crypto/ssh shell client, as ratios in one run. The
// fleet is simulated in a process of its own, so that what is counted is the client's alone.
package backup_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/app"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// fleetVar tells the test binary to be the fleet: devices,latency,inventory file.
const fleetVar = "MUSTER_BENCH_FLEET"

func TestMain(m *testing.M) {
	if spec := os.Getenv(fleetVar); spec != "" {
		if err := serve(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve is the fleet's process; it ends with its standard input.
func serve(spec string) error {
	var n int
	var latency time.Duration
	parts := strings.SplitN(spec, ",", 3)
	n, _ = strconv.Atoi(parts[0])
	latency, _ = time.ParseDuration(parts[1])
	return task.Scope(context.Background(), "fleet", func(ctx context.Context, g *task.Group) error {
		fleet, err := sim.Start(ctx, g, sim.Config{
			Devices: n, Latency: latency, ConfigBytes: 30 << 10, Platforms: []string{"cisco_ios"}, Seed: 1,
		})
		if err != nil {
			return err
		}
		defer fleet.Close()
		f, err := os.OpenFile(parts[2], os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if err := fleet.WriteInventory(f, "csv"); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		fmt.Println("ready")
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				return err
			}
			fmt.Println("changed", len(fleet.Change(n)))
		}
		return nil
	})
}

// device is a row of the fleet's inventory.
type device struct{ name, addr, user, password, enable string }

// fleet is the running process of a fleet.
type fleet struct {
	list    string
	devices []device
	in      io.Writer
	out     *bufio.Reader
}

// change gives n devices a new revision.
func (f *fleet) change(b *testing.B, n int) {
	b.Helper()
	if _, err := fmt.Fprintln(f.in, n); err != nil {
		b.Fatal(err)
	}
	if line, err := f.out.ReadString('\n'); err != nil || line != fmt.Sprintln("changed", n) {
		b.Fatalf("change %d devices: %q %v", n, line, err)
	}
}

func startFleet(b *testing.B, n int, latency time.Duration) *fleet {
	b.Helper()
	list := filepath.Join(b.TempDir(), "list.csv")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d,%v,%s", fleetVar, n, latency, list))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	f := &fleet{list: list, in: in, out: bufio.NewReader(out)}
	if line, err := f.out.ReadString('\n'); err != nil || line != "ready\n" {
		b.Fatalf("the fleet did not start: %q %v", line, err)
	}
	f.devices = readList(b, list)
	return f
}

func readList(b *testing.B, list string) []device {
	b.Helper()
	f, err := os.Open(list)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	col := map[string]int{}
	for i, name := range rows[0] {
		col[name] = i
	}
	var devs []device
	for _, r := range rows[1:] {
		devs = append(devs, device{
			name: r[col["name"]], addr: r[col["address"]] + ":" + r[col["port"]],
			user: r[col["username"]], password: r[col["password"]], enable: r[col["enable"]],
		})
	}
	return devs
}

// cpu is what this process and the children it waited for have used.
func cpu() time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}

// spent runs f and returns the CPU and the wall time it took.
func spent(b *testing.B, f func() error) (used, wall time.Duration) {
	b.Helper()
	c, w := cpu(), time.Now()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return cpu() - c, time.Since(w)
}

// commands are what a backup of the platform cisco_ios says once it is privileged.
var commands = []string{"terminal length 0", "terminal width 0", "show running-config", "show version"}

// bare is the shell client that anybody would write: it reads until the prompt ends what came.
func bare(ctx context.Context, d device) (int, error) {
	client, err := ssh.Dial("tcp", d.addr, &ssh.ClientConfig{
		User: d.user, Auth: []ssh.AuthMethod{ssh.Password(d.password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		return 0, err
	}
	defer client.Close()
	s, err := client.NewSession()
	if err != nil {
		return 0, err
	}
	defer s.Close()
	in, err := s.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := s.RequestPty("vt100", 24, 511, ssh.TerminalModes{}); err != nil {
		return 0, err
	}
	if err := s.Shell(); err != nil {
		return 0, err
	}
	buf := make([]byte, 32<<10)
	n, err := until(out, buf, ">", "#")
	if err != nil {
		return 0, err
	}
	steps := commands
	if d.enable != "" {
		steps = append([]string{"enable", d.enable}, steps...)
	}
	for _, c := range steps {
		if _, err := io.WriteString(in, c+"\n"); err != nil {
			return 0, err
		}
		if n, err = until(out, buf, "#", ": "); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// until reads until a short last line ends with one of the marks.
func until(r io.Reader, buf []byte, marks ...string) (int, error) {
	total, last := 0, ""
	for {
		n, err := r.Read(buf)
		total += n
		last += string(buf[:n])
		if i := strings.LastIndexByte(last, '\n'); i >= 0 {
			last = last[i+1:]
		}
		for _, m := range marks {
			if len(last) < 60 && strings.HasSuffix(last, m) {
				return total, nil
			}
		}
		if err != nil {
			return total, err
		}
	}
}

// all runs one client on all devices, limit at once.
func all(devs []device, limit int, one func(context.Context, device) (int, error)) func() error {
	return func() error {
		_, err := task.Gather(context.Background(), devs, one, task.Limit(limit))
		return err
	}
}

// whole is the whole job: sessions, git and SQL, into a new data directory.
func whole(b *testing.B, f *fleet, limit int) func() error {
	dir := b.TempDir()
	return func() error {
		ctx := context.Background()
		a, err := app.Open(ctx, app.Options{
			DataDir: dir, Inventory: []string{f.list}, Getenv: func(string) string { return "" },
		})
		if err != nil {
			return err
		}
		defer a.Close()
		sel, err := a.Select(ctx, nil)
		if err != nil {
			return err
		}
		var sum app.Summary
		o := app.RunOptions{Limit: limit, Retries: -1}
		defer app.Frugal(o, len(sel.Devices))() // as the program does
		for r, err := range a.Backup(ctx, sel.Devices, o, &sum) {
			if err != nil {
				return err
			}
			if r.Failure != nil {
				return r.Failure
			}
		}
		return nil
	}
}

// BenchmarkMemory tells the resident memory of a concurrent session: 1,000 at once with configurations of 30 KB. It is
// the first here, because a process keeps its peak.
func BenchmarkMemory(b *testing.B) {
	const n = 1000
	f := startFleet(b, n, 200*time.Millisecond)
	before := peakRSS(b)
	for b.Loop() {
		if err := whole(b, f, n)(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(peakRSS(b)-before)/n, "KB/session")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCPU compares the CPU of a device, in turns, so that a machine that slows down slows both: the bare client with the
// same commands; the whole job where every text is new; and where 5 % have changed since.
func BenchmarkCPU(b *testing.B) {
	const n, limit, rounds = 1000, 50, 3
	f := startFleet(b, n, 0)
	var bareUsed, newUsed, laterUsed time.Duration
	for b.Loop() {
		for range rounds {
			job := whole(b, f, limit)
			used, _ := spent(b, all(f.devices, limit, bare))
			bareUsed += used
			used, _ = spent(b, job)
			newUsed += used
			f.change(b, n/20)
			used, _ = spent(b, job)
			laterUsed += used
		}
	}
	b.ReportMetric(bareUsed.Seconds()*1000/float64(rounds*n*b.N), "bare-ms/device")
	b.ReportMetric(newUsed.Seconds()/bareUsed.Seconds(), "all-new/bare")
	b.ReportMetric(laterUsed.Seconds()/bareUsed.Seconds(), "5%-changed/bare")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWall compares the time of 1,000 devices whose every command takes 200 ms, all at once: where every text is new,
// and where 5 % have changed since.
func BenchmarkWall(b *testing.B) {
	const n = 1000
	f := startFleet(b, n, 200*time.Millisecond)
	var bareWall, newWall, laterWall time.Duration
	for b.Loop() {
		job := whole(b, f, n)
		_, w := spent(b, all(f.devices, n, bare))
		bareWall += w
		_, w = spent(b, job)
		newWall += w
		f.change(b, n/20)
		_, w = spent(b, job)
		laterWall += w
	}
	b.ReportMetric(bareWall.Seconds()/float64(b.N), "bare-s")
	b.ReportMetric(newWall.Seconds()/bareWall.Seconds(), "all-new/bare")
	b.ReportMetric(laterWall.Seconds()/bareWall.Seconds(), "5%-changed/bare")
	b.ReportMetric(0, "ns/op")
}

// peakRSS is the most memory this process ever had, in KiB.
func peakRSS(b *testing.B) int {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc here")
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			n, _ := strconv.Atoi(f[1])
			return n
		}
	}
	return 0
}

// BenchmarkTutorial is the tutorial's fleet: 50 devices of 2 s each.
func BenchmarkTutorial(b *testing.B) {
	f := startFleet(b, 50, 400*time.Millisecond) // login, enable and four commands
	for b.Loop() {
		_, w := spent(b, whole(b, f, 0))
		b.ReportMetric(w.Seconds(), "s/50-devices")
	}
	b.ReportMetric(0, "ns/op")
}
