// Tasks starts one named task a host in the background, each of which checks whether the host answers.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/musternet/muster/task"
)

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: tasks HOST[:PORT]...     to practise: muster sim")
		os.Exit(2)
	}
	dial := new(net.Dialer).DialContext
	err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, os.Args[1:], dial) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "tasks:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, hosts []string, dial dialer) error {
	return task.Scope(ctx, "checks", func(ctx context.Context, g *task.Group) error {
		var checks []*task.Task[string]
		for _, host := range hosts {
			checks = append(checks, task.Start(g, host, func(ctx context.Context) (string, error) { return check(ctx, host, dial) }))
		}
		for _, t := range checks { // all of them are running by now
			state, err := t.Wait(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s: %s\n", t.Name(), state)
		}
		return nil
	})
}

// check opens port 22 within two seconds. That a host is down is an answer; the error is for being told to stop.
func check(ctx context.Context, host string, dial dialer) (string, error) {
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, "22")
	}
	conn, err := task.Timeout(ctx, 2*time.Second, func(ctx context.Context) (net.Conn, error) { return dial(ctx, "tcp", host) })
	if err != nil {
		return "DOWN", ctx.Err()
	}
	return "UP", conn.Close()
}
