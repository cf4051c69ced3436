// Package session_test measures a session against a bare x/crypto/ssh client and against scrapligo, which do the same
// five commands on the same device in the same run.
package session_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scrapli/scrapligo/driver/generic"
	"github.com/scrapli/scrapligo/driver/options"
	"github.com/scrapli/scrapligo/transport"
	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/session"
)

// client does the five commands, calls rest before it closes, and returns the bytes of text it got.
type client func(ctx context.Context, addr string, key ssh.PublicKey, rest func(text []string)) (int, error)

// bare is what anybody would write: dial, shell, read until the prompt stands at the end.
func bare(_ context.Context, addr string, key ssh.PublicKey, rest func([]string)) (int, error) {
	c, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "admin", Auth: []ssh.AuthMethod{ssh.Password(password)},
		HostKeyCallback: ssh.FixedHostKey(key), Timeout: 10 * time.Second})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		return 0, err
	}
	in, _ := s.StdinPipe()
	out, _ := s.StdoutPipe()
	if err := s.RequestPty("vt100", 24, 511, ssh.TerminalModes{}); err != nil {
		return 0, err
	}
	if err := s.Shell(); err != nil {
		return 0, err
	}
	total := 0
	var texts []string
	buf := make([]byte, 32<<10)
	read := func() error {
		var got []byte
		for !bytes.HasSuffix(got, []byte("\nsw1#")) {
			n, err := out.Read(buf)
			if got = append(got, buf[:n]...); err != nil {
				return err
			}
		}
		text := strings.ReplaceAll(string(got), "\r\n", "\n")
		texts = append(texts, text)
		total += len(text)
		return nil
	}
	if err := read(); err != nil {
		return 0, err
	}
	for _, cmd := range commands {
		if _, err := io.WriteString(in, cmd+"\n"); err != nil {
			return 0, err
		}
		if err := read(); err != nil {
			return 0, err
		}
	}
	rest(texts)
	return total, nil
}

type fixed struct{ key ssh.PublicKey }

func (f fixed) Algorithms(string) []string { return []string{f.key.Type()} }

func (f fixed) Check(_ string, _ net.Addr, key ssh.PublicKey) error {
	if !bytes.Equal(key.Marshal(), f.key.Marshal()) {
		return fmt.Errorf("another key")
	}
	return nil
}

func ours(ctx context.Context, addr string, key ssh.PublicKey, rest func([]string)) (int, error) {
	total := 0
	var texts []string
	c := session.Config{HostKeys: fixed{key}, Shell: &session.Shell{}, Credentials: []session.Credential{{User: "admin",
		Password: func(context.Context) (string, error) { return password, nil }}}}
	err := session.With(ctx, addr, c, func(ctx context.Context, s *session.Session) error {
		for _, cmd := range commands {
			out, err := s.Run(ctx, cmd)
			if err != nil {
				return err
			}
			texts = append(texts, out.Text)
			total += len(out.Text)
		}
		rest(texts)
		return nil
	})
	return total, err
}

func scrapli(_ context.Context, addr string, _ ssh.PublicKey, _ func([]string)) (int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return 0, err
	}
	d, err := generic.NewDriver(host, options.WithPort(number), options.WithAuthUsername("admin"), options.WithAuthPassword(password),
		options.WithAuthNoStrictKey(), options.WithTransportType(transport.StandardTransport))
	if err != nil {
		return 0, err
	}
	if err := d.Open(); err != nil {
		return 0, err
	}
	defer d.Close()
	total := 0
	for _, cmd := range commands {
		r, err := d.SendCommand(cmd)
		if err != nil {
			return 0, err
		}
		total += len(r.Result)
	}
	return total, nil
}

// fleet runs n sessions, limit at once, and returns the CPU and the wall time of one and of all.
func fleet(tb testing.TB, f client, addr string, key ssh.PublicKey, n, limit int) (cpu, wall time.Duration) {
	tb.Helper()
	before, began := usage(), time.Now()
	var wg sync.WaitGroup
	slots := make(chan struct{}, limit)
	for range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if got, err := f(tb.Context(), addr, key, func([]string) {}); err != nil || got < 30_000 {
				tb.Errorf("got %d bytes, %v", got, err)
			}
		})
	}
	wg.Wait()
	return (usage() - before) / time.Duration(n), time.Since(began)
}

func usage() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCPU reports the CPU of one device with each client, 50 at once, and the ratios.
func BenchmarkCPU(b *testing.B) {
	addr, key := startServer(b, 0)
	for _, f := range []client{bare, ours} {
		fleet(b, f, addr, key, 50, 50)
	}
	var sum [2]time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		for i, f := range []client{bare, ours} {
			cpu, _ := fleet(b, f, addr, key, 200, 50)
			sum[i] += cpu
		}
	}
	for i, name := range []string{"bare", "muster"} {
		b.ReportMetric(float64((sum[i] / time.Duration(rounds)).Microseconds()), name+"-cpu-us/device")
	}
	b.ReportMetric(float64(sum[1])/float64(sum[0]), "muster/bare")
}

// BenchmarkScrapligo reports the CPU of one device that takes 200 ms for each command, 50 at once.
func BenchmarkScrapligo(b *testing.B) {
	addr, key := startServer(b, 200*time.Millisecond)
	for b.Loop() {
		mine, _ := fleet(b, ours, addr, key, 50, 50)
		theirs, _ := fleet(b, scrapli, addr, key, 50, 50)
		b.ReportMetric(float64(mine.Microseconds()), "muster-cpu-us/device")
		b.ReportMetric(float64(theirs.Microseconds()), "scrapligo-cpu-us/device")
		b.ReportMetric(float64(theirs)/float64(mine), "scrapligo/muster")
	}
}

// BenchmarkWall reports the wall time of 1,000 devices that take 200 ms for each command, all at once.
func BenchmarkWall(b *testing.B) {
	addr, key := startServer(b, 200*time.Millisecond)
	var sum [2]time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		for i, f := range []client{bare, ours} {
			_, wall := fleet(b, f, addr, key, 1000, 1000)
			sum[i] += wall
		}
	}
	b.ReportMetric(sum[0].Seconds()/float64(rounds), "bare-s")
	b.ReportMetric(sum[1].Seconds()/float64(rounds), "muster-s")
	b.ReportMetric(float64(sum[1])/float64(sum[0]), "muster/bare")
}

// BenchmarkFiftyDevicesOfTwoSeconds reports the wall time of the tutorial's fleet: one command of 2 s each.
func BenchmarkFiftyDevicesOfTwoSeconds(b *testing.B) {
	addr, key := startServer(b, 2*time.Second)
	one := func(ctx context.Context, addr string, key ssh.PublicKey, _ func([]string)) (int, error) {
		c := session.Config{HostKeys: fixed{key}, Shell: &session.Shell{}, Credentials: []session.Credential{{User: "admin",
			Password: func(context.Context) (string, error) { return password, nil }}}}
		total := 0
		err := session.With(ctx, addr, c, func(ctx context.Context, s *session.Session) error {
			out, err := s.Run(ctx, "show running-config")
			total = len(out.Text)
			return err
		})
		return total, err
	}
	for b.Loop() {
		_, wall := fleet(b, one, addr, key, 50, 50)
		b.ReportMetric(wall.Seconds(), "s")
	}
}

// BenchmarkMemory reports the memory of one of 1,000 sessions that have read a 30 KB configuration, hold its text and
// are still open: resident, and alive after a collection. Each client in its own sub-benchmark; run them one by one,
// for a process does not give memory back at once.
func BenchmarkMemory(b *testing.B) {
	for name, f := range map[string]client{"bare": bare, "muster": ours} {
		b.Run(name, func(b *testing.B) {
			addr, key := startServer(b, 0)
			for b.Loop() {
				memory(b, f, addr, key)
			}
		})
	}
}

func memory(b *testing.B, f client, addr string, key ssh.PublicKey) {
	const n = 1000
	runtime.GC()
	before := resident(b)
	hold := make(chan struct{})
	var ready, done sync.WaitGroup
	slots := make(chan struct{}, 50)
	for range n {
		ready.Add(1)
		done.Go(func() {
			slots <- struct{}{}
			_, err := f(b.Context(), addr, key, func(texts []string) {
				<-slots
				ready.Done()
				<-hold
				runtime.KeepAlive(texts)
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
	ready.Wait()
	b.ReportMetric(float64(resident(b)-before)/n/1024, "KB-RSS/session")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc+m.StackInuse)/n/1024, "KB-live/session")
	close(hold)
	done.Wait()
}

func resident(tb testing.TB) int {
	tb.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Skip("resident memory is read from /proc: ", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(data))[1])
	if err != nil {
		tb.Fatal(err)
	}
	return pages * os.Getpagesize()
}
