// Logstream hears what devices log, and alerts on what is critical.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/musternet/muster/syslog"
	"github.com/musternet/muster/task"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: logstream ADDRESS, such as :514     to practise: logstream 127.0.0.1:5514, and")
		fmt.Fprintln(os.Stderr, "       logger --server 127.0.0.1 --port 5514 --udp --priority local7.crit 'fan 1 has failed'")
		os.Exit(2)
	}
	if err := task.Run(func(ctx context.Context) error { return run(ctx, os.Stdout, os.Args[1], func(string) {}) }); err != nil {
		fmt.Fprintln(os.Stderr, "logstream:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, address string, ready func(address string)) error {
	stream, err := syslog.Listen(ctx, syslog.Config{UDP: []string{address}})
	if err != nil {
		return err
	}
	defer stream.Close()
	ready(stream.Addrs()[0].String())
	for msg, err := range stream.Messages(ctx) {
		if err != nil {
			return err
		}
		if msg.Severity <= syslog.Critical || bytes.Contains(msg.Raw, []byte("CRITICAL")) {
			fmt.Fprintf(w, "ALERT: %s: %q\n", msg.Source.Addr(), msg.Text) // quoted: it may hold anything
		}
	}
	if lost := stream.Counts().Dropped; lost > 0 {
		fmt.Fprintf(w, "%d messages were lost\n", lost)
	}
	return nil // ctx has ended: that is how it stops
}
