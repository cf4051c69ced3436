package ping_test

import (
	"context"
	"fmt"
	"net/netip"

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
