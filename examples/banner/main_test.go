package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// greets is a device on port 22 that sends a text; without one it never speaks.
func greets(t *testing.T, text string) dialer {
	return func(_ context.Context, _, address string) (net.Conn, error) {
		if address != "sw1:22" {
			return nil, syscall.ECONNREFUSED
		}
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		if text != "" {
			go fmt.Fprint(far, text)
		}
		return near, nil
	}
}

func TestBannerIsPrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out, "sw1", greets(t, "SSH-2.0-Cisco-1.25\r\n")); err != nil {
			t.Fatal(err)
		}
		if want := "sw1: \"SSH-2.0-Cisco-1.25\"\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}

func TestBannerIsReadUpTo4096Bytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		banner, err := fetch(t.Context(), "sw1:22", greets(t, strings.Repeat("x", 5000)))
		if err != nil || len(banner) != 4096 {
			t.Errorf("got %d bytes and %v, want 4096", len(banner), err)
		}
	})
}

func TestMuteDeviceIsGivenUpAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var out strings.Builder
		err := run(t.Context(), &out, "sw1", greets(t, ""))
		if err == nil || err.Error() != "sw1: timed out after 10s" || out.Len() > 0 {
			t.Errorf("got %v and %q", err, out.String())
		}
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestCancellingEndsTheRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := run(ctx, t.Output(), "sw1", greets(t, ""))
		if err == nil || err.Error() != "sw1: context deadline exceeded" {
			t.Errorf("got %v", err)
		}
	})
}

func TestRefusedIsTheError(t *testing.T) {
	if err := run(t.Context(), t.Output(), "sw2", greets(t, "")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
}
