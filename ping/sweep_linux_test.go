package ping_test

import (
	"errors"
	"iter"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/musternet/muster/ping"
	"golang.org/x/sys/unix"
)

// needRaw skips where no raw socket is allowed.
func needRaw(t *testing.T) {
	t.Helper()
	for _, err := range ping.Sweep(t.Context(), none, ping.Config{Method: ping.MethodRaw}) {
		t.Skipf("a raw ICMP socket is needed: %v", err)
	}
}

func none(func(netip.Addr) bool) {}

// count yields n addresses from first on.
func count(first string, n int) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		addr := netip.MustParseAddr(first)
		for range n {
			if !yield(addr) {
				return
			}
			addr = addr.Next()
		}
	}
}

func list(addrs ...string) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for _, a := range addrs {
			if !yield(netip.MustParseAddr(a)) {
				return
			}
		}
	}
}

// sweep returns the hosts that are up and the errors of the others; an error of the sweep itself fails the test.
func sweep(t *testing.T, targets iter.Seq[netip.Addr], cfg ping.Config) (up map[netip.Addr]ping.Reply, silent map[netip.Addr]error) {
	t.Helper()
	up, silent = map[netip.Addr]ping.Reply{}, map[netip.Addr]error{}
	for r, err := range ping.Sweep(t.Context(), targets, cfg) {
		_, twiceUp := up[r.Addr]
		_, twiceSilent := silent[r.Addr]
		switch {
		case twiceUp || twiceSilent:
			t.Fatalf("%s was yielded twice", r.Addr)
		case err == nil:
			up[r.Addr] = r
		case !r.Addr.IsValid():
			t.Fatal(err)
		default:
			silent[r.Addr] = err
		}
	}
	return up, silent
}

func TestEveryAddressOfALoopbackNetworkIsFound(t *testing.T) {
	needRaw(t)
	var sum ping.Summary
	up, silent := sweep(t, count("127.1.0.0", 65536), ping.Config{Rate: ping.Unlimited, Summary: &sum})
	if len(up) != 65536 || len(silent) != 0 {
		t.Errorf("got %d up and %d silent, want 65536 and 0", len(up), len(silent))
	}
	if sum.Up != 65536 || sum.Targets != 65536 || sum.Foreign != 0 || sum.Duplicates != 0 || sum.SendErrors != 0 {
		t.Errorf("the summary does not add up: %+v", sum)
	}
	if sum.Buffer < ping.DefaultBuffer/2 && os.Getuid() == 0 {
		t.Errorf("root was granted a receive buffer of %d bytes", sum.Buffer)
	}
	t.Logf("%+v", sum)
}

func TestOnceAsksOneHost(t *testing.T) {
	needRaw(t)
	for _, host := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
		r, err := ping.Once(t.Context(), netip.MustParseAddr(host), time.Second)
		if err != nil {
			if host == "::1" && errors.As(err, new(*ping.SendError)) {
				t.Logf("no IPv6 here: %v", err)
				continue
			}
			t.Fatal(err)
		}
		if r.RTT <= 0 || r.RTT > time.Second || r.Try != 1 || r.Late {
			t.Errorf("%s: got %+v", host, r)
		}
	}
}

func TestTheRoundTripIsThatOfTheKernel(t *testing.T) {
	needRaw(t)
	const pause = 200 * time.Millisecond
	up := 0
	for r, err := range ping.Sweep(t.Context(), count("127.3.0.0", 200), ping.Config{Rate: ping.Unlimited, Tries: 1}) {
		if err != nil || r.RTT >= pause {
			t.Errorf("got %+v, %v", r, err)
		}
		if up++; up == 1 {
			time.Sleep(pause) // replies wait meanwhile
		}
	}
	if up != 200 {
		t.Errorf("%d are up", up)
	}
}

func TestNothingIsSentToABroadcastAddress(t *testing.T) {
	needRaw(t)
	_, silent := sweep(t, list("127.255.255.255"), ping.Config{Timeout: time.Millisecond})
	if err := silent[netip.MustParseAddr("127.255.255.255")]; !errors.Is(err, unix.EACCES) {
		t.Errorf("got %v", err)
	}
}

// On loopback a kernel with a full buffer also counts the requests that pass it, before it asks the filter. That the count
// is exact shows TestDropsAreExactlyTheShortfall, where only replies come in.
func TestABufferThatIsTooSmallLosesNothingUnnoticed(t *testing.T) {
	needRaw(t)
	var sum ping.Summary
	up, silent := sweep(t, count("127.2.0.0", 2048), ping.Config{
		Rate: ping.Unlimited, Tries: 8, Timeout: 20 * time.Millisecond, Buffer: 1, Summary: &sum,
	})
	t.Logf("%+v", sum)
	if sum.ReceiveDrops < sum.Sent-sum.Received || sum.Sent <= sum.Targets {
		t.Errorf("%d were lost of %d sent, %d were counted", sum.Sent-sum.Received, sum.Sent, sum.ReceiveDrops)
	}
	if len(up) != sum.Up || len(up)+len(silent) != 2048 {
		t.Errorf("yielded %d up and %d silent: %+v", len(up), len(silent), sum)
	}
}

func TestAMillionTargetsFitIntoSixteenMegabytes(t *testing.T) {
	needRaw(t)
	if testing.Short() || raceEnabled {
		t.Skip("a million requests are not short, and the memory of the race detector is not ours")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var sum ping.Summary
	for _, err := range ping.Sweep(t.Context(), count("127.16.0.0", 1<<20), ping.Config{Rate: ping.Unlimited, Summary: &sum}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	grown := int64(after.Sys) - int64(before.Sys)
	if sum.Up != 1<<20 || grown > 16<<20 {
		t.Errorf("found %d, took %d bytes more from the system", sum.Up, grown)
	}
	t.Logf("allocated %d bytes in all, %d more from the system, %+v", after.TotalAlloc-before.TotalAlloc, grown, sum)
}
