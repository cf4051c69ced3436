//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// dumpOnSignal prints the live task tree whenever SIGUSR1 arrives, until ctx ends.
func dumpOnSignal(ctx context.Context, dump func()) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			dump()
		}
	}
}

// survivePipes has a write to a reader that has left return EPIPE, until undo is called: what runs can be ended in order then.
func survivePipes() (undo func()) {
	signal.Ignore(syscall.SIGPIPE)
	return func() { signal.Reset(syscall.SIGPIPE) }
}
