package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
)

// addr is the address of every target that is reached by a Dial of the test: nothing is sent to it.
var addr = netip.MustParseAddr("198.18.0.1")

// server serves one connection, which is closed when it returns.
type server func(network string, conn net.Conn)

// wire connects a probe with a server in memory, after a while.
func wire(after time.Duration, serve server) probe.Dial {
	return afterwards(after, func(_ context.Context, network, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			serve(network, theirs)
		}()
		return ours, nil
	})
}

// pause waits, for ctx at most.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// silence never connects.
func silence(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// refuse ends every connect with a number of the kernel.
func refuse(errno syscall.Errno) probe.Dial {
	return func(_ context.Context, network, _ string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", errno)}
	}
}

// afterwards delays a Dial.
func afterwards(d time.Duration, dial probe.Dial) probe.Dial {
	return func(ctx context.Context, network, to string) (net.Conn, error) {
		if err := pause(ctx, d); err != nil {
			return nil, err
		}
		return dial(ctx, network, to)
	}
}

// mute takes what comes and says nothing.
func mute(_ string, conn net.Conn) { drain(conn) }

// drain reads until the other side hangs up.
func drain(conn net.Conn) {
	b := make([]byte, 4096)
	for {
		if _, err := conn.Read(b); err != nil {
			return
		}
	}
}

// say makes a server that says text by itself.
func say(text string) server {
	return func(_ string, conn net.Conn) {
		if _, err := conn.Write([]byte(text)); err == nil {
			drain(conn)
		}
	}
}

// lingering makes a server slow: it starts after a while.
func lingering(d time.Duration, serve server) server {
	return func(network string, conn net.Conn) {
		time.Sleep(d)
		serve(network, conn)
	}
}

// prober makes a Prober or ends the test.
func prober(t testing.TB, kind string, o probe.Options) probe.Prober {
	t.Helper()
	p, err := probe.New(kind, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// inBubble runs one probe on a clock of its own; what is left behind by it is a deadlock.
func inBubble(t *testing.T, kind string, o probe.Options, target probe.Target, cut func(context.Context) (context.Context, context.CancelFunc)) (got muster.Outcome, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := cut(t.Context())
		defer cancel()
		began := time.Now()
		got = prober(t, kind, o).Probe(ctx, target)
		took = time.Since(began)
		time.Sleep(time.Minute) // for slow servers to end
	})
	check(t, kind, got)
	return got, took
}

// whole is the context of a probe that nobody cuts short.
func whole(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }

var errEnough = errors.New("enough")

// cutAfter is that of one that is cancelled after a while.
func cutAfter(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(ctx)
		if d == 0 {
			cancel(errEnough)
		} else {
			time.AfterFunc(d, func() { cancel(errEnough) })
		}
		return ctx, func() { cancel(nil) }
	}
}

// check demands what holds of every Outcome.
func check(t *testing.T, kind string, o muster.Outcome) {
	t.Helper()
	if o.Probe != kind || o.Up != (o.Failure == nil) || o.RTT < 0 {
		t.Fatalf("an outcome of %s that contradicts itself: %+v", kind, o)
	}
	if o.Up {
		return
	}
	f := o.Failure
	code, ok := muster.LookupCode(f.Code)
	if !ok || !slices.Contains(code.Stages, f.Stage) {
		t.Errorf("code %q does not occur in stage %q by the table of codes: %v", f.Code, f.Stage, f)
	}
	if f.Err == nil || f.Err.Error() == "" || f.Try() == "" || f.Attempts != 1 {
		t.Errorf("a failure that says too little: %+v", f)
	}
}

// want demands a failure.
func want(t *testing.T, o muster.Outcome, stage muster.Stage, code string) {
	t.Helper()
	if o.Up || o.Failure.Stage != stage || o.Failure.Code != code {
		t.Fatalf("got %+v (%v), want %s in stage %s", o, o.Failure, code, stage)
	}
}
