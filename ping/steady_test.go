package ping

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// heard is what a loop yielded and when.
type heard struct {
	Probe
	err error
	at  time.Duration // since the loop began
}

// watch is a loop over a network in memory.
type watch struct {
	*network
	plan  *Plan
	cfg   Config
	began time.Time
	heard []heard
	body  func(heard)
}

// at does something to the plan or the network when a time has passed, in the goroutine of the loop.
func (w *watch) at(d time.Duration, f func()) {
	w.events = append(w.events, happening{time.Now().Add(d), f})
}

// watching runs a loop for a time in a bubble; prepare sets up the network and the plan.
func watching(t *testing.T, d time.Duration, prepare func(*watch)) *watch {
	t.Helper()
	var w *watch
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		w = &watch{network: &network{ctx: ctx, ids: map[uint16]bool{}}, plan: &Plan{}, began: time.Now(), body: func(heard) {}}
		w.answer = prompt
		prepare(w)
		c, err := w.cfg.completeSteady()
		if err == nil {
			err = w.plan.begin()
		}
		if err != nil {
			t.Fatal(err)
		}
		defer w.plan.end()
		newSteady(ctx, c, anyIDs(steadyIDs), w.network, MethodRaw, w.plan, func(p Probe, err error) bool {
			h := heard{p, err, time.Since(w.began)}
			w.heard = append(w.heard, h)
			if p.Addr.IsValid() {
				w.body(h)
			}
			return true
		}).run()
		last := w.heard[len(w.heard)-1]
		if last.Addr.IsValid() || !errors.Is(last.err, context.DeadlineExceeded) {
			t.Errorf("ended with %+v", last)
		}
		w.heard = w.heard[:len(w.heard)-1]
	})
	return w
}

// prompt answers after a millisecond.
func prompt(n *network, b []byte, to netip.Addr) error {
	n.reply(time.Millisecond, b, to)
	return nil
}

// set plans n hosts from 198.18.0.0 on, named by their number.
func (w *watch) set(n int, interval, timeout time.Duration) {
	i := 0
	for addr := range hosts(n) {
		if err := w.plan.Set(Target{Key: fmt.Sprint(i), Addr: addr, Interval: interval, Timeout: timeout}); err != nil {
			panic(err)
		}
		i++
	}
}

// sentTo is when the requests of a key were sent, of those whose fate is known.
func (w *watch) sentTo(key string) (times []time.Duration) {
	for _, h := range w.heard {
		if h.Key == key && !h.Late {
			times = append(times, h.Sent.Sub(w.began))
		}
	}
	return times
}

func (w *watch) count(what func(heard) bool) (n int) {
	for _, h := range w.heard {
		if what(h) {
			n++
		}
	}
	return n
}

func TestEveryTargetIsAskedOnceInItsIntervalAndAllOfThemEvenly(t *testing.T) {
	t.Parallel()
	w := watching(t, 10*time.Second, func(w *watch) { w.set(1000, time.Second, 0) })
	if n := len(w.sent); n < 9990 || n > 10_010 {
		t.Errorf("sent %d requests", n)
	}
	windows := map[time.Duration]int{}
	for _, at := range w.sent {
		windows[at.Sub(w.began)/(50*time.Millisecond)]++
	}
	for i, n := range windows {
		if n < 40 && i < 199 || n > 60 {
			t.Errorf("%d requests in window %d of 50 ms", n, i)
		}
	}
	for key := range 1000 {
		times := w.sentTo(fmt.Sprint(key))
		for i := range times[1:] {
			if gap := times[i+1] - times[i]; gap < time.Second-turn || gap > time.Second+turn {
				t.Fatalf("target %d was asked %s after the request before", key, gap)
			}
		}
	}
	s := w.plan.Stats()
	if s.Skipped+s.Lost+s.Foreign+s.Duplicates != 0 || s.Jitter.Max > turn || s.Jitter.Count != s.Sent || s.Targets != 1000 {
		t.Errorf("%+v", s)
	}
}

func TestTargetsOfManyIntervalsEachKeepTheirOwn(t *testing.T) {
	t.Parallel()
	w := watching(t, time.Minute, func(w *watch) {
		i := 0
		for addr := range hosts(60) {
			w.plan.Set(Target{Key: fmt.Sprint(i), Addr: addr, Interval: time.Duration(i+1) * time.Second})
			i++
		}
	})
	for i := range 60 {
		want := 60 / (i + 1)
		if n := len(w.sentTo(fmt.Sprint(i))); n < want || n > want+1 {
			t.Errorf("a target with an interval of %d s was asked %d times in a minute", i+1, n)
		}
	}
}

func TestRequestsToOneTargetTakeTurnsWithManyIDs(t *testing.T) {
	t.Parallel()
	w := watching(t, 3*time.Minute, func(w *watch) { w.set(1, time.Second, 0) })
	if len(w.ids) != steadyIDs {
		t.Errorf("there were %d ids", len(w.ids))
	}
}

func TestEveryMissIsReportedOnceWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	w := watching(t, 20*time.Second, func(w *watch) {
		w.set(10, time.Second, 2500*time.Millisecond)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			if now := time.Since(w.began); to.As4()[3] != 3 || now < 5*time.Second || now > 10*time.Second {
				n.reply(time.Millisecond, b, to)
			}
			return nil
		}
	})
	lost := 0
	for _, h := range w.heard {
		if h.err == nil {
			continue
		}
		if lost++; h.Key != "3" || h.err != ErrNoReply {
			t.Errorf("got %+v", h)
		}
		if late := h.at - h.Sent.Sub(w.began) - 2500*time.Millisecond; late < 0 || late > turn {
			t.Errorf("the loss was reported %s after its time", late)
		}
	}
	if lost != 5 || w.plan.Stats().Lost != 5 {
		t.Errorf("%d losses were reported, %+v", lost, w.plan.Stats())
	}
}

func TestOneDroppedPacketIsOneLoss(t *testing.T) {
	t.Parallel()
	w := watching(t, 10*time.Second, func(w *watch) {
		w.set(1, time.Second, 500*time.Millisecond)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			if len(n.sent) != 4 {
				n.reply(time.Millisecond, b, to)
			}
			return nil
		}
	})
	for i, h := range w.heard {
		if lost := h.err != nil; lost != (i == 3) {
			t.Errorf("%d: got %+v", i, h)
		}
	}
}

func TestALateReplyFollowsItsLoss(t *testing.T) {
	t.Parallel()
	for what, body := range map[string]func(heard){
		"also of a slow loop": func(heard) { time.Sleep(3 * time.Second) },
		"":                    func(heard) {},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := watching(t, 20*time.Second, func(w *watch) {
				w.set(1, 5*time.Second, time.Second)
				w.body = body
				w.answer = func(n *network, b []byte, to netip.Addr) error {
					n.reply(1500*time.Millisecond, b, to)
					return nil
				}
			})
			if len(w.heard) < 4 {
				t.Fatalf("got %+v", w.heard)
			}
			for i, h := range w.heard {
				late := i%2 == 1
				if late && (h.err != nil || !h.Late || h.RTT != 1500*time.Millisecond || h.Sent.Sub(w.heard[i-1].Sent) != 0) {
					t.Errorf("got %+v after %+v", h, w.heard[i-1])
				}
				if !late && h.err != ErrNoReply {
					t.Errorf("got %+v", h)
				}
			}
		})
	}
}

// The kernel writes the time of day, which may be set between a request and the reading of its reply.
func TestAClockThatIsSetMakesNoRoundTripOfNothing(t *testing.T) {
	t.Parallel()
	w := watching(t, 5*time.Second, func(w *watch) {
		w.set(1, time.Second, 0)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			n.reply(-time.Hour, b, to)
			return nil
		}
	})
	for _, h := range w.heard {
		if h.err != nil || h.RTT != turn {
			t.Errorf("got %+v", h)
		}
	}
}

func TestAFurtherReplyIsADuplicateAndNoProbe(t *testing.T) {
	t.Parallel()
	var told []netip.Addr
	w := watching(t, 3500*time.Millisecond, func(w *watch) {
		w.set(1, time.Second, 0)
		w.cfg.Duplicate = func(a netip.Addr) { told = append(told, a) }
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			n.reply(time.Millisecond, b, to)
			n.reply(10*time.Millisecond, b, to)
			return nil
		}
	})
	if s := w.plan.Stats(); len(w.heard) != 4 || len(told) != 4 || s.Duplicates != 4 || s.Received != 8 {
		t.Errorf("told of %v, %+v", told, s)
	}
}

func TestAForgedReplyIsNoReply(t *testing.T) {
	t.Parallel()
	w := watching(t, 9500*time.Millisecond, func(w *watch) {
		w.set(2, time.Second, 500*time.Millisecond)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			if n := len(w.sent); n%2 == 0 {
				to = to.Next()
			} else {
				b[8+n%(packetLen-8)] ^= 1
			}
			n.reply(0, b, to)
			return nil
		}
	})
	if s := w.plan.Stats(); s.Received != 0 || s.Foreign < 18 || s.Lost != w.count(func(h heard) bool { return h.err == ErrNoReply }) || s.Lost < 18 {
		t.Errorf("%+v", s)
	}
}

func TestAnUnreachableIsTheReasonOfALoss(t *testing.T) {
	t.Parallel()
	w := watching(t, 10*time.Second, func(w *watch) {
		w.set(3, time.Second, 2100*time.Millisecond)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			switch a := (arrival{peer: to, message: b, hint: hintProhibited}); to.As4()[3] {
			case 0:
				n.later(0, a)
			case 1:
				a.message = b[:headerLen]
				n.later(0, a)
			default:
				n.later(0, a)
				n.reply(time.Millisecond, b, to)
			}
			return nil
		}
	})
	for _, h := range w.heard {
		if reason := new(*UnreachableError); (h.Key == "2") != (h.err == nil) || h.err != nil && (!errors.As(h.err, reason) || (*reason).Reason != "administratively prohibited") {
			t.Errorf("got %+v", h)
		}
	}
}

func TestARequestThatIsNotSentIsReportedAtOnceAndConcernsNobodyElse(t *testing.T) {
	t.Parallel()
	w := watching(t, 5*time.Second, func(w *watch) {
		w.set(10, time.Second, 0)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			if to.As4()[3] == 4 {
				return syscall.EPERM
			}
			return prompt(n, b, to)
		}
	})
	for _, h := range w.heard {
		if errors.Is(h.err, syscall.EPERM) != (h.Key == "4") || h.err != nil && h.at != h.Sent.Sub(w.began) {
			t.Errorf("got %+v", h)
		}
	}
	if s := w.plan.Stats(); s.SendErrors != 5 || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

func TestALossWhileTheBufferDroppedPacketsSaysSo(t *testing.T) {
	t.Parallel()
	w := watching(t, 10*time.Second, func(w *watch) {
		w.set(1, time.Second, 100*time.Millisecond)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			if len(n.sent) == 5 {
				w.at(50*time.Millisecond, func() { n.lost += 3 })
			}
			return nil
		}
	})
	for i, h := range w.heard {
		if errors.Is(h.err, ErrDropped) != (i == 4) || !errors.Is(h.err, ErrNoReply) {
			t.Errorf("%d: got %v", i, h.err)
		}
	}
	if s := w.plan.Stats(); s.ReceiveDrops != 3 {
		t.Errorf("%+v", s)
	}
}

func TestTargetsThatComeAndGoMoveNobodyElse(t *testing.T) {
	t.Parallel()
	w := watching(t, 20*time.Second, func(w *watch) {
		w.set(100, time.Second, 0)
		w.at(5*time.Second, func() { w.set(150, time.Second, 0) })
		w.at(8*time.Second, func() { w.set(120, time.Second, 500*time.Millisecond) })
		w.at(10*time.Second, func() {
			for key := range 50 {
				w.plan.Remove(fmt.Sprint(key * 3))
			}
		})
		w.at(15*time.Second, func() {
			w.plan.Set(Target{Key: "1", Addr: netip.MustParseAddr("198.18.0.1"), Interval: 3 * time.Second})
		})
	})
	for key := range 150 {
		times := w.sentTo(fmt.Sprint(key))
		if n := len(times); n < 4 || key%3 != 0 && key < 100 && key != 1 && n < 19 {
			t.Errorf("target %d was asked %d times", key, n)
		}
		for i := range times[1:] {
			gap := times[i+1] - times[i]
			if changed := key == 1 && times[i+1] > 15*time.Second; !changed && (gap < time.Second-turn || gap > time.Second+turn) {
				t.Errorf("target %d was asked after %s", key, gap)
			}
		}
		if last := times[len(times)-1]; key%3 == 0 && last > 10*time.Second+look {
			t.Errorf("target %d was asked at %s", key, last)
		}
	}
	if n := w.plan.Len(); n != 100 {
		t.Errorf("%d are left", n)
	}
}

func TestPlacesThatBecameFreeAreTakenAgain(t *testing.T) {
	t.Parallel()
	first := map[string]time.Duration{}
	watching(t, 100*time.Second, func(w *watch) {
		w.set(50, time.Second, 0)
		for round := range 90 {
			w.at(time.Duration(round)*time.Second, func() {
				w.plan.Remove(fmt.Sprint(round % 50))
				w.plan.Set(Target{Key: fmt.Sprint(round % 50), Addr: netip.MustParseAddr("198.18.1.1"), Interval: time.Second})
			})
		}
		w.body = func(h heard) { first[h.Key] = h.Sent.Sub(w.began) % time.Second }
	})
	var places []time.Duration
	for _, p := range first {
		places = append(places, p)
	}
	slices.Sort(places)
	for i := range places[1:] {
		if gap := places[i+1] - places[i]; gap > 60*time.Millisecond {
			t.Errorf("between two of 50 neighbours in a second are %s", gap)
		}
	}
}

func TestNothingIsSaidOfATargetThatWasRemovedOrOfItsOldAddress(t *testing.T) {
	t.Parallel()
	other := netip.MustParseAddr("198.18.7.7")
	w := watching(t, 20*time.Second, func(w *watch) {
		w.set(2, time.Second, 3*time.Second)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			n.reply(2*time.Second, b, to)
			return nil
		}
		w.at(10*time.Second, func() {
			w.plan.Remove("0")
			w.plan.Set(Target{Key: "1", Addr: other, Interval: time.Second, Timeout: 3 * time.Second})
		})
	})
	for _, h := range w.heard {
		if after := h.at > 10*time.Second+look; h.err != nil || after && h.Addr != other {
			t.Errorf("got %+v", h)
		}
	}
	if s := w.plan.Stats(); s.Stale == 0 || s.Foreign+s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

func TestReplaceKeepsWhoStays(t *testing.T) {
	t.Parallel()
	list := func(from, to int) func(func(Target) bool) {
		return func(yield func(Target) bool) {
			i := 0
			for addr := range hosts(to) {
				if i >= from && !yield(Target{Key: fmt.Sprint(i), Addr: addr, Interval: time.Second}) {
					return
				}
				i++
			}
		}
	}
	w := watching(t, 10*time.Second, func(w *watch) {
		w.plan.Replace(list(0, 100))
		w.at(5*time.Second, func() { w.plan.Replace(list(50, 150)) })
	})
	for key := range 150 {
		times := w.sentTo(fmt.Sprint(key))
		want := 5
		if key >= 50 && key < 100 {
			want = 10
		}
		if len(times) < want-1 || len(times) > want+1 {
			t.Errorf("target %d was asked %d times", key, len(times))
		}
		for i := range times[1:] {
			if gap := times[i+1] - times[i]; gap > time.Second+turn {
				t.Errorf("target %d was asked after %s", key, gap)
			}
		}
	}
}

func TestAPauseIsFollowedByNoBurstAndLosesNoReply(t *testing.T) {
	t.Parallel()
	paused := false
	w := watching(t, 20*time.Second, func(w *watch) {
		w.set(1000, time.Second, 500*time.Millisecond)
		w.body = func(h heard) {
			if !paused && h.at > 5*time.Second {
				paused = true
				time.Sleep(5*time.Second + 300*time.Millisecond)
			}
		}
	})
	if n := w.count(func(h heard) bool { return h.err != nil || h.RTT != time.Millisecond }); n != 0 {
		t.Errorf("%d were lost or have a wrong round trip", n)
	}
	after := 0
	for _, at := range w.sent {
		if d := at.Sub(w.began); d > 10*time.Second && d < 10*time.Second+400*time.Millisecond {
			after++
		}
	}
	s := w.plan.Stats()
	if after < 80 || after > 110 || s.Skipped < 5290 || s.Skipped > 5310 || s.Sent+s.Skipped < 19_990 || s.Sent+s.Skipped > 20_010 {
		t.Errorf("%d requests came after the pause, %+v", after, s)
	}
	for key := range 1000 {
		times := w.sentTo(fmt.Sprint(key))
		if d := (times[len(times)-1] - times[0]) % time.Second; d > 2*turn && d < time.Second-2*turn {
			t.Fatalf("target %d lost its place by %s", key, d)
		}
	}
}

func TestAMuchShorterIntervalLosesNoFate(t *testing.T) {
	t.Parallel()
	w := watching(t, 20*time.Second, func(w *watch) {
		w.set(1, time.Second, 10*time.Second)
		w.answer = func(*network, []byte, netip.Addr) error { return nil }
		w.at(5*time.Second, func() { w.set(1, 20*time.Millisecond, 300*time.Millisecond) })
	})
	s := w.plan.Stats()
	if n := len(w.heard); n != s.Lost || s.Sent-s.Lost > 31 || s.Skipped == 0 {
		t.Errorf("%d fates, %+v", n, s)
	}
}

// Targets that come, go and change at random while replies are quick, late, missing or doubled: every request has one fate.
func TestEveryRequestHasOneFate(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	w := watching(t, time.Minute, func(w *watch) {
		w.set(200, time.Second, 0)
		w.answer = func(n *network, b []byte, to netip.Addr) error {
			for range random.IntN(3) {
				n.reply(time.Duration(random.IntN(4000))*time.Millisecond, b, to)
			}
			return nil
		}
		for i := range 500 {
			w.at(time.Duration(i)*100*time.Millisecond, func() {
				key := fmt.Sprint(random.IntN(200))
				w.plan.Remove(key)
				w.plan.Set(Target{Key: key, Addr: netip.AddrFrom4([4]byte{198, 18, 0, byte(random.IntN(200))}), Interval: time.Duration(1+random.IntN(5)) * time.Second})
			})
		}
	})
	type request struct {
		key  string
		addr netip.Addr
		sent time.Time
	}
	fates, lates := map[request]int{}, map[request]int{}
	for _, h := range w.heard {
		r := request{h.Key, h.Addr, h.Sent}
		if h.Late {
			lates[r]++
		} else {
			fates[r]++
		}
	}
	for r, n := range fates {
		if n != 1 {
			t.Errorf("%v has %d fates", r, n)
		}
	}
	for r, n := range lates {
		if n != 1 || fates[r] != 1 {
			t.Errorf("%v was late %d times, after %d fates", r, n, fates[r])
		}
	}
	s := w.plan.Stats()
	inTime := w.count(func(h heard) bool { return h.err == nil && !h.Late })
	if s.Received != inTime+s.Late+s.Duplicates+s.Stale || s.Foreign != 0 || s.Sent < inTime+s.Lost || s.Late == 0 || s.Lost == 0 || s.Duplicates == 0 || s.Stale == 0 {
		t.Errorf("%d in time, %+v", inTime, s)
	}
}

func TestALoopThatIsLeftAsksNobodyAnyMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &network{ctx: t.Context(), ids: map[uint16]bool{}, answer: prompt}
		plan := &Plan{}
		for i := range 100 {
			plan.Set(Target{Key: fmt.Sprint(i), Addr: netip.MustParseAddr("198.18.0.1"), Interval: 20 * time.Millisecond})
		}
		c, _ := Config{}.completeSteady()
		plan.begin()
		calls := 0
		newSteady(t.Context(), c, anyIDs(steadyIDs), n, MethodRaw, plan, func(Probe, error) bool { calls++; return false }).run()
		if calls != 1 || len(n.sent) > 200 {
			t.Errorf("called %d times, %d sent", calls, len(n.sent))
		}
	})
}

func TestATargetThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	addr := netip.MustParseAddr("198.18.0.1")
	var plan Plan
	for _, bad := range []Target{
		{Key: "a"},
		{Key: "a", Addr: addr, Interval: -1},
		{Key: "a", Addr: addr, Interval: MinInterval - 1},
		{Key: "a", Addr: addr, Timeout: -1},
		{Key: "a", Addr: addr, Interval: time.Second, Timeout: MaxUnderWay*time.Second + 1},
	} {
		good := Target{Key: "b", Addr: addr}
		if plan.Set(bad) == nil || plan.Replace(slices.Values([]Target{good, bad})) == nil || plan.Len() != 0 {
			t.Errorf("%+v was taken", bad)
		}
	}
	if err := plan.Replace(slices.Values([]Target{{Key: "a", Addr: addr}, {Key: "a", Addr: addr.Next()}})); err == nil || plan.Len() != 0 {
		t.Error("two targets of one name were taken")
	}
	if plan.Set(Target{Key: "a", Addr: addr, Interval: MinInterval}) != nil || plan.Set(Target{Key: "b", Addr: addr}) != nil || plan.Len() != 2 {
		t.Error("a good one was not taken")
	}
}

func TestASettingForSweepsIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{Rate: 1}, {Tries: 1}, {Timeout: 1}, {Linger: 1}, {Summary: &Summary{}}, {Buffer: -1}, {Method: "pigeon"}} {
		n := 0
		for p, err := range Steady(t.Context(), &Plan{}, c) {
			if n++; err == nil || p.Addr.IsValid() {
				t.Errorf("%+v: got %+v, %v", c, p, err)
			}
		}
		if n != 1 {
			t.Errorf("%+v: yielded %d times", c, n)
		}
	}
}

func TestTheAgendaIsInOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	var a agenda
	var now time.Duration
	var want []time.Duration
	for range 20_000 {
		if random.IntN(3) > 0 {
			at := now + time.Duration(random.IntN(1000))
			a.push(event{at: at})
			want = append(want, at)
			continue
		}
		now += time.Duration(random.IntN(50))
		var got []time.Duration
		for e, ok := a.pop(now); ok; e, ok = a.pop(now) {
			got = append(got, e.at)
		}
		slices.Sort(want)
		n, _ := slices.BinarySearch(want, now+1)
		if !slices.Equal(got, want[:n]) {
			t.Fatalf("until %d: got %v, want %v", now, got, want[:n])
		}
		want = want[n:]
	}
}

func TestAnyNumberOfPlacesIsSpreadEvenly(t *testing.T) {
	t.Parallel()
	var s spread
	var places []time.Duration
	for n := 1; n <= 3000; n++ {
		places = append(places, phase(s.take(), time.Minute))
		if n < 2 || n > 50 && n%97 != 0 {
			continue
		}
		sorted := slices.Sorted(slices.Values(places))
		narrow, wide := time.Minute, sorted[0]+time.Minute-sorted[n-1]
		for i := range sorted[1:] {
			narrow, wide = min(narrow, sorted[i+1]-sorted[i]), max(wide, sorted[i+1]-sorted[i])
		}
		if wide*10 > 27*min(narrow, sorted[0]+time.Minute-sorted[n-1]) {
			t.Errorf("%d places: gaps from %s to %s", n, narrow, wide)
		}
	}
}

func TestAJitterTellsItsQuantiles(t *testing.T) {
	t.Parallel()
	var j Jitter
	if j.Mean() != 0 || j.Within(0.5) != 0 {
		t.Error("nothing has a delay")
	}
	for range 90 {
		j.add(150 * time.Microsecond)
	}
	for range 9 {
		j.add(3 * time.Millisecond)
	}
	j.add(2 * time.Second)
	for q, want := range map[float64]time.Duration{0.5: 200 * time.Microsecond, 0.9: 200 * time.Microsecond, 0.91: 5 * time.Millisecond, 0.99: 5 * time.Millisecond, 1: 2 * time.Second} {
		if got := j.Within(q); got != want {
			t.Errorf("%g: got %s, want %s", q, got, want)
		}
	}
	if j.Count != 100 || j.Max != 2*time.Second || j.Mean() != (90*150*time.Microsecond+9*3*time.Millisecond+2*time.Second)/100 {
		t.Errorf("%+v", j)
	}
}
