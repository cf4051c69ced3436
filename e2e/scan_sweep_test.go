//go:build e2e && linux

package e2e

import (
	"context"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The pings of `muster scan`, in networks that a test made. fping and nmap sweep the same in the same run; what they find
// is logged for comparison. No test runs beside another here: they are about speed too.

const sixteen = 65536

func TestScanFindsEveryHostOfASlash16OnLoopback(t *testing.T) {
	w := newSpace(t, "")
	r := w.scan(t, newSite(t), "127.1.0.0/16", "--rate", "0")
	r.exactly(t, addresses("127.1.0.0", sixteen, 1))
	if r.sum.Targets != sixteen || r.sum.Received != sixteen || r.sum.ReceiveDrops+r.sum.SendErrors+r.sum.Duplicates != 0 {
		t.Errorf("%+v", r.sum)
	}
	for addr, h := range r.hosts {
		if want := int(addr.As4()[2])<<8 + int(addr.As4()[3]); *h.Index != want || h.RTT < 0 || h.RTT > 2e6 {
			t.Errorf("%s is no. %d with %d us, want no. %d", addr, *h.Index, h.RTT, want)
			break
		}
	}
	w.fping(t, "127.1.0.0", "127.1.255.255", time.Second, 2)
	w.nmap(t, "127.1.0.0/16", 2) // sends nothing: addresses of its own are up to it
}

func TestScanFindsEveryHostOfASlash16OverAWire(t *testing.T) {
	w, _ := twoSpaces(t, "ip route add local 198.18.0.0/16 dev lo\n")
	r := w.scan(t, newSite(t), "198.18.0.0/16", "--rate", "0")
	r.exactly(t, addresses("198.18.0.0", sixteen, 1))
	if r.sum.ReceiveDrops+r.sum.SendErrors+r.sum.Duplicates+r.sum.Late != 0 {
		t.Errorf("%+v", r.sum)
	}
	w.fping(t, "198.18.0.0", "198.18.255.255", time.Second, 2)
	w.nmap(t, "198.18.0.0/16", 2)
}

func TestScanWithSixPercentAliveFindsExactlyThese(t *testing.T) {
	alive := addresses("198.18.0.5", 3932, 16)
	w, _ := twoSpaces(t, answering("198.18.0.0/16", alive))
	r := w.scan(t, newSite(t), "198.18.0.0/16", "--rate", "0", "--timeout", "500ms")
	r.exactly(t, alive)
	if want := 2*sixteen - len(alive); r.sum.Sent != want || len(r.hosts) != len(alive) {
		t.Errorf("%d lines, %d requests, want %d, of which nobody who answered got a second one", len(r.hosts), r.sum.Sent, want)
	}
	w.fping(t, "198.18.0.0", "198.18.255.255", 500*time.Millisecond, 2)
}

// Of 100 packets in a row one is lost, each way. Counting them instead of throwing dice leaves the loss what it is, and
// makes sure of the bound: the third try asks some 26 hosts, of which at most one request and one reply are lost.
func TestScanWithLossEachWayMissesAtMostTwoByThreeTries(t *testing.T) {
	w, _ := twoSpaces(t, `ip route add local 198.18.0.0/16 dev lo
nft add table ip loss
nft add chain ip loss in '{ type filter hook prerouting priority 0; }'
nft add chain ip loss out '{ type filter hook output priority 0; }'
nft add rule ip loss in icmp type echo-request numgen inc mod 100 == 7 drop
nft add rule ip loss out icmp type echo-reply numgen inc mod 100 == 7 drop
`)
	r := w.scan(t, newSite(t), "198.18.0.0/16", "--rate", "0", "--timeout", "500ms", "--retries", "2")
	if missed := sixteen - len(r.up()); missed > 2 || r.sum.Targets-r.sum.Up != missed || r.code != 0 {
		t.Errorf("exit %d, %d missed, the summary says %+v", r.code, missed, r.sum)
	}
	if again := r.sum.Sent - sixteen; again < 1200 || again > 1500 {
		t.Errorf("%d requests were repeated, want 1,304 of the first round and some 26 of the second", again)
	}
	w.fping(t, "198.18.0.0", "198.18.255.255", 500*time.Millisecond, 3)
}

func TestScanFindsWhoAnswersLateWithTheTrueRoundTrip(t *testing.T) {
	const hosts, delay = 2048, 1500 * time.Millisecond
	var mu sync.Mutex
	truth := map[netip.Addr]time.Duration{} // of the first request
	w, _ := respond(t, func(r *responder, request []byte) {
		addr := netip.AddrFrom4([4]byte(request[16:20]))
		if addr.As4()[3]%5 != 0 {
			r.reply(request)
			return
		}
		asked := time.Now()
		r.after(delay, func() {
			mu.Lock()
			if truth[addr] == 0 {
				truth[addr] = time.Since(asked)
			}
			mu.Unlock()
			r.reply(request)
		})
	})
	r := w.scan(t, newSite(t), "198.18.0.0/21", "--rate", "0", "--timeout", "1s")
	r.exactly(t, addresses("198.18.0.0", hosts, 1))
	var off []time.Duration
	late := 0
	mu.Lock()
	defer mu.Unlock()
	for addr, h := range r.hosts {
		if slow := addr.As4()[3]%5 == 0; slow != h.Late {
			t.Errorf("%+v", h)
		}
		if !h.Late {
			continue
		}
		late++
		d := (time.Duration(h.RTT)*time.Microsecond - truth[addr]).Abs()
		off = append(off, d)
		if d > 100*time.Millisecond {
			t.Errorf("%s has a round trip of %d us, answered after %v", addr, h.RTT, truth[addr])
		}
	}
	slices.Sort(off)
	if late == 0 || r.sum.Late != late {
		t.Fatalf("%d are late, the summary says %d", late, r.sum.Late)
	}
	t.Logf("round trips of the %d late are off by %v at the median, %v at most", late, off[len(off)/2], off[len(off)-1])
	w.fping(t, "198.18.0.0", "198.18.7.255", time.Second, 1)
}

func TestScanCountsDuplicatesAndUnreachablesAndMakesNoHostsOfThem(t *testing.T) {
	class := func(addr netip.Addr) int { return int(addr.As4()[3]) % 4 }
	w, _ := respond(t, func(r *responder, request []byte) {
		switch class(netip.AddrFrom4([4]byte(request[16:20]))) {
		case 0:
			r.reply(request)
		case 1: // three times
			r.reply(request)
			r.reply(request)
			r.reply(request)
		case 2:
			r.unreachable(request)
		}
	})
	r := w.scan(t, newSite(t), "198.18.0.0/22", "--rate", "0", "--timeout", "300ms", "--retries", "0", "--all")
	states := map[int]string{0: "up", 1: "up", 2: "unreachable", 3: "down"}
	for addr, h := range r.hosts {
		want := 0
		if class(addr) == 1 {
			want = 2
		}
		if h.State != states[class(addr)] || h.Duplicates != want || h.State == "unreachable" && h.Reason == "" {
			t.Errorf("%+v", h)
		}
	}
	if len(r.hosts) != 1024 || r.sum.Up != 512 || r.sum.Duplicates != 512 || r.sum.Unreachable != 256 || r.code != 0 {
		t.Errorf("%d lines, exit %d, %+v", len(r.hosts), r.code, r.sum)
	}
	w.fping(t, "198.18.0.0", "198.18.3.255", 300*time.Millisecond, 1)
}

// inBursts is a network that answers so many requests at once as burst says, which is told how many there were, or as
// many as there are after a while.
func inBursts(t *testing.T, burst func(asked int64) int) (space, *responder) {
	t.Helper()
	var mu sync.Mutex
	var held [][]byte
	flush := func(r *responder) {
		for _, request := range held {
			r.reply(request)
		}
		held = held[:0]
	}
	return respond(t, func(r *responder, request []byte) {
		mu.Lock()
		defer mu.Unlock()
		held = append(held, request)
		if len(held) >= burst(r.asked.Load()) {
			flush(r)
		}
		if len(held) == 1 {
			r.after(100*time.Millisecond, func() {
				mu.Lock()
				defer mu.Unlock()
				flush(r)
			})
		}
	})
}

// In the first round the bursts are more than the buffer has room for, afterwards they are not.
func TestScanCountsWhatAStarvedBufferLosesAndAsksAgain(t *testing.T) {
	const hosts = 4096
	w, network := inBursts(t, func(asked int64) int {
		if asked <= hosts {
			return 1024
		}
		return 16
	})
	r := w.scan(t, newSite(t), "198.18.0.0/20", "--rate", "0", "--timeout", "300ms", "--retries", "7", "--buffer", "131072")
	r.exactly(t, addresses("198.18.0.0", hosts, 1))
	asked := int(network.asked.Load())
	if asked != r.sum.Sent || asked == hosts {
		t.Errorf("the network took %d requests, the summary says %d", asked, r.sum.Sent)
	}
	if lost := asked - r.sum.Received; r.sum.ReceiveDrops == 0 || r.sum.ReceiveDrops != lost || r.sum.Lost != 0 {
		t.Errorf("%d replies were lost on the way, the summary says %d, and %d for good", lost, r.sum.ReceiveDrops, r.sum.Lost)
	}
}

// With a single try the replies that the buffer lost are lost for good, which is no success, and is said.
func TestScanSaysWhenRepliesAreLostForGood(t *testing.T) {
	w, _ := inBursts(t, func(int64) int { return 64 })
	args := []string{"198.18.0.0/22", "--rate", "0", "--timeout", "300ms", "--retries", "0", "--buffer", "1"}
	s := newSite(t)
	r := w.scan(t, s, args...)
	if lost := 1024 - r.sum.Up; r.code != 1 || lost == 0 || r.sum.ReceiveDrops != lost || r.sum.Lost != lost {
		t.Errorf("exit %d, want 1, %d lost: %+v", r.code, lost, r.sum)
	}
	a := w.ask(t, s, append([]string{"scan", "-o", "table"}, args...)...)
	if said := a.stdout + a.stderr; a.code != 1 || !strings.Contains(said, "replies were lost") {
		t.Errorf("exit %d, not said:\n%s", a.code, said)
	}
}

func TestScanOfASlash24IsOverInItsTimeouts(t *testing.T) {
	alive := addresses("198.18.7.3", 25, 10)
	w, _ := twoSpaces(t, answering("198.18.7.0/24", alive))
	r := w.scan(t, newSite(t), "198.18.7.0/24", "--timeout", "500ms", "--retries", "1")
	r.exactly(t, alive)
	if r.wall > 3*time.Second { // 1.2 s on a machine with nothing else to do
		t.Errorf("took %v", r.wall)
	}
	w.fping(t, "198.18.7.0", "198.18.7.255", 500*time.Millisecond, 2)
	w.nmap(t, "198.18.7.0/24", 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const each = `seq 0 255 | xargs -P 50 -I N sh -c 'ping -c1 -W2 -q 198.18.7.N >/dev/null && echo 198.18.7.N'`
	a, c := w.run(t, exec.CommandContext(ctx, "sh", "-c", each))
	t.Logf("a ping process a host, 50 at once: found %d, %v", len(eachLine(a.stdout)), c)
}

func TestScanTellsAboutHostsOfIPv6(t *testing.T) {
	w := newSpace(t, "ip -6 route add local 2001:db8::/112 dev lo\n")
	r := w.scan(t, newSite(t), "2001:db8::/120", "--rate", "0")
	r.exactly(t, addresses("2001:db8::", 256, 1))
}

func TestScanAsksEveryAddressOfARoutedPrefixAndNoBroadcastOfItsOwnLink(t *testing.T) {
	w := newSpace(t, `ip link add wire0 type veth peer name wire1
ip link set wire1 up
ip addr add 198.18.9.1/24 brd + dev wire0
ip link set wire0 up
ip route add local 198.18.9.0/25 dev lo
ip route add local 198.18.10.0/24 dev lo
`)
	s := newSite(t)
	for _, c := range []struct {
		prefix  string
		targets int
	}{{"198.18.9.0/24", 254}, {"198.18.10.0/24", 256}} {
		r := w.scan(t, s, c.prefix, "--timeout", "200ms", "--retries", "0")
		if r.sum.Targets != c.targets {
			t.Errorf("%s: %d targets, want %d", c.prefix, r.sum.Targets, c.targets)
		}
	}
}

func TestScanWaitsForNobodyWhenEverybodyAnswered(t *testing.T) {
	w := newSpace(t, "")
	r := w.scan(t, newSite(t), "127.1.0.0/24", "--timeout", "20s")
	if r.sum.Up != 256 || r.wall > 5*time.Second {
		t.Errorf("%d up after %v", r.sum.Up, r.wall)
	}
}

func TestScanKeepsToItsRate(t *testing.T) {
	w := newSpace(t, "")
	r := w.scan(t, newSite(t), "127.1.0.0/22", "--rate", "1000")
	if r.sum.Up != 1024 || r.wall < 900*time.Millisecond || r.wall > 5*time.Second {
		t.Errorf("%d up after %v, want 1,024 after a second", r.sum.Up, r.wall)
	}
}

func TestScanExcludes(t *testing.T) {
	w := newSpace(t, "")
	r := w.scan(t, newSite(t), "127.1.0.0/24", "127.1.2.0/30", "--exclude", "127.1.0.8/29", "--exclude", "127.1.0.0-127.1.0.7", "--exclude", "127.1.2.3")
	want := slices.Concat(addresses("127.1.0.16", 240, 1), addresses("127.1.2.0", 3, 1))
	r.exactly(t, want)
	if r.sum.Sent != len(want) {
		t.Errorf("%d requests, want %d", r.sum.Sent, len(want))
	}
}

func TestScanOfAFile(t *testing.T) {
	w := newSpace(t, "")
	s := newSite(t)
	list := s.write(t, "targets", "# a comment\n127.1.0.0/30\n\n127.1.1.1-127.1.1.3\n")
	r := w.scan(t, s, "-f", list)
	r.exactly(t, slices.Concat(addresses("127.1.0.0", 4, 1), addresses("127.1.1.1", 3, 1)))
	if r.sum.Targets != 7 {
		t.Errorf("%+v", r.sum)
	}
}
