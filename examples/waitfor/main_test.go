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

// back is a device whose port 22 refuses, or swallows every packet, until it is back after some time.
func back(after time.Duration, silent bool) dialer {
	begin := time.Now()
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		if address != "sw1:22" {
			return nil, errors.New("unknown host")
		}
		if time.Since(begin) >= after {
			near, _ := net.Pipe()
			return near, nil
		}
		if !silent {
			return nil, syscall.ECONNREFUSED
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
}

func TestTenSecondsAndNoLonger(t *testing.T) {
	for _, c := range []struct {
		name     string
		after    time.Duration
		silent   bool
		want     string
		min, max time.Duration
	}{
		{"a device that is there", 0, false, "sw1: UP\n", 0, 0},
		{"a device that comes back in time", 5 * time.Second, false, "sw1: UP\n", 5 * time.Second, 6 * time.Second},
		{"a device that comes back too late", 12 * time.Second, false, "sw1: timed out after 10s\n", 10 * time.Second, 10 * time.Second},
		{"a device that is silent", time.Hour, true, "sw1: timed out after 10s\n", 10 * time.Second, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var out strings.Builder
				if err := run(t.Context(), &out, "sw1", back(c.after, c.silent)); err != nil {
					t.Fatal(err)
				}
				if out.String() != c.want {
					t.Errorf("got %q, want %q", out.String(), c.want)
				}
				if took := time.Since(begin); took < c.min || took > c.max {
					t.Errorf("took %v, want %v to %v", took, c.min, c.max)
				}
			})
		})
	}
}

func TestCancellingIsNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		time.AfterFunc(time.Second, func() { cancel(errors.New("interrupt")) })
		var out strings.Builder
		err := run(ctx, &out, "sw1", back(time.Hour, false))
		if !errors.Is(err, context.Canceled) || out.Len() > 0 {
			t.Errorf("got %v and %q", err, out.String())
		}
	})
}
