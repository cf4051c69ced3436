// Waitfor waits for a device that reloads to take connections again, for ten seconds and no longer.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"time"

	"github.com/musternet/muster/task"
)

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: waitfor HOST[:PORT]     to practise: muster sim --devices 1")
		os.Exit(2)
	}
	dial := new(net.Dialer).DialContext
	err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, os.Args[1], dial) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "waitfor:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, host string, dial dialer) error {
	state, err := task.Timeout(ctx, 10*time.Second, func(ctx context.Context) (string, error) {
		return answer(ctx, host, dial)
	})
	if timeout, ok := errors.AsType[*task.TimeoutError](err); ok {
		fmt.Fprintf(w, "%s: %v\n", host, timeout) // sw1: timed out after 10s
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %s\n", host, state)
	return nil
}

// answer tries port 22 again and again. It knows no end of its own: that is its context's business.
func answer(ctx context.Context, host string, dial dialer) (string, error) {
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, "22")
	}
	patience := task.Backoff{Attempts: math.MaxInt, Max: time.Second}
	conn, err := task.Retry(patience, func(ctx context.Context, host string) (net.Conn, error) { return dial(ctx, "tcp", host) })(ctx, host)
	if err != nil {
		return "", err
	}
	return "UP", conn.Close()
}
