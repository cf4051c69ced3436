// Tasks starts one named task a host in the background, each of which pings its host.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/task"
)

type pinger func(ctx context.Context, addr netip.Addr, timeout time.Duration) (ping.Reply, error)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: tasks HOST...     to practise: tasks 127.0.0.1 127.0.0.2")
		os.Exit(2)
	}
	err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, os.Args[1:], ping.Once) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "tasks:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, hosts []string, once pinger) error {
	return task.Scope(ctx, "checks", func(ctx context.Context, g *task.Group) error {
		var checks []*task.Task[string]
		for _, host := range hosts {
			checks = append(checks, task.Start(g, host, func(ctx context.Context) (string, error) { return check(ctx, host, once) }))
		}
		for _, t := range checks { // all of them are running by now
			state, err := t.Wait(ctx)
			if err != nil {
				return nil // the group says why
			}
			fmt.Fprintf(w, "%s: %s\n", t.Name(), state)
		}
		return nil
	})
}

// check pings once. That nobody answers is an answer; an error is that nothing could be asked, or being told to stop.
func check(ctx context.Context, host string, once pinger) (string, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return "", err
	}
	_, err = once(ctx, addrs[0], 2*time.Second)
	if errors.Is(err, ping.ErrNoReply) {
		return "DOWN", nil
	}
	return "UP", err
}
