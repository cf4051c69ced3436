package ping

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"syscall"
	"time"
)

// The settings that a zero Config stands for.
const (
	DefaultRate    = 5000
	DefaultTries   = 2
	DefaultTimeout = 2 * time.Second
	DefaultBuffer  = 32 << 20
)

// Unlimited is the Rate of a sweep that sends as fast as the kernel takes it.
const Unlimited = -1

// MaxTries bounds Config.Tries.
const MaxTries = 8

// ProcessLimit is how many ping commands run at once where no socket is allowed.
const ProcessLimit = 50

// Config says how a sweep is done. The zero value is safe: DefaultRate, DefaultTries and DefaultTimeout.
type Config struct {
	// Rate is the number of requests a second; 0 is DefaultRate. It does not bound MethodProcess, which ProcessLimit bounds.
	Rate int
	// Tries is how often a target is asked in all, at most MaxTries; only those that did not answer are asked again.
	Tries int
	// Timeout is how long after a request its reply is in time. A target is asked again no sooner.
	Timeout time.Duration
	// Linger is how much longer than Timeout late replies to the last requests are waited for, when somebody is missing.
	Linger time.Duration
	// Buffer is the receive buffer to ask the kernel for, in bytes; 0 is DefaultBuffer. Summary.Buffer is what it gave.
	Buffer int
	// Method is the way to ask; MethodAuto, the zero value, is the best one that is allowed.
	Method Method
	// Summary, when set, is kept up to date. It may be read in the body of the loop and after it.
	Summary *Summary
	// Duplicate, when set, is told of each further reply to a request that had its reply, by the goroutine that ranges and
	// between two turns of the loop. MethodProcess knows of none.
	Duplicate func(netip.Addr)
	// Note, when set, is told once, before the first request, what an operator should know about this sweep. It is called
	// by the goroutine that ranges.
	Note func(string)
}

// Method is a way of sending echo requests.
type Method string

// The methods. MethodAuto takes the first of the others that is allowed.
const (
	MethodAuto    Method = ""
	MethodRaw     Method = "raw"     // a raw socket: root or CAP_NET_RAW
	MethodSocket  Method = "socket"  // the unprivileged ping socket: net.ipv4.ping_group_range
	MethodProcess Method = "process" // the system's ping command, one process a host
)

// Reply is the first answer of a host.
type Reply struct {
	// Addr is the target; one of IPv4 that was given as ::ffff:a.b.c.d is a.b.c.d.
	Addr netip.Addr
	// RTT is the time from the request that was answered to the arrival of the reply in the kernel.
	RTT time.Duration
	// Try is which request was answered, from 1.
	Try int
	// Late says that RTT is longer than Config.Timeout.
	Late bool
}

// Summary accounts for a sweep.
type Summary struct {
	// Targets is how many addresses were given, Up how many of them answered, Late how many of these only late.
	Targets int `json:"targets"`
	Up      int `json:"up"`
	Late    int `json:"late"`
	// Sent counts requests that the kernel took and SendErrors those that it refused.
	Sent       int `json:"sent"`
	SendErrors int `json:"send_errors"`
	// Received counts genuine replies. Duplicates are those of them that answer a request that had its answer.
	Received   int `json:"received"`
	Duplicates int `json:"duplicates"`
	// Foreign counts what looked like a reply but had the wrong cookie or came from the wrong address.
	Foreign int `json:"foreign"`
	// Unreachable counts messages about targets that cannot be reached. They are a hint: routers send few of them.
	Unreachable int `json:"unreachable"`
	// ReceiveDrops is how many packets the kernel threw away because the receive buffer was full.
	ReceiveDrops int `json:"receive_drops"`
	// Lost is how many targets the verdict on which is no verdict, counted at the end of a sweep that was not stopped: those
	// that stayed silent although the receive buffer dropped packets after their last request, at most as many as it dropped
	// since then, and the Unsent, none of whose requests the kernel took. 0 says that no reply was lost for good here; more
	// is an upper bound, because what was dropped is not known.
	Lost   int `json:"lost"`
	Unsent int `json:"unsent"`
	// Buffer is the receive buffer that the kernel granted, in bytes.
	Buffer int `json:"buffer"`
	// Method is how the requests were sent.
	Method Method `json:"method"`
	// Elapsed is how long the sweep took.
	Elapsed time.Duration `json:"elapsed"`
}

// ErrNoReply is the error of a target that did not answer.
var ErrNoReply = errors.New("no reply")

// ErrNotAllowed is found in the error of a sweep whose Method is not allowed to this user, or not known to this system.
var ErrNotAllowed = errors.New("not allowed")

// UnreachableError is the error of a target that did not answer and of which a router, or this machine, said that it
// cannot be reached. It matches ErrNoReply.
type UnreachableError struct {
	// Reason is what was said, such as "host unreachable".
	Reason string
}

// Error says that there was no reply and what was heard instead.
func (e *UnreachableError) Error() string { return "no reply: " + e.Reason }

// Unwrap makes the error match ErrNoReply.
func (e *UnreachableError) Unwrap() error { return ErrNoReply }

// SendError is the error of a target to which the kernel refused to send the last request.
type SendError struct {
	// Err is the reason of the kernel.
	Err error
}

// Error says that the request was not sent.
func (e *SendError) Error() string { return fmt.Sprintf("send echo request: %v", e.Err) }

// Unwrap gives the reason of the kernel.
func (e *SendError) Unwrap() error { return e.Err }

// Once asks addr once and waits for the reply, for at most timeout; 0 is DefaultTimeout. The error matches ErrNoReply
// when there was none.
func Once(ctx context.Context, addr netip.Addr, timeout time.Duration) (Reply, error) {
	target := func(yield func(netip.Addr) bool) { yield(addr) }
	for r, err := range Sweep(ctx, target, Config{Tries: 1, Timeout: timeout, Buffer: 64 << 10}) {
		if err != nil {
			return Reply{Addr: addr}, fmt.Errorf("ping %s: %w", addr, err)
		}
		return r, nil
	}
	return Reply{Addr: addr}, fmt.Errorf("ping %s: %w", addr, ErrNoReply)
}

// Sweep asks every target and yields each of them once: as soon as it answers with a nil error, and when the sweep has
// done all it can with an error that matches ErrNoReply or is a *SendError. An error beside a Reply without Addr is about
// the sweep as a whole and the last thing that is yielded: a Config that makes no sense, a socket that could not be
// opened, a target that is the zero Addr, the end of ctx.
//
// Targets are asked in their order, and read only when the next one can be asked. The sweep holds 8 bytes for an IPv4
// target and 32 for one of IPv6. Each range over the value is a sweep of its own. Nothing is sent to a broadcast address.
//
// When everybody has answered the sweep waits a moment for duplicates that are on their way: as long as the longest round
// trip was, at least 10 ms and at most Timeout. A loop that is left waits for nothing.
func Sweep(ctx context.Context, targets iter.Seq[netip.Addr], cfg Config) iter.Seq2[Reply, error] {
	return func(yield func(Reply, error) bool) {
		c, err := cfg.complete()
		if err != nil {
			yield(Reply{}, err)
			return
		}
		*c.Summary = Summary{}
		began := time.Now()
		defer func() { c.Summary.Elapsed = time.Since(began) }()
		c.sweep(ctx, targets, yield)
	}
}

// complete returns the Config with its defaults filled in.
func (c Config) complete() (Config, error) {
	if c.Rate < Unlimited || c.Tries < 0 || c.Timeout < 0 || c.Linger < 0 || c.Buffer < 0 {
		return c, errors.New("ping: rate, tries, timeout, linger and buffer must not be negative")
	}
	if c.Tries > MaxTries {
		return c, fmt.Errorf("ping: %d tries are more than %d", c.Tries, MaxTries)
	}
	c.Rate = or(c.Rate, DefaultRate)
	c.Tries = or(c.Tries, DefaultTries)
	c.Timeout = or(c.Timeout, DefaultTimeout)
	c.Buffer = or(c.Buffer, DefaultBuffer)
	if c.Summary == nil {
		c.Summary = &Summary{}
	}
	if c.Note == nil {
		c.Note = func(string) {}
	}
	if c.Duplicate == nil {
		c.Duplicate = func(netip.Addr) {}
	}
	return c, nil
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// sweep opens the best way that is allowed and sweeps by it.
func (c Config) sweep(ctx context.Context, targets iter.Seq[netip.Addr], yield func(Reply, error) bool) {
	if c.Method == MethodProcess {
		c.sweepByProcess(ctx, targets, yield)
		return
	}
	ids := anyIDs(c.Tries)
	w, method, err := openWire(ctx, wireConfig{method: c.Method, buffer: c.Buffer, ids: ids, patience: 100})
	switch {
	case errors.Is(err, ErrNotAllowed) && c.Method == MethodAuto:
		c.Note(noSocketNote())
		c.sweepByProcess(ctx, targets, yield)
	case err != nil:
		yield(Reply{}, fmt.Errorf("ping: %w", err))
	default:
		defer w.close()
		c.Summary.Method, c.Summary.Buffer = method, w.granted()
		newEngine(ctx, c, ids, w, yield).run(targets)
	}
}

// noAddress is the error of a sweep that was given the zero netip.Addr after n targets.
func noAddress(n int) error { return fmt.Errorf("ping: target %d is no address", n+1) }

// unknownErrno stands for an error that is no number of a system call: EIO, by its number in every Unix.
const unknownErrno = 5

// errnoOf returns the number of a system call's error, to be kept in one byte of the table.
func errnoOf(err error) uint8 {
	var errno syscall.Errno
	if errors.As(err, &errno) && errno > 0 && errno < 256 {
		return uint8(errno)
	}
	return unknownErrno
}
