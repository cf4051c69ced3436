package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/musternet/muster"
)

// PortOptions say how a port is asked.
type PortOptions struct {
	Timeout time.Duration // for the connection; 0: DefaultTimeout
	Banner  time.Duration // how long to wait for what the server says by itself; 0: not at all
	Dial    Dial          // nil: directly
}

// UnreachableError is the error of a port that is silent because a router, or this machine's own routing, says that there
// is no way.
type UnreachableError struct {
	// Reason is what was said, such as "no route to host".
	Reason string
}

// Error says that there is no way, and in which words that was told.
func (e *UnreachableError) Error() string { return "no way there: " + e.Reason }

// Port opens one TCP port and, where a banner is asked for, waits for what the server says by itself: the first line that
// is not blank, cut to 255 bytes, without the negotiation of telnet, with U+FFFD for what is no UTF-8 and all other
// bytes as they came.
//
// The round trip is that of the connection or of its refusal; 0: nobody answered. An *UnreachableError
// is an answer too: it comes with a port that is filtered. Any other error says nothing of the port, whose State is then
// empty: ctx ended, or this machine could not send.
//
// It may be called by thousands at once, each of which holds a descriptor meanwhile.
func Port(ctx context.Context, addr netip.AddrPort, o PortOptions) (muster.Port, time.Duration, error) {
	port := muster.Port{Number: int(addr.Port())}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	if err := checked(ctx, Target{Addr: addr.Addr()}); err != nil {
		return port, 0, fmt.Errorf("ask port %d: %w", port.Number, err)
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	bounded, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, rtt, err := o.Dial.open(bounded, "tcp", addr)
	if err != nil {
		return refused(ctx, bounded, port, rtt, err)
	}
	port.State = muster.PortOpen
	if o.Banner <= 0 {
		reset(conn)
		return port, rtt, nil
	}
	spoke := false
	if port.Banner, spoke = banner(ctx, conn, o.Banner); !spoke {
		port.State = muster.PortMute
	}
	if ctx.Err() != nil {
		return muster.Port{Number: port.Number}, rtt, fmt.Errorf("ask %s: %w", addr, context.Cause(ctx))
	}
	return port, rtt, nil
}

// refused reads the error of a port that was not opened. A reset right after the connection stands with the refusals: the
// host lives, and nothing can be said to that port.
func refused(ctx, bounded context.Context, port muster.Port, rtt time.Duration, err error) (muster.Port, time.Duration, error) {
	if ctx.Err() != nil {
		return port, 0, fmt.Errorf("ask port %d: %w", port.Number, context.Cause(ctx))
	}
	switch codeOf(bounded, err) {
	case "refused", "connection-lost":
		port.State = muster.PortClosed
		return port, rtt, nil
	case "timeout":
		port.State = muster.PortFiltered
		return port, 0, nil
	case "send-failed":
		return port, 0, fmt.Errorf("ask port %d: %w", port.Number, cause(err))
	}
	port.State = muster.PortFiltered
	return port, 0, &UnreachableError{Reason: reason(err)}
}

// reason is an error in the words of the system call, without its name.
func reason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}
