package scan

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/probe"
	"github.com/musternet/muster/task"
)

// asker asks hosts for their ports. It is safe for concurrent use.
type asker struct {
	slots   *task.Semaphore // of connections
	pace    *rate.Limiter
	tries   int
	pinged  bool // a host that is not up was silent to a ping
	banner  time.Duration
	options probe.PortOptions

	sent, received, sendErrors, unreachable atomic.Int64
}

const (
	portsAtOnce = 16                     // of one host: some devices take more for an attack
	portsLen    = 256                    // how many answers of one host are waited for together
	localPause  = 100 * time.Millisecond // before a request is made again that this machine could not make
)

// listeners are ports whose servers wait for the client to speak first: that such a port is mute says nothing.
var listeners = []int{53, 80, 179, 443, 8080, 8443, 9060}

func newAsker(c Config) *asker {
	limit := rate.Inf
	if c.Ping.Rate != ping.Unlimited {
		limit = rate.Limit(c.Ping.Rate)
	}
	return &asker{
		slots: task.NewSemaphore(int64(c.InFlight)), pace: rate.NewLimiter(limit, 1), tries: c.Ping.Tries, pinged: !c.NoPing,
		banner: c.Banner, options: probe.PortOptions{Timeout: c.Ping.Timeout, Dial: c.Dial},
	}
}

// hostsAtOnce is how many hosts keep all connections busy: with many ports a few are enough.
func hostsAtOnce(c Config) int {
	return max(1, c.InFlight/max(1, min(len(c.Ports), portsAtOnce)))
}

// answer is what asking for one port gave.
type answer struct {
	port muster.Port
	rtt  time.Duration
	err  error // nothing is known of the port
}

// ask asks a host for ports and writes into it what that says. When ctx ends, the ports of which nothing is known are
// left out. It tells whether there are others of these: this machine could not ask for them.
func (a *asker) ask(ctx context.Context, h *muster.Host, ports []int) (doubt bool) {
	for some := range slices.Chunk(ports, portsLen) {
		answers := task.Settle(ctx, some, func(ctx context.Context, port int) (answer, error) {
			return a.port(ctx, netip.AddrPortFrom(h.Addr, uint16(port))), nil
		}, task.Limit(portsAtOnce), task.Named("ports"))
		for _, r := range answers {
			if r.Err == nil && !a.take(h, r.Value) {
				doubt = true
			}
		}
		if len(ports) > MostListed {
			h.Ports = worthListing(h.Ports)
		}
	}
	return doubt && ctx.Err() == nil
}

// worthListing leaves out the ports that are not open, but for the first that refused where there is no other: it tells how
// the host was found.
func worthListing(ports []muster.Port) []muster.Port {
	refused := slices.IndexFunc(ports, func(p muster.Port) bool { return p.State == muster.PortClosed })
	var open []muster.Port
	for _, p := range ports {
		if p.State == muster.PortOpen || p.State == muster.PortMute {
			open = append(open, p)
		}
	}
	if len(open) == 0 && refused >= 0 {
		return slices.Clone(ports[refused : refused+1])
	}
	return open
}

// take writes one answer into the host. It reports false where nothing is known of the port.
func (a *asker) take(h *muster.Host, answer answer) bool {
	up := h.State == muster.HostUp
	unreachable, ok := errors.AsType[*probe.UnreachableError](answer.err)
	switch {
	case ok && !up:
		h.State, h.Reason = muster.HostUnreachable, unreachable.Reason
	case answer.err != nil && !ok:
		if !up {
			h.Reason = answer.err.Error()
		}
		return false
	case answer.port.State != muster.PortFiltered && !up:
		h.State, h.RTT, h.Reason, h.Filtered = muster.HostUp, answer.rtt, "", a.pinged
	}
	h.Ports = append(h.Ports, answer.port)
	return true
}

// port asks for one port, again where there was no answer.
func (a *asker) port(ctx context.Context, to netip.AddrPort) (last answer) {
	for try := range a.tries {
		next, err := a.once(ctx, to)
		if err != nil {
			if try == 0 {
				last.err = err
			}
			return last
		}
		if last = next; last.err == nil && last.port.State != muster.PortFiltered {
			a.received.Add(1)
			return last
		}
		if last.err != nil && !isUnreachable(last.err) {
			pause(ctx)
		}
	}
	return last
}

// pause waits until this machine may have again what it had too little of.
func pause(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, localPause)
	defer cancel()
	<-ctx.Done()
}

// once opens one connection, when there is a place for it and the rate allows. Its error is the end of ctx, which an open
// port that was not waited for long enough to say something is told before.
func (a *asker) once(ctx context.Context, to netip.AddrPort) (answer, error) {
	if err := a.slots.Acquire(ctx, 1); err != nil {
		return answer{}, err
	}
	defer a.slots.Release(1)
	if err := a.pace.Wait(ctx); err != nil {
		return answer{}, err
	}
	o := a.options
	if !slices.Contains(listeners, int(to.Port())) {
		o.Banner = a.banner
	}
	port, rtt, err := probe.Port(ctx, to, o)
	switch {
	case err != nil && ctx.Err() != nil && rtt > 0:
		port.State, err = muster.PortOpen, nil
	case err != nil && ctx.Err() != nil:
		return answer{}, err
	}
	a.count(err)
	return answer{port, rtt, err}, nil
}

// count counts what was sent.
func (a *asker) count(err error) {
	switch {
	case err == nil:
		a.sent.Add(1)
	case isUnreachable(err):
		a.sent.Add(1)
		a.unreachable.Add(1)
	default:
		a.sendErrors.Add(1)
	}
}

func isUnreachable(err error) bool {
	_, ok := errors.AsType[*probe.UnreachableError](err)
	return ok
}
