//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// reloadSignals passes on each SIGHUP, which asks to read the settings anew.
func reloadSignals() (reload <-chan os.Signal, stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals, func() { signal.Stop(signals) }
}
