package main

import (
	"context"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network asks three hosts once a second; silent tells who does not answer in which second.
func network(silent func(host string, second int) bool) monitor.Pinger {
	return func(ctx context.Context, _ *ping.Plan, _ ping.Config) iter.Seq2[ping.Probe, error] {
		return func(yield func(ping.Probe, error) bool) {
			for second := 0; ; second++ {
				for _, host := range []string{"198.51.100.1", "198.51.100.2", "198.51.100.3"} {
					probe, err := ping.Probe{Key: host, Addr: netip.MustParseAddr(host), Sent: time.Now(), RTT: time.Millisecond}, error(nil)
					if silent(host, second) {
						probe.RTT, err = 0, ping.ErrNoReply
					}
					if !yield(probe, err) {
						return
					}
					select {
					case <-time.After(time.Second / 4):
					case <-ctx.Done():
						yield(ping.Probe{}, context.Cause(ctx))
						return
					}
				}
				time.Sleep(time.Second / 4)
			}
		}
	}
}

// watched is what is printed within half a minute.
func watched(t *testing.T, silent func(host string, second int) bool) string {
	var out strings.Builder
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := run(ctx, &out, []string{"198.51.100.1", "198.51.100.2", "198.51.100.3"}, network(silent)); err != nil {
			t.Error(err)
		}
	})
	return out.String()
}

const allUp = "198.51.100.1: UP\n198.51.100.2: UP\n198.51.100.3: UP\n"

func TestWhatChangesIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		silent func(host string, second int) bool
		want   string
	}{
		"nothing": {func(string, int) bool { return false }, allUp},
		"a host dies and comes back": {func(host string, second int) bool {
			return host == "198.51.100.2" && second >= 10 && second < 20
		}, allUp + "198.51.100.2: DOWN\n198.51.100.2: UP\n"},
		"a host was never there":                   {func(host string, _ int) bool { return host == "198.51.100.1" }, "198.51.100.2: UP\n198.51.100.3: UP\n198.51.100.1: DOWN\n"},
		"two packets of a host are lost":           {func(host string, second int) bool { return host == "198.51.100.2" && second/2 == 5 }, allUp},
		"all are silent, so it is our own network": {func(_ string, second int) bool { return second >= 10 }, allUp + "this machine: DOWN\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := watched(t, c.silent); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnUnknownNameEndsIt(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := run(t.Context(), &out, []string{"127.0.0.1", "sw1.onion"}, network(func(string, int) bool { return false }))
	if err == nil || !strings.Contains(err.Error(), "sw1.onion") || out.Len() > 0 {
		t.Errorf("got %v and %q", err, out.String())
	}
}

// lines ends a watch when so many were printed.
type lines struct {
	strings.Builder
	left int
	end  func()
}

func (l *lines) Write(p []byte) (int, error) {
	if l.left--; l.left == 0 {
		l.end()
	}
	return l.Builder.Write(p)
}

func TestLoopbackIsUp(t *testing.T) {
	t.Parallel()
	if _, err := ping.Once(t.Context(), netip.MustParseAddr("127.0.0.1"), 0); err != nil {
		t.Skipf("this machine lets nobody ping: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out := &lines{left: 2, end: cancel}
	if err := run(ctx, out, []string{"127.0.0.1", "127.0.0.2"}, ping.Steady); err != nil {
		t.Fatal(err)
	}
	got := strings.SplitAfter(out.String(), "\n")
	slices.Sort(got)
	if want := "127.0.0.1: UP\n127.0.0.2: UP\n"; strings.Join(got, "") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
