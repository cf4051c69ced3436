package app

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestANameIsAskedForOnlyWhereThereMayBeOne(t *testing.T) {
	t.Parallel()
	asked := 0
	n := &names{lookup: func(context.Context, string) ([]string, error) {
		asked++
		return []string{"r1.example.net.", "other.example.net."}, nil
	}}
	for addr, want := range map[string]string{"198.18.0.1": "r1.example.net", "2001:db8::1": "r1.example.net", "127.0.0.1": "", "::1": "", "fe80::1%eth0": ""} {
		if got := n.of(t.Context(), netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %q, want %q", addr, got, want)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}

func TestANameServiceThatIsSilentIsNotAskedForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, began, silent := newNames(), time.Now(), true
		n.lookup = func(ctx context.Context, _ string) ([]string, error) {
			if !silent {
				return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		addr := netip.MustParseAddr("198.18.0.1")
		ask := func(times int) {
			for range times {
				n.of(t.Context(), addr)
			}
		}
		ask(silentMost - 1)
		silent = false
		ask(1) // an answer, so that silence counts from the beginning
		silent = true
		ask(silentMost - 1)
		if n.givenUp() {
			t.Error("given up too early")
		}
		ask(1000)
		if took, want := time.Since(began), (2*silentMost-1)*lookupTime; !n.givenUp() || took != want {
			t.Errorf("given up: %v, after %s; want %s", n.givenUp(), took, want)
		}
	})
}
