package probe_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// listen serves a network on loopback until stop, which waits for all connections to end.
func listen(t testing.TB, network string, serve server) (port int, stop func()) {
	t.Helper()
	if network == "udp" {
		return listenUDP(t, serve)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				serve("tcp", conn)
			})
		}
	})
	return l.Addr().(*net.TCPAddr).Port, func() {
		l.Close()
		all.Wait()
	}
}

// listenUDP serves one datagram after the other.
func listenUDP(t testing.TB, serve server) (port int, stop func()) {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: loopback.AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		b := make([]byte, 4096)
		for {
			n, from, err := socket.ReadFrom(b)
			if err != nil {
				return
			}
			serve("udp", &datagram{socket: socket, from: from, text: b[:n]})
		}
	})
	return socket.LocalAddr().(*net.UDPAddr).Port, func() {
		socket.Close()
		all.Wait()
	}
}

// datagram is the conversation that one datagram begins. It ends behind the first read.
type datagram struct {
	net.Conn // none: for the methods that nobody calls
	socket   net.PacketConn
	from     net.Addr
	text     []byte
}

func (d *datagram) Read(b []byte) (int, error) {
	n := copy(b, d.text)
	if d.text = nil; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (d *datagram) Write(b []byte) (int, error) { return d.socket.WriteTo(b, d.from) }

func (d *datagram) Close() error { return nil }

// closed is a port on which nobody listens.
func closed(t testing.TB) int {
	port, stop := listen(t, "tcp", mute)
	stop()
	return port
}

func (s subject) network() string {
	if s.kind == "dns" {
		return "udp"
	}
	return "tcp"
}

// It does not run beside others: it counts what this process holds.
func TestNoGoroutineAndNoSocketIsLeftBehind(t *testing.T) {
	for _, s := range subjects {
		t.Run(s.kind, func(t *testing.T) {
			p := prober(t, s.kind, s.options(t, nil))
			up, stopUp := listen(t, s.network(), s.up)
			silent, stopSilent := listen(t, s.network(), mute)
			nobody := closed(t)
			before, sockets := runtime.NumGoroutine(), descriptors(t)
			for range 20 {
				asked(t, p, up, time.Minute, "")
				asked(t, p, nobody, time.Minute, "refused")
				if s.mute != "" {
					asked(t, p, silent, 20*time.Millisecond, s.mute)
				}
			}
			stopUp()
			stopSilent()
			if after, left := runtime.NumGoroutine(), descriptors(t); after > before || left > sockets {
				t.Errorf("%d goroutines and %d descriptors, before %d and %d", after, left, before, sockets)
			}
		})
	}
}

// asked probes a port of loopback, as it is and cancelled in the middle, and demands a code; empty is up.
func asked(t *testing.T, p probe.Prober, port int, timeout time.Duration, code string) {
	t.Helper()
	o := p.Probe(t.Context(), probe.Target{Addr: loopback, Port: port, Timeout: timeout})
	if check(t, o.Probe, o); !o.Up && o.Failure.Code != code || o.Up && code != "" {
		t.Fatalf("port %d: %+v (%v), want %q", port, o, o.Failure, code)
	}
	if (o.RTT > 0) != (o.Up || code == "refused" || o.Probe != "dns") {
		t.Errorf("RTT %s of %s", o.RTT, o.Probe)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	check(t, o.Probe, p.Probe(ctx, probe.Target{Addr: loopback, Port: port, Timeout: timeout}))
}

// descriptors counts the open files of this process; 0 where the system does not tell.
func descriptors(t *testing.T) int {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return len(open)
}

func TestNoPortIsKeptForAMinute(t *testing.T) {
	port, stop := listen(t, "tcp", sshServer("SSH-2.0-x", nil))
	quiet, stopQuiet := listen(t, "tcp", mute)
	others := waiting(t, port) + waiting(t, quiet) // whose own port had the same number before
	asked(t, prober(t, "ssh", probe.Options{}), port, time.Minute, "")
	asked(t, prober(t, "ssh", probe.Options{}), quiet, 20*time.Millisecond, "mute")
	asked(t, prober(t, "tcp", probe.Options{}), quiet, time.Minute, "")
	to := netip.AddrPortFrom(loopback, uint16(port))
	for _, wait := range []time.Duration{0, time.Minute} {
		if got, _, err := probe.Port(t.Context(), to, probe.PortOptions{Banner: wait}); err != nil || got.State != muster.PortOpen {
			t.Errorf("%+v: %v", got, err)
		}
	}
	stop()
	stopQuiet()
	if left := waiting(t, port) + waiting(t, quiet) - others; left > 0 {
		t.Errorf("%d connections are in TIME_WAIT", left)
	}
}

// waiting counts the connections to a port of loopback in TIME_WAIT.
func waiting(t *testing.T, port int) int {
	f, err := os.Open("/proc/self/net/tcp")
	if err != nil {
		t.Skip("this system does not list its connections")
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		word := strings.Fields(lines.Text()) // sl, local, remote, state
		suffix := ":" + strings.ToUpper(strconv.FormatInt(int64(port), 16))
		if word[3] == "06" && (strings.HasSuffix(word[1], suffix) || strings.HasSuffix(word[2], suffix)) {
			n++
		}
	}
	return n
}

func TestAConnectionThatOnlyMeetsItselfIsARefusal(t *testing.T) {
	t.Parallel()
	itself := func(ctx context.Context, network, to string) (net.Conn, error) {
		own, err := net.ResolveTCPAddr(network, to)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{LocalAddr: own}).DialContext(ctx, network, to)
	}
	to := netip.AddrPortFrom(loopback, uint16(closed(t)))
	if got, _, err := probe.Port(t.Context(), to, probe.PortOptions{Dial: itself}); err != nil || got.State != muster.PortClosed {
		t.Errorf("%+v: %v", got, err)
	}
}

func TestThousandsOfPortsAtOnceAreExact(t *testing.T) {
	t.Parallel()
	open, stop := listen(t, "tcp", say("220 x\r\n"))
	defer stop()
	nobody := closed(t)
	var all sync.WaitGroup
	for i := range 2000 {
		port, state := nobody, muster.PortClosed
		if i%5 == 0 {
			port, state = open, muster.PortOpen
		}
		all.Go(func() {
			got, rtt, err := probe.Port(t.Context(), netip.AddrPortFrom(loopback, uint16(port)), probe.PortOptions{Timeout: time.Minute, Banner: time.Minute})
			if err != nil || got.State != state || rtt <= 0 || (got.Banner == "220 x") != (state == muster.PortOpen) {
				t.Errorf("port %d: %+v, %v", port, got, err)
			}
		})
	}
	all.Wait()
}
