package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network has sw1 on the default port and r1 on port 830; sw2 refuses and sw3 swallows every packet.
func network(ctx context.Context, _, address string) (net.Conn, error) {
	switch address {
	case "sw1:22", "r1:830":
		near, _ := net.Pipe()
		return near, nil
	case "sw2:22":
		return nil, syscall.ECONNREFUSED
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestHostsAreCheckedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var out strings.Builder
		if err := run(t.Context(), &out, []string{"sw3", "sw1", "sw2", "sw3", "r1:830"}, network); err != nil {
			t.Fatal(err)
		}
		if want := "sw3: DOWN\nsw1: UP\nsw2: DOWN\nsw3: DOWN\nr1:830: UP\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("took %v, want the two seconds of one silent host", took)
		}
	})
}

func TestCancelledChecksSayNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var out strings.Builder
		err := run(ctx, &out, []string{"sw3", "sw3"}, network)
		if !errors.Is(err, context.DeadlineExceeded) || out.Len() > 0 {
			t.Errorf("got %v and %q", err, out.String())
		}
	})
}
