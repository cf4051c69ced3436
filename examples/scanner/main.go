// Scanner pings every host of a subnet, 50 at once, and tells how many are up.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"time"

	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/task"
)

type pinger func(ctx context.Context, addr netip.Addr, timeout time.Duration) (ping.Reply, error)

func main() {
	network, err := netip.ParsePrefix(append(os.Args, "")[1])
	if err != nil || len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: scanner PREFIX, such as 192.0.2.0/24     to practise: scanner 127.1.2.0/24")
		os.Exit(2)
	}
	if err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, network, ping.Once) }); err != nil {
		fmt.Fprintln(os.Stderr, "scanner:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, network netip.Prefix, once pinger) error {
	check := func(ctx context.Context, addr netip.Addr) (ping.Reply, error) { return once(ctx, addr, 2*time.Second) }
	up := 0
	for addr, r := range task.AsCompleted(ctx, hosts(network), check, task.Limit(50)) {
		switch {
		case r.Err == nil:
			up++
			fmt.Fprintf(w, "%s: UP\n", addr)
		case !errors.Is(r.Err, ping.ErrNoReply) && ctx.Err() == nil: // nobody knows whether this host is up
			fmt.Fprintf(w, "%s: FAILED - %v\n", addr, r.Err)
		}
	}
	fmt.Fprintf(w, "Found %d hosts up in %s\n", up, network.Masked()) // after Ctrl-C too: what is known by then
	return ctx.Err()
}

// hosts are .1 to .254 of a /24: all but the first and the last address.
func hosts(network netip.Prefix) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for addr := network.Masked().Addr().Next(); network.Contains(addr.Next()) && yield(addr); {
			addr = addr.Next()
		}
	}
}
