package monitor

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
)

// crowd is a fleet without a clock: whoever is alive answers each second.
type crowd struct {
	m   *Monitor
	now time.Duration
}

func newCrowd(tb testing.TB, n int, parent string) *crowd {
	targets := make([]Target, n)
	addr := netip.MustParseAddr("198.18.0.1")
	for i := range targets {
		targets[i] = Target{Device: muster.Device{Name: fmt.Sprintf("h%05d", i), Address: addr.String()}, Interval: time.Second, Timeout: 500 * time.Millisecond}
		if parent != "" && i > 0 {
			targets[i].Parents = []string{parent}
		}
		addr = addr.Next()
	}
	m, err := New(Config{Targets: targets})
	if err != nil {
		tb.Fatal(err)
	}
	return &crowd{m, 0}
}

// second asks everybody, evenly, and takes what time alone brings.
func (c *crowd) second(alive func(i int) bool) {
	f := &c.m.fleet
	for i, d := range f.devices {
		if c.now += time.Second / time.Duration(len(f.devices)); i%(len(f.devices)/10) == 0 {
			f.tick(c.now)
		}
		r := result{kind: inTime, sent: c.now, rtt: time.Millisecond}
		if !alive(i) {
			r = result{kind: lost, sent: c.now - 500*time.Millisecond, err: ping.ErrNoReply}
		}
		f.take(d.checks[0], r, c.now)
	}
}

func (c *crowd) count() (loud int, health map[muster.Health]int) {
	for _, t := range c.m.fleet.out {
		if !t.Quiet {
			loud++
		}
	}
	return loud, c.m.Stats().Health
}

func TestWhatHappensToManyIsJudgedInTime(t *testing.T) {
	t.Parallel()
	const n = 20_000
	all := func(int) bool { return true }
	cases := map[string]struct {
		parent string
		alive  func(i int) bool
		loud   int
		health muster.Health
		many   int
	}{
		"all silent":              {"", func(int) bool { return false }, 1, muster.HealthUnknown, n},
		"one in a hundred alive":  {"", func(i int) bool { return i%100 == 7 }, 1, muster.HealthUnknown, n},
		"one in twenty alive":     {"", func(i int) bool { return i%20 == 7 }, n * 19 / 20, muster.HealthDown, n * 19 / 20},
		"half, one after another": {"", func(i int) bool { return i > n/2 }, n/2 + 1, muster.HealthDown, n/2 + 1},
		"all behind one":          {"h00000", func(int) bool { return false }, 1, muster.HealthUnknown, n - 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crowd := newCrowd(t, n, c.parent)
			for range 4 {
				crowd.second(all)
			}
			began := time.Now()
			for range 5 {
				crowd.second(c.alive)
			}
			if loud, health := crowd.count(); loud != c.loud || health[c.health] != c.many {
				t.Errorf("%d told, %v", loud, health)
			}
			if d := time.Since(began); d > 20*time.Second {
				t.Errorf("5 s took %s", d)
			} else {
				t.Log(d)
			}
		})
	}
}
