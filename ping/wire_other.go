//go:build !linux

package ping

import (
	"context"
	"fmt"
	"runtime"
)

// openWire finds no socket: outside Linux the system's ping command is used.
func openWire(context.Context, wireConfig) (wire, Method, error) {
	return nil, "", fmt.Errorf("no ICMP socket on %s: %w", runtime.GOOS, ErrNotAllowed)
}

// noSocketNote says that this is slower than it could be.
func noSocketNote() string {
	return fmt.Sprintf("on %s muster runs one ping process a host, %d at once; on Linux it asks all of them over one socket", runtime.GOOS, ProcessLimit)
}
