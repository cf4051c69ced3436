package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/musternet/muster/ping"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subnet counts who is asked, and how many at once. Those of answers are up and answer after their time; the rest are silent.
type subnet struct {
	answers map[string]time.Duration

	mu         sync.Mutex
	asked      map[netip.Addr]int
	busy, peak int
}

func (s *subnet) begin(addr netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = map[netip.Addr]int{}
	}
	s.asked[addr]++
	s.busy++
	s.peak = max(s.peak, s.busy)
}

func (s *subnet) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
}

func (s *subnet) once(ctx context.Context, addr netip.Addr, timeout time.Duration) (ping.Reply, error) {
	s.begin(addr)
	defer s.end()
	rtt, up := s.answers[addr.String()]
	if !up {
		rtt = timeout
	}
	select {
	case <-ctx.Done():
		return ping.Reply{}, context.Cause(ctx)
	case <-time.After(rtt):
	}
	if !up {
		return ping.Reply{}, fmt.Errorf("ping %s: %w", addr, ping.ErrNoReply)
	}
	return ping.Reply{Addr: addr, RTT: rtt}, nil
}

var network = netip.MustParsePrefix("192.0.2.0/24")

func TestASubnetIsScannedFiftyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &subnet{answers: map[string]time.Duration{"192.0.2.7": time.Second, "192.0.2.9": time.Millisecond, "192.0.2.254": time.Millisecond}}
		begin := time.Now()
		var out strings.Builder
		if err := run(t.Context(), &out, network, s.once); err != nil {
			t.Fatal(err)
		}
		if want := "192.0.2.9: UP\n192.0.2.7: UP\n192.0.2.254: UP\nFound 3 hosts up in 192.0.2.0/24\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
		first, last := s.asked[netip.MustParseAddr("192.0.2.1")], s.asked[netip.MustParseAddr("192.0.2.254")]
		if len(s.asked) != 254 || first != 1 || last != 1 || s.peak != 50 {
			t.Errorf("%d were asked, .1 %d times and .254 %d times, %d at once", len(s.asked), first, last, s.peak)
		}
		if took := time.Since(begin); took < 8*time.Second || took > 12*time.Second { // 251 silent ones of 2 s, 50 at once
			t.Errorf("took %v", took)
		}
	})
}

func TestAHostThatCannotBeAskedIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied := func(context.Context, netip.Addr, time.Duration) (ping.Reply, error) {
			return ping.Reply{}, &ping.SendError{Err: errors.New("denied")}
		}
		var out strings.Builder
		if err := run(t.Context(), &out, netip.MustParsePrefix("192.0.2.6/30"), denied); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"192.0.2.5: FAILED - send echo request: denied\n", "192.0.2.6: FAILED - send echo request: denied\n"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("got %q, want %q", out.String(), want)
			}
		}
		if !strings.HasSuffix(out.String(), "Found 0 hosts up in 192.0.2.4/30\n") {
			t.Errorf("got %q", out.String())
		}
	})
}

func TestWhatIsKnownWhenInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := &subnet{answers: map[string]time.Duration{"192.0.2.3": time.Millisecond}}
		var out strings.Builder
		err := run(ctx, &out, network, s.once)
		if want := "192.0.2.3: UP\nFound 1 hosts up in 192.0.2.0/24\n"; !errors.Is(err, context.DeadlineExceeded) || out.String() != want {
			t.Errorf("got %v and %q, want %q", err, out.String(), want)
		}
	})
}

func TestLoopbackIsUp(t *testing.T) {
	t.Parallel()
	if _, err := ping.Once(t.Context(), netip.MustParseAddr("127.0.0.1"), 0); err != nil {
		t.Skipf("this machine lets nobody ping: %v", err)
	}
	var out strings.Builder
	if err := run(t.Context(), &out, netip.MustParsePrefix("127.9.9.0/28"), ping.Once); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "Found 14 hosts up in 127.9.9.0/28\n") {
		t.Errorf("got %q", out.String())
	}
}

func TestFirstAndLastAddressAreNoHosts(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"192.0.2.9/30":       "192.0.2.9 192.0.2.10",
		"255.255.255.252/30": "255.255.255.253 255.255.255.254",
		"192.0.2.0/31":       "",
		"192.0.2.0/32":       "",
		"2001:db8::/126":     "2001:db8::1 2001:db8::2",
	} {
		var got []string
		for addr := range hosts(netip.MustParsePrefix(prefix)) {
			got = append(got, addr.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", prefix, got, want)
		}
	}
}
