// Monitor pings hosts in the background, each once a second, and says who goes down and who comes back.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/task"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: monitor HOST...     to practise: monitor 127.0.0.1 127.0.0.2")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, os.Args[1:], ping.Steady) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, hosts []string, pinger monitor.Pinger) error {
	var targets []monitor.Target
	for _, host := range hosts {
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			return err
		}
		targets = append(targets, monitor.Target{Device: muster.Device{Name: host}, Addr: addrs[0], Interval: time.Second})
	}
	m, err := monitor.New(monitor.Config{Targets: targets, Events: screen{w}, Pinger: pinger, Log: slog.Default()})
	if err != nil {
		return err
	}
	return m.Run(ctx) // until ctx ends
}

// screen is told of every change, one after the other.
type screen struct{ w io.Writer }

// PublishAll prints every change, but not who is unknown only because of somebody else.
func (s screen) PublishAll(_ context.Context, events []muster.Event) error {
	for _, e := range events {
		if t := e.Transition; t.To != muster.HealthUnknown || !t.Quiet {
			fmt.Fprintf(s.w, "%s: %s\n", cmp.Or(t.Device, "this machine"), strings.ToUpper(string(t.To)))
		}
	}
	return nil
}
