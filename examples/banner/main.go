// Banner asks one device for the line it greets with, and gives up after ten seconds.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/musternet/muster/task"
)

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: banner HOST[:PORT]     to practise: muster sim --devices 1")
		os.Exit(2)
	}
	dial := new(net.Dialer).DialContext
	err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, os.Args[1], dial) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "banner:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, host string, dial dialer) error {
	banner, err := task.Timeout(ctx, 10*time.Second, func(ctx context.Context) (string, error) {
		return fetch(ctx, host, dial)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", host, err)
	}
	fmt.Fprintf(w, "%s: %q\n", host, strings.TrimSpace(banner)) // %q: who knows what a stranger sends
	return nil
}

// fetch opens port 22, reads at most 4,096 bytes and closes.
func fetch(ctx context.Context, host string, dial dialer) (string, error) {
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, "22")
	}
	conn, err := dial(ctx, "tcp", host)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })() // the end of ctx ends the read
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return string(buf[:n]), err
}
