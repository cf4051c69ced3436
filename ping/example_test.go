package ping_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/musternet/muster/ping"
)

// A sweep of a network: every address is yielded once, those that answer as soon as they do.
func ExampleSweep() {
	network := netip.MustParsePrefix("127.9.0.0/24")
	targets := func(yield func(netip.Addr) bool) {
		for addr := network.Addr(); network.Contains(addr) && yield(addr); {
			addr = addr.Next()
		}
	}
	up := 0
	for _, err := range ping.Sweep(context.Background(), targets, ping.Config{}) {
		if err == nil {
			up++
		}
	}
	fmt.Println(up, "hosts are up")
	// Output: 256 hosts are up
}

// Two hosts are watched, each in its own interval.
func ExampleSteady() {
	var plan ping.Plan
	for i, key := range []string{"r1", "r2"} {
		err := plan.Set(ping.Target{Key: key, Addr: netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}), Interval: time.Duration(i+1) * 50 * time.Millisecond})
		if err != nil {
			fmt.Println(err)
		}
	}
	answers := map[string]int{}
	for probe, err := range ping.Steady(context.Background(), &plan, ping.Config{}) {
		if err != nil {
			fmt.Println(probe.Key, err)
			break
		}
		if answers[probe.Key]++; answers["r1"] > 3 && answers["r2"] > 1 {
			fmt.Println("both answer")
			break
		}
	}
	// Output: both answer
}
