package ping

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// network is a wire in memory and in the time of the test: answer says what comes back for a request and when.
type network struct {
	ctx    context.Context
	answer func(n *network, request []byte, to netip.Addr) error
	coming []arrival
	sent   []time.Time
	ids    map[uint16]bool
	lost   int // what drops says
	events []happening
}

// happening is something that is done at a time.
type happening struct {
	at time.Time
	do func()
}

// happen does what is to happen by now.
func (n *network) happen() {
	n.events = slices.DeleteFunc(n.events, func(h happening) bool {
		due := !h.at.After(time.Now())
		if due {
			h.do()
		}
		return due
	})
}

// later lets a copy of message arrive after d.
func (n *network) later(d time.Duration, a arrival) {
	a.message = append([]byte(nil), a.message...)
	a.at = time.Now().Add(d)
	n.coming = append(n.coming, a)
}

func (n *network) reply(d time.Duration, request []byte, from netip.Addr) {
	n.later(d, arrival{peer: from, message: asReply(request)})
}

func (n *network) send(request []byte, to netip.Addr, _ time.Duration) error {
	n.sent = append(n.sent, time.Now())
	n.ids[uint16(request[4])<<8|uint16(request[5])] = true
	return n.answer(n, request, to)
}

func (n *network) receive(d time.Duration, sink func(arrival)) error {
	n.happen()
	if n.deliver(sink) || d == 0 {
		return nil
	}
	for _, c := range n.coming {
		d = min(d, time.Until(c.at))
	}
	select {
	case <-time.After(d):
	case <-n.ctx.Done():
	}
	n.deliver(sink)
	return nil
}

func (n *network) deliver(sink func(arrival)) bool {
	now := time.Now()
	due := slices.Collect(func(yield func(arrival) bool) {
		for _, c := range n.coming {
			if !c.at.After(now) && !yield(c) {
				return
			}
		}
	})
	if len(due) == 0 {
		return false
	}
	n.coming = slices.DeleteFunc(n.coming, func(c arrival) bool { return !c.at.After(now) })
	for _, c := range due {
		sink(c)
	}
	return true
}

func (n *network) drops() int   { return n.lost }
func (n *network) granted() int { return 0 }
func (n *network) close()       {}

// hosts yields n addresses from 198.18.0.0 on.
func hosts(n int) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for addr := netip.MustParseAddr("198.18.0.0"); n > 0 && yield(addr); n-- {
			addr = addr.Next()
		}
	}
}

type outcome struct {
	up     []Reply
	silent map[string]string
	sum    Summary
	took   time.Duration
	net    *network
}

// over sweeps a network in memory.
func over(t *testing.T, cfg Config, targets iter.Seq[netip.Addr], answer func(*network, []byte, netip.Addr) error) (o outcome) {
	t.Helper()
	o.silent = map[string]string{}
	synctest.Test(t, func(t *testing.T) {
		o.net = &network{ctx: t.Context(), answer: answer, ids: map[uint16]bool{}}
		cfg.Summary = &o.sum
		c, err := cfg.complete()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		newEngine(t.Context(), c, anyIDs(c.Tries), o.net, func(r Reply, err error) bool {
			if err != nil {
				o.silent[r.Addr.String()] = err.Error()
			} else {
				o.up = append(o.up, r)
			}
			return true
		}).run(targets)
		o.took = time.Since(began)
	})
	return o
}

func TestALateReplyIsAliveWithItsTrueRoundTrip(t *testing.T) {
	t.Parallel()
	o := over(t, Config{Timeout: time.Second, Tries: 1, Linger: time.Second}, hosts(1), func(n *network, b []byte, to netip.Addr) error {
		n.reply(1500*time.Millisecond, b, to)
		return nil
	})
	if len(o.up) != 1 || o.up[0].RTT != 1500*time.Millisecond || !o.up[0].Late || o.sum.Late != 1 {
		t.Errorf("got %+v, %+v", o.up, o.sum)
	}
}

func TestALateReplyToTheFirstRequestIsToldFromAQuickOneToTheSecond(t *testing.T) {
	t.Parallel()
	o := over(t, Config{Timeout: time.Second, Linger: 2 * time.Second}, hosts(2), func(n *network, b []byte, to netip.Addr) error {
		n.reply(1500*time.Millisecond, b, to)
		return nil
	})
	want := []Reply{
		{Addr: netip.MustParseAddr("198.18.0.0"), RTT: 1500 * time.Millisecond, Try: 1, Late: true},
		{Addr: netip.MustParseAddr("198.18.0.1"), RTT: 1500 * time.Millisecond, Try: 1, Late: true},
	}
	if !reflect.DeepEqual(o.up, want) || o.sum.Sent != 4 {
		t.Errorf("got %+v, %+v", o.up, o.sum)
	}
}

func TestADuplicateIsNoSecondHost(t *testing.T) {
	t.Parallel()
	o := over(t, Config{Tries: 1}, hosts(2), func(n *network, b []byte, to netip.Addr) error {
		if to.As4()[3] == 0 {
			n.reply(time.Millisecond, b, to)
			n.reply(2*time.Millisecond, b, to)
			n.reply(3*time.Millisecond, b, to)
		}
		return nil
	})
	if len(o.up) != 1 || o.sum.Up != 1 || o.sum.Received != 3 || o.sum.Duplicates != 2 {
		t.Errorf("got %+v, %+v", o.up, o.sum)
	}
}

func TestDuplicatesThatAreOnTheirWayAreCountedWhenEverybodyHasAnswered(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		rtt, again time.Duration
		counted    int
		took       time.Duration
	}{
		"within 10 ms":                             {time.Millisecond, 10 * time.Millisecond, 1, 11 * time.Millisecond},
		"within another round trip":                {200 * time.Millisecond, 390 * time.Millisecond, 1, 400 * time.Millisecond},
		"but nobody waits for one that is slow":    {time.Millisecond, 20 * time.Millisecond, 0, 11 * time.Millisecond},
		"nor longer than for one that is missing":  {700 * time.Millisecond, 1300 * time.Millisecond, 0, time.Second},
		"also not when the answer itself was late": {1100 * time.Millisecond, 1150 * time.Millisecond, 1, 1200 * time.Millisecond},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var told []netip.Addr
			cfg := Config{Tries: 1, Timeout: time.Second, Duplicate: func(a netip.Addr) { told = append(told, a) }}
			if c.rtt > time.Second {
				cfg.Linger = 200 * time.Millisecond
			}
			o := over(t, cfg, hosts(1), func(n *network, b []byte, to netip.Addr) error {
				n.reply(c.rtt, b, to)
				n.reply(c.again, b, to)
				return nil
			})
			if len(o.up) != 1 || o.sum.Duplicates != c.counted || len(told) != c.counted || o.took.Round(time.Millisecond) != c.took {
				t.Errorf("took %s, told of %v, %+v", o.took, told, o.sum)
			}
		})
	}
}

func TestALateReplyToAnotherRequestIsNoDuplicate(t *testing.T) {
	t.Parallel()
	o := over(t, Config{Timeout: time.Second, Duplicate: func(a netip.Addr) { t.Errorf("told of %s", a) }}, hosts(1), func(n *network, b []byte, to netip.Addr) error {
		if n.reply(time.Millisecond, b, to); len(n.sent) == 1 {
			n.coming[0].at = time.Now().Add(1005 * time.Millisecond)
		}
		return nil
	})
	if len(o.up) != 1 || o.sum.Sent != 2 || o.sum.Received != 2 {
		t.Errorf("got %+v, %+v", o.up, o.sum)
	}
}

func TestLostAreTheSilentThatADropMayExplain(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		answer       func(n *network, host byte, try int) (reply bool, err error)
		lost, unsent int
	}{
		"nobody where nothing was dropped": {func(n *network, host byte, _ int) (bool, error) { return host > 3, nil }, 0, 0},
		"as many as were dropped": {func(n *network, host byte, try int) (bool, error) {
			if host == 9 && try == 2 {
				n.lost += 2
			}
			return host > 3 && host < 9, nil
		}, 2, 0},
		"no more than are silent": {func(n *network, host byte, try int) (bool, error) {
			n.lost += 5
			return host > 3, nil
		}, 4, 0},
		"nobody whose second request was answered": {func(n *network, host byte, try int) (bool, error) {
			if try == 1 {
				n.lost++
			}
			return try == 2, nil
		}, 0, 0},
		"nobody who was asked again after the drops": {func(n *network, host byte, try int) (bool, error) {
			if try == 1 {
				n.lost++
			}
			return false, nil
		}, 0, 0},
		"one whose second request was not sent after a drop in the first round": {func(n *network, host byte, try int) (bool, error) {
			switch {
			case host == 0 && try == 2:
				return false, syscall.EPERM
			case host == 0:
				n.lost++
			}
			return host > 4, nil
		}, 1, 0},
		"those that could not be asked at all": {func(n *network, host byte, try int) (bool, error) {
			if host < 2 {
				return false, syscall.EPERM
			}
			return host > 3, nil
		}, 2, 2},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			asked := map[netip.Addr]int{}
			o := over(t, Config{Timeout: time.Second}, hosts(10), func(n *network, b []byte, to netip.Addr) error {
				asked[to]++
				reply, err := c.answer(n, to.As4()[3], asked[to])
				if reply {
					n.reply(time.Millisecond, b, to)
				}
				return err
			})
			if o.sum.Lost != c.lost || o.sum.Unsent != c.unsent {
				t.Errorf("want %d lost, %d unsent: %+v", c.lost, c.unsent, o.sum)
			}
		})
	}
}

func TestOnlyTheMissingAreAskedAgain(t *testing.T) {
	t.Parallel()
	asked := map[netip.Addr]int{}
	o := over(t, Config{Tries: 3}, hosts(1000), func(n *network, b []byte, to netip.Addr) error {
		if asked[to]++; int(to.As4()[3])%3 < asked[to] {
			n.reply(10*time.Millisecond, b, to)
		}
		return nil
	})
	for addr, times := range asked {
		if times != int(addr.As4()[3])%3+1 {
			t.Errorf("%s was asked %d times", addr, times)
		}
	}
	if len(o.up) != 1000 || len(o.net.ids) != 3 {
		t.Errorf("found %d, with %d ids", len(o.up), len(o.net.ids))
	}
}

func TestAForgedReplyNeverCounts(t *testing.T) {
	t.Parallel()
	forge := map[string]func(n *network, b []byte, to netip.Addr){
		"from another address":    func(n *network, b []byte, to netip.Addr) { n.reply(0, b, to.Next()) },
		"with another cookie":     func(n *network, b []byte, to netip.Addr) { b[packetLen-1] ^= 1; n.reply(0, b, to) },
		"with another time":       func(n *network, b []byte, to netip.Addr) { b[23] ^= 1; n.reply(0, b, to) },
		"with another try":        func(n *network, b []byte, to netip.Addr) { b[15] ^= 1; n.reply(0, b, to) },
		"with an index not given": func(n *network, b []byte, to netip.Addr) { b[8] = 0xff; n.reply(0, b, to) },
		"with no payload":         func(n *network, b []byte, to netip.Addr) { n.reply(0, b[:headerLen], to) },
		"that is the request":     func(n *network, b []byte, to netip.Addr) { n.later(0, arrival{peer: to, message: b}) },
		"as an error message with another cookie": func(n *network, b []byte, to netip.Addr) {
			b[packetLen-1] ^= 1
			n.later(0, arrival{peer: to, message: b, hint: hintHost})
		},
	}
	for what, f := range forge {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			o := over(t, Config{}, hosts(1), func(n *network, b []byte, to netip.Addr) error { f(n, b, to); return nil })
			if len(o.up) != 0 || o.sum.Received != 0 || o.sum.Foreign != 2 || o.silent["198.18.0.0"] != "no reply" {
				t.Errorf("got %+v, %v, %+v", o.up, o.silent, o.sum)
			}
		})
	}
}

func TestAnUnreachableIsAHint(t *testing.T) {
	t.Parallel()
	o := over(t, Config{}, hosts(3), func(n *network, b []byte, to netip.Addr) error {
		switch to.As4()[3] {
		case 0:
			n.later(0, arrival{peer: to, message: b, hint: hintHost})
		case 1:
			n.later(0, arrival{peer: to, message: b[:headerLen], hint: hintProhibited})
		default:
			n.later(0, arrival{peer: to, message: b, hint: hintNet})
			n.reply(time.Millisecond, b, to)
		}
		return nil
	})
	want := map[string]string{"198.18.0.0": "no reply: host unreachable", "198.18.0.1": "no reply: administratively prohibited"}
	if !reflect.DeepEqual(o.silent, want) || len(o.up) != 1 || o.sum.Unreachable != 5 {
		t.Errorf("got %v, %+v", o.silent, o.sum)
	}
}

func TestARequestThatIsNotSentIsTriedAgainAndReported(t *testing.T) {
	t.Parallel()
	tries := 0
	o := over(t, Config{}, hosts(2), func(n *network, b []byte, to netip.Addr) error {
		if to.As4()[3] == 0 {
			return syscall.EPERM
		}
		if tries++; tries == 1 {
			return syscall.EPERM
		}
		n.reply(time.Millisecond, b, to)
		return nil
	})
	if len(o.up) != 1 || o.sum.SendErrors != 3 || o.sum.Sent != 1 || o.silent["198.18.0.0"] != "send echo request: "+syscall.EPERM.Error() {
		t.Errorf("got %v, %+v", o.silent, o.sum)
	}
}

func TestTheRateIsKept(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{10, 600, DefaultRate, 20_000} {
		o := over(t, Config{Rate: rate}, hosts(2*rate), func(n *network, b []byte, to netip.Addr) error {
			n.reply(time.Millisecond, b, to)
			return nil
		})
		if o.took < 1900*time.Millisecond || o.took > 2100*time.Millisecond {
			t.Errorf("%d requests at %d a second took %s", 2*rate, rate, o.took)
		}
		window := max(1, rate/10)
		for i := window + 50; i < len(o.net.sent); i++ {
			if d := o.net.sent[i].Sub(o.net.sent[i-window]); d < 80*time.Millisecond && rate >= 600 {
				t.Fatalf("rate %d: %d requests within %s", rate, window, d)
			}
		}
	}
}

// A /24 of which one in ten answers, with a timeout of 500 ms and one retry.
func TestASmallNetworkTakesLittleMoreThanItsTimeouts(t *testing.T) {
	t.Parallel()
	o := over(t, Config{Timeout: 500 * time.Millisecond}, hosts(254), func(n *network, b []byte, to netip.Addr) error {
		if to.As4()[3]%10 == 0 {
			n.reply(time.Millisecond, b, to)
		}
		return nil
	})
	if o.took > 1200*time.Millisecond || len(o.up) != 26 || len(o.silent) != 228 {
		t.Errorf("took %s, %d up, %d silent", o.took, len(o.up), len(o.silent))
	}
}

func TestTheEndOfTheContextEndsAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		n := &network{ctx: ctx, ids: map[uint16]bool{}, answer: func(*network, []byte, netip.Addr) error { return nil }}
		c, _ := Config{Timeout: time.Hour}.complete()
		var got []error
		began := time.Now()
		newEngine(ctx, c, anyIDs(c.Tries), n, func(r Reply, err error) bool { got = append(got, err); return true }).run(hosts(3))
		if len(got) != 1 || !errors.Is(got[0], why) || time.Since(began) != time.Second {
			t.Errorf("ended with %v after %s", got, time.Since(began))
		}
	})
}

func TestALoopBodyThatTakesLongLosesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &network{ctx: t.Context(), ids: map[uint16]bool{}, answer: func(n *network, b []byte, to netip.Addr) error {
			n.reply(time.Duration(1+to.As4()[3])*time.Millisecond, b, to)
			return nil
		}}
		c, _ := Config{Tries: 1, Rate: Unlimited}.complete()
		up := 0
		newEngine(t.Context(), c, anyIDs(c.Tries), n, func(r Reply, err error) bool {
			if err != nil || r.RTT != time.Duration(1+r.Addr.As4()[3])*time.Millisecond || r.Late {
				t.Errorf("got %+v, %v", r, err)
			}
			if up++; up < 4 {
				time.Sleep(time.Minute)
			}
			return true
		}).run(hosts(100))
		if up != 100 {
			t.Errorf("%d are up", up)
		}
	})
}

// What keeps coming for ever must not keep a sweep from ending.
func TestAFloodOfForgedRepliesDoesNotKeepASweep(t *testing.T) {
	t.Parallel()
	o := over(t, Config{Tries: 1}, hosts(1), func(n *network, b []byte, to netip.Addr) error {
		b[packetLen-1] ^= 1
		for i := range 10_000 {
			n.reply(time.Duration(i)*time.Millisecond, b, to)
		}
		return nil
	})
	if o.took > DefaultTimeout+10*time.Millisecond || o.sum.Foreign < 1900 {
		t.Errorf("took %s, %+v", o.took, o.sum)
	}
}

func TestALoopThatIsLeftIsNotEnteredAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &network{ctx: t.Context(), ids: map[uint16]bool{}, answer: func(n *network, b []byte, to netip.Addr) error {
			n.reply(0, b, to)
			return nil
		}}
		c, _ := Config{}.complete()
		calls := 0
		newEngine(t.Context(), c, anyIDs(c.Tries), n, func(Reply, error) bool { calls++; return false }).run(hosts(5000))
		if calls != 1 || len(n.sent) > 100 {
			t.Errorf("called %d times, %d sent", calls, len(n.sent))
		}
	})
}

func TestAQuoteOfTheHeaderAloneFindsItsTargetBeyondSixteenBits(t *testing.T) {
	t.Parallel()
	var tab table
	for addr := range hosts(3<<16 + 7) {
		tab.add(addr)
	}
	for _, want := range []int{0, 5, 1 << 16, 2<<16 + 9, 3<<16 + 6} {
		if got, ok := tab.find(want&0xffff, tab.addr(want)); !ok || got != want {
			t.Errorf("got %d %t, want %d", got, ok, want)
		}
	}
	if _, ok := tab.find(8, netip.MustParseAddr("198.51.100.1")); ok {
		t.Error("found a target that was not given")
	}
}

func TestAConfigThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{Rate: -2}, {Tries: -1}, {Tries: 9}, {Timeout: -1}, {Linger: -1}, {Buffer: -1}, {Method: "pigeon"}} {
		n := 0
		for r, err := range Sweep(t.Context(), hosts(0), c) {
			if n++; err == nil || r.Addr.IsValid() {
				t.Errorf("%+v: got %+v, %v", c, r, err)
			}
		}
		if n != 1 {
			t.Errorf("%+v: yielded %d times", c, n)
		}
	}
}
