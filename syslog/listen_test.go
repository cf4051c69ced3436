package syslog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/syslog"
	"github.com/musternet/muster/task"
)

// listen opens a listener that is closed with the test.
func listen(t *testing.T, c syslog.Config) *syslog.Listener {
	t.Helper()
	l, err := syslog.Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// take takes n messages, or fails after a time that is long for that. Errors among them fail the test.
func take(t *testing.T, l *syslog.Listener, n int) []syslog.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all []syslog.Message
	if n == 0 {
		return nil
	}
	for m, err := range l.Messages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m.Clone())
		if len(all) == n {
			break
		}
	}
	if len(all) != n {
		t.Fatalf("%d messages came, want %d", len(all), n)
	}
	return all
}

func dial(t *testing.T, network, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func send(t *testing.T, conn net.Conn, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

func raws(messages []syslog.Message) []string {
	var all []string
	for _, m := range messages {
		all = append(all, string(m.Raw))
	}
	return all
}

func TestADatagramIsAMessage(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l := listen(t, syslog.Config{UDP: []string{address}})
		at := l.Addrs()[0]
		if len(l.Addrs()) != 1 || at.Transport != syslog.UDP {
			t.Fatalf("it listens on %v", l.Addrs())
		}
		to := strings.Replace(at.String(), "[::]", "127.0.0.1", 1)
		conn := dial(t, "udp", to)
		before := time.Now()
		send(t, conn, "<189>one", "<13>two\nof two lines", strings.Repeat("x", 3000), strings.Repeat("y", 60_000))
		got := take(t, l, 4)
		want := []string{"<189>one", "<13>two\nof two lines", strings.Repeat("x", 3000), strings.Repeat("y", 60_000)}
		if !slices.Equal(raws(got), want) {
			t.Errorf("%s: got %.100q", address, raws(got))
		}
		for _, m := range got {
			if from := netip.MustParseAddrPort(conn.LocalAddr().String()); m.Source != from {
				t.Errorf("it came from %v, want %v", m.Source, from)
			}
			if d := m.Received.Sub(before); d < -time.Second || d > 20*time.Second || m.Transport != syslog.UDP || m.Truncated {
				t.Errorf("it came %v after it was sent, over %s, truncated: %v", d, m.Transport, m.Truncated)
			}
		}
		if c := l.Counts(); c.Received != 4 || c.Dropped != 0 || c.Bytes != uint64(len(strings.Join(want, ""))) {
			t.Errorf("the counts are %+v", c)
		}
	}
}

func TestADatagramThatIsTooLongIsCut(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{100, 5000} {
		l := listen(t, syslog.Config{UDP: []string{"127.0.0.1:0"}, MaxMessage: limit})
		long := strings.Repeat("0123456789", limit/10+1)
		send(t, dial(t, "udp", l.Addrs()[0].String()), long[:limit], long)
		got := take(t, l, 2)
		if !slices.Equal(raws(got), []string{long[:limit], long[:limit]}) || got[0].Truncated || !got[1].Truncated {
			t.Errorf("limit %d: got %d and %d bytes", limit, len(got[0].Raw), len(got[1].Raw))
		}
		if c := l.Counts(); c.Truncated != 1 {
			t.Errorf("the counts are %+v", c)
		}
	}
}

// What nobody takes is dropped by the kernel, and what it says of that is exact.
func TestEveryDropIsCounted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the kernel's drops are known on Linux alone")
	}
	l := listen(t, syslog.Config{UDP: []string{"127.0.0.1:0"}, Buffer: 20_000, Sockets: 1})
	conn := dial(t, "udp", l.Addrs()[0].String())
	const sent = 2000
	for i := range sent {
		send(t, conn, "<13>"+strconv.Itoa(i))
	}
	dropped := l.Counts().Dropped
	if dropped == 0 || dropped == sent {
		t.Fatalf("%d of %d were dropped: nothing is shown", dropped, sent)
	}
	got := take(t, l, sent-int(dropped))
	seen := map[string]bool{}
	for _, m := range got {
		seen[string(m.Raw)] = true
	}
	if c := l.Counts(); len(seen) != len(got) || c.Received+c.Dropped != sent {
		t.Errorf("%d different messages of %d came; the counts are %+v", len(seen), len(got), c)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if c := l.Counts(); c.Dropped != dropped {
		t.Errorf("after it was closed it knows of %d drops, want %d", c.Dropped, dropped)
	}
}

func TestAnAddressThatIsTakenIsRefused(t *testing.T) {
	t.Parallel()
	l := listen(t, syslog.Config{UDP: []string{"127.0.0.1:0"}, Sockets: 2})
	at := l.Addrs()[0].String()
	for _, sockets := range []int{1, 2} {
		_, err := syslog.Listen(t.Context(), syslog.Config{UDP: []string{at}, Sockets: sockets})
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "listen on udp "+at) {
			t.Errorf("%d sockets: %v", sockets, err)
		}
	}
	if _, err := syslog.Listen(t.Context(), syslog.Config{}); err == nil {
		t.Error("it listens nowhere")
	}
	if _, err := syslog.Listen(t.Context(), syslog.Config{TLS: []string{"127.0.0.1:0"}}); err == nil {
		t.Error("it does TLS without a certificate")
	}
}

func TestConnectionsAreReadEachInItsOwnFraming(t *testing.T) {
	t.Parallel()
	l := listen(t, syslog.Config{TCP: []string{"127.0.0.1:0"}})
	for _, text := range []string{"<13>one\n<13>two\n", "7 <13>one7 <13>two", "<13>one\x00<13>two", "7 <13>one<13>two\r\n"} {
		conn := dial(t, "tcp", l.Addrs()[0].String())
		send(t, conn, text)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got := take(t, l, 2)
		if !slices.Equal([]string{string(got[0].Text), string(got[1].Text)}, []string{"one", "two"}) {
			t.Errorf("%q is read as %q", text, raws(got))
		}
		if got[0].Source.String() != conn.LocalAddr().String() || got[0].Transport != syslog.TCP {
			t.Errorf("it came from %v over %s", got[0].Source, got[0].Transport)
		}
	}
}

func TestAThousandConnectionsLoseNothing(t *testing.T) {
	t.Parallel()
	const conns, each = 1000, 50
	l := listen(t, syslog.Config{TCP: []string{"127.0.0.1:0"}, Queue: 100_000}) // senders have to wait
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	err := task.Scope(ctx, "test", func(ctx context.Context, g *task.Group) error {
		for c := range conns {
			g.Go("sender", func(ctx context.Context) error {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addrs()[0].String())
				if err != nil {
					return err
				}
				defer conn.Close()
				var b []byte
				for i := range each {
					message := fmt.Sprintf("<13>%d %d", c, i)
					if c%2 == 0 {
						b = fmt.Appendf(b, "%d %s", len(message), message)
					} else {
						b = append(append(b, message...), '\n')
					}
				}
				_, err = conn.Write(b)
				return err
			})
		}
		next := map[string]int{}
		n := 0
		for m, err := range l.Messages(ctx) {
			if err != nil {
				return err
			}
			who, number, _ := strings.Cut(strings.TrimPrefix(string(m.Raw), "<13>"), " ")
			if number != strconv.Itoa(next[who]) {
				return fmt.Errorf("of %s came %s, want %d", who, number, next[who])
			}
			next[who]++
			if n++; n == conns*each {
				break
			}
		}
		if n != conns*each {
			return fmt.Errorf("%d messages came", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTooManyConnectionsAreRefused(t *testing.T) {
	t.Parallel()
	l := listen(t, syslog.Config{TCP: []string{"127.0.0.1:0"}, MaxConns: 2})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 2 {
		send(t, dial(t, "tcp", l.Addrs()[0].String()), "<13>hello\n")
	}
	heard := 0
	var third net.Conn
	for m, err := range l.Messages(ctx) {
		if err != nil {
			if !strings.Contains(err.Error(), "more than 2 connections: "+third.LocalAddr().String()+" was refused") {
				t.Error(err)
			}
			break
		}
		if string(m.Text) != "hello" {
			t.Errorf("heard %q", m.Raw)
		}
		if heard++; heard == 2 {
			third = dial(t, "tcp", l.Addrs()[0].String())
		}
	}
	if c := l.Counts(); c.Refused != 1 {
		t.Errorf("the counts are %+v", c)
	}
}

// When its context ends the loop still yields what has reached this machine, the beginning of a line too.
func TestTheEndOfTheContextLosesNothing(t *testing.T) {
	t.Parallel()
	l := listen(t, syslog.Config{UDP: []string{"127.0.0.1:0"}, TCP: []string{"127.0.0.1:0"}})
	addrs := l.Addrs()
	udp, tcp := dial(t, "udp", addrs[0].String()), dial(t, "tcp", addrs[1].String())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	send(t, udp, "<13>first")
	send(t, tcp, "<13>begin\n")
	seen := map[string]bool{}
	for m, err := range l.Messages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		seen[string(m.Text)] = true
		if len(seen) == 2 {
			for i := range 1000 {
				send(t, udp, "<13>u"+strconv.Itoa(i))
			}
			send(t, tcp, strings.Repeat("<13>line\n", 1000)+"<13>the last")
			cancel()
		}
	}
	if c := l.Counts(); c.Received+c.Dropped != 3+1000+1000 || !seen["the last"] {
		t.Errorf("the counts are %+v; the last was seen: %v", c, seen["the last"])
	}
}

func TestOnlyOneLoopTakesTheMessages(t *testing.T) {
	t.Parallel()
	l := listen(t, syslog.Config{UDP: []string{"127.0.0.1:0"}})
	send(t, dial(t, "udp", l.Addrs()[0].String()), "<13>one", "<13>two")
	for range l.Messages(t.Context()) {
		for _, err := range l.Messages(t.Context()) {
			if err == nil {
				t.Error("a second loop takes messages")
			}
		}
		break
	}
	if got := take(t, l, 1); string(got[0].Text) != "two" || l.Counts().Received != 2 {
		t.Errorf("after a break came %q", got[0].Raw)
	}
}

func TestAUnixSocketIsHeard(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no datagram sockets in the file system")
	}
	dir, err := os.MkdirTemp("", "sl") // a path may have 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "log")
	c := syslog.Config{Unix: []string{path}}
	left, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	left.Close() // and the file stays
	l := listen(t, c)
	send(t, dial(t, "unixgram", path), "<13>one", strings.Repeat("x", 50_000))
	got := take(t, l, 2)
	if string(got[0].Text) != "one" || len(got[1].Raw) != 50_000 || got[0].Source.IsValid() || got[0].Transport != syslog.Unix {
		t.Errorf("got %q from %v over %s", got[0].Raw, got[0].Source, got[0].Transport)
	}
	if _, err := syslog.Listen(t.Context(), c); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second one listens: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := syslog.Listen(t.Context(), syslog.Config{Unix: []string{file}}); err == nil {
		t.Error("it listens in the place of a file")
	}
	if data, _ := os.ReadFile(file); !bytes.Equal(data, []byte("precious")) {
		t.Error("it has replaced a file")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
