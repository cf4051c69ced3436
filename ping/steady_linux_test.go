package ping_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster/ping"
	"golang.org/x/sys/unix"
)

// planOf has n targets from first on, named by their number.
func planOf(t *testing.T, first string, n int, interval, timeout time.Duration) *ping.Plan {
	t.Helper()
	plan := &ping.Plan{}
	i := 0
	for addr := range count(first, n) {
		if err := plan.Set(ping.Target{Key: fmt.Sprint(i), Addr: addr, Interval: interval, Timeout: timeout}); err != nil {
			t.Fatal(err)
		}
		i++
	}
	return plan
}

// steadily asks a plan for a time; an end for another reason than that the time is over fails the test.
func steadily(t *testing.T, d time.Duration, plan *ping.Plan, cfg ping.Config, body func(ping.Probe, error)) ping.Stats {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	for p, err := range ping.Steady(ctx, plan, cfg) {
		switch {
		case p.Addr.IsValid():
			body(p, err)
		case !errors.Is(err, context.DeadlineExceeded):
			t.Fatal(err)
		}
	}
	return plan.Stats()
}

func TestEveryTargetIsAskedSteadilyByEverySocket(t *testing.T) {
	for _, m := range []ping.Method{ping.MethodRaw, ping.MethodSocket} {
		t.Run(string(m), func(t *testing.T) {
			inNamespace(t, "echo 0 0 >/proc/sys/net/ipv4/ping_group_range\n")
			asked := map[string]int{}
			plan := planOf(t, "127.4.0.0", 2000, 500*time.Millisecond, 0)
			plan.Set(ping.Target{Key: "six", Addr: netip.MustParseAddr("::1"), Interval: 500 * time.Millisecond})
			s := steadily(t, 2*time.Second, plan, ping.Config{Method: m}, func(p ping.Probe, err error) {
				if err != nil && p.Key != "six" || p.RTT < 0 || p.Late || time.Since(p.Sent) > time.Minute {
					t.Errorf("got %+v, %v", p, err)
				}
				asked[p.Key]++
			})
			if len(asked) != 2001 || s.Method != m || s.Foreign+s.Lost+s.Duplicates != 0 || s.Sent > 4*2001 {
				t.Errorf("%d were asked, %+v", len(asked), s)
			}
			t.Logf("%+v", s)
		})
	}
}

func TestLossesLateRepliesDuplicatesAndUnreachablesOfASteadyLoop(t *testing.T) {
	for _, m := range []ping.Method{ping.MethodRaw, ping.MethodSocket} {
		t.Run(string(m), func(t *testing.T) {
			inNamespace(t, "echo 0 0 >/proc/sys/net/ipv4/ping_group_range\n")
			respond(t, func(r *responder, request []byte) {
				switch request[19] % 6 {
				case 0:
					r.after(700*time.Millisecond, func() { r.reply(request) })
				case 1:
					r.reply(request)
					r.reply(request)
				case 2:
					r.unreachable(request, 28)
				case 3:
					r.unreachable(request, len(request))
				case 4:
				default:
					r.reply(request)
				}
			})
			heard := map[byte][]string{}
			s := steadily(t, 2900*time.Millisecond, planOf(t, "198.18.0.0", 60, time.Second, 400*time.Millisecond), ping.Config{Method: m}, func(p ping.Probe, err error) {
				kind := p.Addr.As4()[3] % 6
				heard[kind] = append(heard[kind], fmt.Sprint(err, p.Late))
				if p.Late && (p.RTT < 700*time.Millisecond || p.RTT > 900*time.Millisecond) {
					t.Errorf("got %+v", p)
				}
			})
			want := map[byte][]string{
				0: {"no reply false", "<nil> true"}, 1: {"<nil> false"}, 2: {"no reply: administratively prohibited false"},
				3: {"no reply: administratively prohibited false"}, 4: {"no reply false"}, 5: {"<nil> false"},
			}
			for kind, all := range heard {
				for _, h := range all {
					if !strings.Contains(strings.Join(want[kind], "|"), h) {
						t.Errorf("kind %d: got %s", kind, h)
					}
				}
			}
			if len(heard) != 6 || len(heard[0]) < 30 || s.Duplicates < 20 || s.Duplicates != len(heard[1]) || s.Late < 10 || s.Unreachable < 40 || s.Foreign+s.SendErrors != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestATargetToWhichNothingCanBeSentDisturbsNobody(t *testing.T) {
	inNamespace(t, "ip route add prohibit 198.18.1.0/24\n")
	plan := planOf(t, "127.4.0.0", 100, 200*time.Millisecond, 0)
	plan.Set(ping.Target{Key: "prohibited", Addr: netip.MustParseAddr("198.18.1.1"), Interval: 200 * time.Millisecond})
	plan.Set(ping.Target{Key: "nowhere", Addr: netip.MustParseAddr("198.18.2.1"), Interval: 200 * time.Millisecond})
	refused := map[string]error{}
	steadily(t, time.Second, plan, ping.Config{}, func(p ping.Probe, err error) {
		if err != nil {
			refused[p.Key] = err
		}
	})
	if len(refused) != 2 || !errors.Is(refused["prohibited"], unix.EACCES) || !errors.Is(refused["nowhere"], unix.ENETUNREACH) {
		t.Errorf("got %v", refused)
	}
}

// Requests to neighbours whose hardware address is not known wait for it in the kernel, three seconds. They are few here,
// because all networks of a machine share a table of 1,024 neighbours.
func TestNeighboursThatAreSilentLeaveRoomForTheOthers(t *testing.T) {
	inNamespace(t, "ip link add wire0 type veth peer name wire1\nip addr add 198.18.0.1/20 dev wire0\nip link set wire0 up\nip link set wire1 up\n")
	var sum ping.Summary
	up, _ := sweep(t, count("198.18.0.1", 300), ping.Config{Rate: ping.Unlimited, Tries: 4, Timeout: 100 * time.Millisecond, Summary: &sum})
	if len(up) != 1 || sum.SendErrors != 0 {
		t.Errorf("%+v", sum)
	}
	alive := 0
	s := steadily(t, 3*time.Second, planOf(t, "198.18.0.1", 300, 250*time.Millisecond, 200*time.Millisecond), ping.Config{}, func(_ ping.Probe, err error) {
		if err == nil {
			alive++
		}
	})
	if alive < 5 || s.SendErrors != 0 || s.Sent+s.Skipped < 3000 {
		t.Errorf("the one that is alive answered %d times, %+v", alive, s)
	}
}

// A loop body that sleeps while replies come in bursts: what the buffer has no room for is counted and told from silence.
func TestASlowLoopBodyLosesNoReplyUnnoticed(t *testing.T) {
	needRaw(t)
	slept, lost, doubtful := false, 0, 0
	plan := planOf(t, "127.5.0.0", 4000, time.Second, 300*time.Millisecond)
	s := steadily(t, 3*time.Second, plan, ping.Config{Buffer: 1}, func(_ ping.Probe, err error) {
		if !slept {
			time.Sleep(40 * time.Millisecond)
			slept = true
		}
		if err != nil {
			lost++
		}
		if errors.Is(err, ping.ErrDropped) {
			doubtful++
		}
	})
	if s.ReceiveDrops == 0 || lost == 0 || doubtful != lost || s.Lost != lost || s.ReceiveDrops < s.Sent-s.Received-4000 {
		t.Errorf("%d were lost, %d of them because of drops, %+v", lost, doubtful, s)
	}
}

func TestAPlanIsChangedWhileItIsAsked(t *testing.T) {
	needRaw(t)
	plan := planOf(t, "127.6.0.0", 500, 100*time.Millisecond, 0)
	var other sync.WaitGroup
	done := make(chan struct{})
	for worker := range 3 {
		other.Go(func() {
			for i := worker; ; i += 3 {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
				key := fmt.Sprint(i % 500)
				plan.Remove(key)
				plan.Set(ping.Target{Key: key, Addr: netip.AddrFrom4([4]byte{127, 6, 2, byte(i)}), Interval: time.Duration(50+i%50) * time.Millisecond})
				_, _ = plan.Stats(), plan.Len()
			}
		})
	}
	s := steadily(t, 2*time.Second, plan, ping.Config{}, func(p ping.Probe, err error) {
		if err != nil {
			t.Errorf("got %+v, %v", p, err)
		}
	})
	close(done)
	other.Wait()
	if s.Received < 2000 || s.Lost+s.Duplicates != 0 || plan.Len() != 500 {
		t.Errorf("%+v", s)
	}
	again := steadily(t, 300*time.Millisecond, plan, ping.Config{}, func(ping.Probe, error) {})
	if again.Targets != 500 || again.Received < 500 {
		t.Errorf("a second loop over the plan: %+v", again)
	}
}

func TestAPlanIsAskedByOneLoopAtATime(t *testing.T) {
	needRaw(t)
	plan := planOf(t, "127.0.0.1", 1, 20*time.Millisecond, 0)
	for range ping.Steady(t.Context(), plan, ping.Config{}) {
		n := 0
		for p, err := range ping.Steady(t.Context(), plan, ping.Config{}) {
			if n++; err == nil || p.Addr.IsValid() {
				t.Errorf("got %+v, %v", p, err)
			}
		}
		if n != 1 {
			t.Errorf("yielded %d times", n)
		}
		break
	}
	for _, err := range ping.Steady(t.Context(), plan, ping.Config{}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
}

func TestTheEndOfTheContextEndsAnIdleLoopAtOnce(t *testing.T) {
	needRaw(t)
	for _, m := range []ping.Method{ping.MethodRaw, ping.MethodProcess} {
		if m == ping.MethodProcess {
			needCommand(t)
		}
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
		n := 0
		for p, err := range ping.Steady(ctx, &ping.Plan{}, ping.Config{Method: m}) {
			if n++; p.Addr.IsValid() || !errors.Is(err, why) {
				t.Errorf("%s: got %+v, %v", m, p, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: yielded %d times", m, n)
		}
	}
}

func TestSteadyByTheCommandFindsTheSame(t *testing.T) {
	needCommand(t)
	needRaw(t)
	plan := planOf(t, "127.0.0.1", 20, time.Second, time.Second)
	plan.Set(ping.Target{Key: "bad", Addr: netip.MustParseAddr("127.255.255.255"), Interval: time.Second}) // wants another flag for a broadcast
	var refused, up int
	s := steadily(t, 2500*time.Millisecond, plan, ping.Config{Method: ping.MethodProcess}, func(p ping.Probe, err error) {
		switch {
		case err == nil && p.RTT > 0 && p.RTT < time.Second && !p.Late:
			up++
		case p.Key == "bad" && strings.Contains(err.Error(), "the ping command failed"):
			refused++
		default:
			t.Errorf("got %+v, %v", p, err)
		}
	})
	if up < 30 || s.Method != ping.MethodProcess || s.Received != up || s.Foreign != 0 {
		t.Errorf("%d were refused, %+v", refused, s)
	}
}

func TestATargetTakesLittleMemory(t *testing.T) {
	needRaw(t)
	if raceEnabled {
		t.Skip("the memory of the race detector is not ours")
	}
	const n = 50_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	plan := planOf(t, "127.32.0.0", n, time.Minute, 2*time.Second)
	var per uint64
	steadily(t, time.Second, plan, ping.Config{}, func(ping.Probe, error) {
		if per == 0 && plan.Stats().Sent > 500 {
			per = (heap() - before) / n
		}
	})
	if per == 0 || per > 400 {
		t.Errorf("a target takes %d bytes", per)
	}
	t.Logf("%d bytes a target", per)
}
