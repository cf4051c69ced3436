package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/musternet/muster/ping"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network has an answer of 192.0.2.1 alone, cannot send to 192.0.2.4, and is silent about all others.
func network(ctx context.Context, addr netip.Addr, timeout time.Duration) (ping.Reply, error) {
	switch addr.Unmap().String() {
	case "192.0.2.1":
		return ping.Reply{Addr: addr}, nil
	case "192.0.2.4":
		return ping.Reply{}, &ping.SendError{Err: syscall.EPERM}
	}
	select {
	case <-ctx.Done():
		return ping.Reply{}, context.Cause(ctx)
	case <-time.After(timeout):
		return ping.Reply{}, fmt.Errorf("ping %s: %w", addr, ping.ErrNoReply)
	}
}

func TestHostsAreCheckedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var out strings.Builder
		if err := run(t.Context(), &out, []string{"192.0.2.3", "192.0.2.1", "192.0.2.2", "2001:db8::1"}, network); err != nil {
			t.Fatal(err)
		}
		if want := "192.0.2.3: DOWN\n192.0.2.1: UP\n192.0.2.2: DOWN\n2001:db8::1: DOWN\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("took %v, want the two seconds of one silent host", took)
		}
	})
}

func TestAHostThatCannotBeAskedIsNotDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		err := run(t.Context(), &out, []string{"192.0.2.4", "192.0.2.1"}, network)
		if !errors.Is(err, syscall.EPERM) || strings.Count(err.Error(), syscall.EPERM.Error()) != 1 || out.Len() > 0 {
			t.Errorf("got %v and %q", err, out.String())
		}
	})
}

func TestLoopbackIsUp(t *testing.T) {
	t.Parallel()
	if _, err := ping.Once(t.Context(), netip.MustParseAddr("127.0.0.1"), 0); err != nil {
		t.Skipf("this machine lets nobody ping: %v", err)
	}
	var out strings.Builder
	if err := run(t.Context(), &out, []string{"127.0.0.1", "127.0.0.2"}, ping.Once); err != nil {
		t.Fatal(err)
	}
	if want := "127.0.0.1: UP\n127.0.0.2: UP\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestCancelledChecksSayNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var out strings.Builder
		err := run(ctx, &out, []string{"192.0.2.3", "192.0.2.2"}, network)
		if !errors.Is(err, context.DeadlineExceeded) || out.Len() > 0 {
			t.Errorf("got %v and %q", err, out.String())
		}
	})
}
