//go:build e2e && linux

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// space is a network namespace that a test made. Nothing sent in it leaves it, whatever the address, but by the wires
// that the test lays.
type space struct{ *node }

// newSpace makes one with nothing but loopback. Further lines of a shell script furnish it.
func newSpace(t *testing.T, script string) space {
	t.Helper()
	w := space{&node{nodeSpec: nodeSpec{name: "space"}, dir: t.TempDir()}}
	t.Cleanup(w.stop)
	err := errors.Join(w.start("space", "wait"), w.wired(), w.ready(upWithin))
	if err != nil {
		t.Fatal(err)
	}
	w.shell(t, script)
	return w
}

// shell runs a script in the network of the space.
func (w space) shell(t *testing.T, script string) {
	t.Helper()
	cmd := w.enter(exec.Command("sh", "-e"))
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("furnish a network: %v: %s\n%s", err, out, script)
	}
}

// enter puts a command that is not started yet into the network of the space. It stays one process: what is signalled
// and accounted for is the command.
func (w space) enter(cmd *exec.Cmd) *exec.Cmd {
	path, err := exec.LookPath("nsenter")
	if err != nil {
		cmd.Err = err
		return cmd
	}
	cmd.Args = append([]string{"nsenter", "-t", w.pid(), "-n", "--", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = path
	return cmd
}

// inside calls f in a thread that is in the network of the space: what it opens stays there. The thread comes back: were it to
// end, the kernel would end every process that it has started (Pdeathsig).
func (w space) inside(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		ns, err := os.Open("/proc/" + w.pid() + "/ns/net")
		if err == nil {
			defer ns.Close()
			if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err == nil {
				err = f()
			}
		}
		if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
			done <- errors.Join(err, back)
			return // with the thread
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// twoSpaces are a scanner and the networks that it is to scan, 198.18.0.0/16 behind one wire. The script furnishes the
// far end.
func twoSpaces(t *testing.T, far string) (near, there space) {
	t.Helper()
	there = newSpace(t, "")
	near = newSpace(t, fmt.Sprintf(`
ip link add wire0 type veth peer name wire0 netns %s
ip addr add 198.19.0.1/30 dev wire0
ip link set wire0 up
`, there.pid()))
	there.shell(t, "ip addr add 198.19.0.2/30 dev wire0\nip link set wire0 up\n"+far)
	near.shell(t, "ip route add 198.18.0.0/16 via 198.19.0.2\n")
	return near, there
}

// answering is a network of which these addresses answer and the others are silent.
func answering(network string, addresses []netip.Addr) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ip route add blackhole %s\nip -batch - <<END\n", network)
	for _, addr := range addresses {
		fmt.Fprintf(&b, "route add local %s dev lo\n", addr)
	}
	b.WriteString("END\n")
	return b.String()
}

// addresses are n addresses from first on, every so manyth.
func addresses(first string, n, every int) []netip.Addr {
	var all []netip.Addr
	addr := netip.MustParseAddr(first)
	for i := range n * every {
		if i%every == 0 {
			all = append(all, addr)
		}
		addr = addr.Next()
	}
	return all
}

// cost is what a program took.
type cost struct{ cpu, wall time.Duration }

func (c cost) String() string {
	return fmt.Sprintf("%d ms CPU, %d ms", c.cpu.Milliseconds(), c.wall.Milliseconds())
}

// run runs a command in the network of the space to its end, whatever its exit code.
func (w space) run(t *testing.T, cmd *exec.Cmd) (answer, cost) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd = w.enter(cmd)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	p := cmd.ProcessState
	return answer{stdout.String(), stderr.String(), p.ExitCode()}, cost{p.UserTime() + p.SystemTime(), took}
}

// peer runs a program that muster is compared with and logs what it found, which is never a reason to fail.
func (w space) peer(t *testing.T, find func(stdout string) []netip.Addr, name string, args ...string) []netip.Addr {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed: apt-get install $(cat e2e/packages.txt)", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, c := w.run(t, exec.CommandContext(ctx, name, args...))
	all := find(a.stdout)
	complaint, _, _ := strings.Cut(strings.TrimSpace(a.stderr), "\n")
	t.Logf("%-6s found %d, %v, exit %d %s", name, len(all), c, a.code, complaint)
	return all
}

// fping sweeps from first to last as fast as it can, each asked tries times.
func (w space) fping(t *testing.T, first, last string, timeout time.Duration, tries int) []netip.Addr {
	t.Helper()
	return w.peer(t, eachLine, "fping", "-a", "-q", "-i", "0", "-r", fmt.Sprint(tries-1), "-B", "1",
		"-t", fmt.Sprint(timeout.Milliseconds()), "-g", first, last)
}

// nmap sweeps a prefix by ping alone.
func (w space) nmap(t *testing.T, prefix string, tries int) []netip.Addr {
	t.Helper()
	return w.peer(t, nmapHosts("Status: Up"), "nmap", "-n", "-sn", "-PE", "-T5", "--max-retries", fmt.Sprint(tries-1), "-oG", "-", prefix)
}

// eachLine reads addresses that stand alone on their lines.
func eachLine(stdout string) []netip.Addr {
	var all []netip.Addr
	for line := range strings.Lines(stdout) {
		if addr, err := netip.ParseAddr(strings.TrimSpace(line)); err == nil {
			all = append(all, addr)
		}
	}
	return all
}

// nmapHosts reads, of nmap's greppable output, the addresses of the lines that have the word.
func nmapHosts(word string) func(string) []netip.Addr {
	return func(stdout string) []netip.Addr {
		var all []netip.Addr
		for line := range strings.Lines(stdout) {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[0] != "Host:" || !strings.Contains(line, word) {
				continue
			}
			if addr, err := netip.ParseAddr(fields[1]); err == nil {
				all = append(all, addr)
			}
		}
		slices.SortFunc(all, netip.Addr.Compare)
		return all
	}
}
