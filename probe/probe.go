package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/musternet/muster"
)

// DefaultTimeout bounds a probe whose Target has no Timeout, unless its Kind says otherwise.
const DefaultTimeout = 2 * time.Second

// DefaultBanner is the same for a probe that waits for a greeting: devices look names up before they greet.
const DefaultBanner = 3 * time.Second

// Prober is one kind of probe.
type Prober interface {
	// Probe asks t once. It returns when the answer is there, when ctx ends, or when the target's time is over, whichever
	// is first. It never panics, leaves no goroutine and no socket behind, and may be called by many goroutines at once.
	Probe(ctx context.Context, t Target) muster.Outcome
}

// Target is who is asked.
type Target struct {
	// Addr is the address. Names are resolved by the caller, who knows how long an answer of the resolver holds: so a round
	// trip is the target's alone, and a resolver that is down takes no target down.
	Addr netip.Addr
	// Port is the port; 0 is that of the Kind.
	Port int
	// Timeout bounds the whole probe; 0 is that of the Kind.
	Timeout time.Duration
	// Name is how the target is called by protocols that ask by name: the Host of HTTP, the name in a certificate. It is
	// not looked up; empty is the address.
	Name string
}

// Dial opens a connection, as the method DialContext of net.Dialer does. The address is an IP address and a port.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// Options say what is asked, and how. The zero value is useful for every kind.
type Options struct {
	Dial Dial // nil: directly. It binds to a source address, takes a jump host, or serves a test; icmp has no use for it
	HTTP HTTP // for http and https
	DNS  DNS  // for dns
}

// base is what all kinds share.
type base struct {
	kind  Kind
	dial  Dial
	slack time.Duration // beyond the target's time, where what asks keeps to that time by itself
}

// answer is what a target said, also when that was not as it should be.
type answer struct {
	rtt    time.Duration
	detail string
}

// ask runs one probe: it fills in the target's defaults, bounds the time, and makes an Outcome of what came.
func (b base) ask(ctx context.Context, t Target, f func(context.Context, Target) (answer, error)) muster.Outcome {
	began := time.Now()
	t.Addr = t.Addr.Unmap()
	if t.Port == 0 {
		t.Port = b.kind.Port
	}
	if t.Timeout <= 0 {
		t.Timeout = b.kind.Timeout
	}
	var a answer
	err := checked(ctx, t)
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, t.Timeout+b.slack)
		a, err = f(bounded, t)
		cancel()
	}
	o := muster.Outcome{Probe: b.kind.Name, Up: err == nil, RTT: a.rtt, Detail: a.detail}
	if err != nil {
		o.Failure = failure(ctx, err, t, time.Since(began))
	}
	return o
}

// checked tells why a target cannot be asked at all.
func checked(ctx context.Context, t Target) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !t.Addr.IsValid() {
		return fail(muster.StageResolve, "unknown-host", errors.New("the target has no address"))
	}
	if t.Port < 0 || t.Port > 65535 {
		return failf(muster.StageResolve, "unknown-host", "there is no port %d", t.Port)
	}
	return nil
}

// addrPort is where a TCP or UDP probe goes.
func (t Target) addrPort() netip.AddrPort { return netip.AddrPortFrom(t.Addr, uint16(t.Port)) }
