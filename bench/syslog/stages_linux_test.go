package syslog_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/store/logfile"
	"github.com/musternet/muster/syslog"
)

const (
	stageCount = 300_000
	stageRate  = 100_000 // over UDP
)

// stages are what a message goes through, each with all those before it. Each is made ready, and then takes a load.
var stages = []struct {
	name  string
	ready func(*testing.B) func(load) (messages int)
}{
	{"receive", receiveOnly},
	{"parse", parseOnly},
	{"rules", func(b *testing.B) func(load) int { return watch(b, nil) }},
	{"line", func(b *testing.B) func(load) int { return watch(b, nowhere{}) }},
	{"append", appendToo},
}

// BenchmarkStages reports the CPU time of a message up to each stage, in this process.
func BenchmarkStages(b *testing.B) {
	for _, tcp := range []bool{false, true} {
		for _, form := range []string{"plain", "Cisco", "noise"} {
			l := load{TCP: tcp, Address: fmt.Sprintf("127.0.0.1:%d", port), Form: form, Count: stageCount}
			name := "TCP" + form
			if !tcp {
				name, l.Rate = "UDP"+form, stageRate
			}
			b.Run(name, func(b *testing.B) {
				loopback(b)
				measureStages(b, l)
			})
		}
	}
}

func measureStages(b *testing.B, l load) {
	all := figures{}
	for b.Loop() {
		for _, s := range stages {
			if l.TCP && s.name == "receive" {
				continue
			}
			take := s.ready(b)
			before := ownCPU(b)
			n := take(l)
			all.add(s.name, float64(ownCPU(b)-before)/float64(l.Count))
			all.add(s.name+"-lost", float64(l.Count-n))
		}
	}
	for _, s := range stages {
		if len(all[s.name]) > 0 {
			b.ReportMetric(all.median(s.name), s.name+"-cpu-ns/message")
			b.ReportMetric(all.median(s.name+"-lost"), s.name+"-lost")
		}
	}
	b.ReportMetric(0, "ns/op") // says nothing of its own
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// quiet is how long nothing has to come until all has come.
const quiet = 500 * time.Millisecond

// receiveOnly takes datagrams from the kernel, as many at a time as the product does and as often, and looks at none.
func receiveOnly(b *testing.B) func(load) int {
	return func(l load) int {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		defer unix.Close(fd)
		if err := errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, syslog.DefaultBuffer),
			unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: quiet.Microseconds()}),
			unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}),
		); err != nil {
			b.Fatal(err)
		}
		received := make(chan int)
		go func() { received <- receiveAll(fd) }()
		l.send(b)
		return <-received
	}
}

// receiveAll receives until nothing comes any more.
func receiveAll(fd int) (messages int) {
	const slots, room = 128, 2048
	var headers [slots]struct {
		hdr unix.Msghdr
		n   uint32
	}
	var iovecs [slots]unix.Iovec
	data := make([]byte, slots*room)
	for i := range headers {
		iovecs[i].Base = &data[i*room]
		iovecs[i].SetLen(room)
		headers[i].hdr.Iov = &iovecs[i]
		headers[i].hdr.SetIovlen(1)
	}
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&headers[0])), slots, unix.MSG_WAITFORONE, 0, 0)
		if errno == unix.EAGAIN && messages > 0 {
			return messages
		}
		if errno != 0 {
			continue
		}
		messages += int(n)
		if n >= 4 && n < slots {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func parseOnly(b *testing.B) func(load) int {
	return func(l load) (messages int) {
		listen(b, l, func(ctx context.Context, listener *syslog.Listener) {
			for _, err := range listener.Messages(ctx) {
				if err != nil {
					b.Error(err)
				}
				messages++
			}
		})
		return messages
	}
}

// watch has messages go by 1,000 rules and the noise, and their lines into an archive.
func watch(b *testing.B, a logwatch.Archive) func(load) int {
	c := logwatch.Config{Outlook: logwatch.Outlook{Noise: logwatch.Noise()}, Archive: a, Events: nobody{}}
	for _, text := range ruleTexts() {
		c.Rules = append(c.Rules, logwatch.Rule{Name: text, Match: regexp.QuoteMeta(text)})
	}
	w, err := logwatch.New(c)
	if err != nil {
		b.Fatal(err)
	}
	return func(l load) int {
		listen(b, l, func(ctx context.Context, listener *syslog.Listener) {
			if err := w.Run(ctx, listener.Messages(ctx)); err != nil {
				b.Error(err)
			}
		})
		if c := w.Counts(); c.Hits+c.Noise == 0 {
			b.Error("neither a rule nor noise was about a message")
		}
		return int(w.Counts().Taken)
	}
}

func appendToo(b *testing.B) func(load) int {
	dir := filepath.Join(b.TempDir(), "archive")
	a, err := logfile.Open(dir, logfile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	take := watch(b, a)
	return func(l load) int {
		ctx, cancel := context.WithCancel(b.Context())
		ran := make(chan error, 1)
		go func() { ran <- a.Run(ctx) }()
		messages := take(l)
		err := a.Flush(ctx)
		cancel()
		if err := errors.Join(err, <-ran, a.Close()); err != nil {
			b.Fatal(err)
		}
		if c := a.Counts(); int(c.Durable) != messages {
			b.Errorf("%d lines are durable, want %d", c.Durable, messages)
		}
		return messages
	}
}

// listen has take take what the load is, until nothing comes any more.
func listen(b *testing.B, l load, take func(context.Context, *syslog.Listener)) {
	b.Helper()
	var c syslog.Config
	if l.TCP {
		c.TCP = []string{l.Address}
	} else {
		c.UDP = []string{l.Address}
	}
	listener, err := syslog.Listen(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		take(ctx, listener)
	}()
	l.send(b)
	for last, c := uint64(0), listener.Counts(); c.Received+c.Dropped < uint64(l.Count) && c.Received+c.Dropped != last; c = listener.Counts() {
		last = c.Received + c.Dropped
		time.Sleep(quiet)
	}
	cancel()
	<-taken
}

// nowhere is an archive that keeps nothing.
type nowhere struct{}

func (nowhere) Append(context.Context, []byte, time.Time) error { return nil }

// nobody hears of events.
type nobody struct{}

func (nobody) PublishAll(context.Context, []muster.Event) error { return nil }
