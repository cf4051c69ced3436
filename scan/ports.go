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

	sent, received, sendErrors, unreachable, lost atomic.Int64
}

// portsAtOnce is how many ports one host is asked for at once: some devices take more for an attack.
const portsAtOnce = 16

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

// answer is what asking for one port gave.
type answer struct {
	port muster.Port
	rtt  time.Duration
	err  error // nothing is known of the port
}

// ask asks a host for ports and writes into it what that says. When ctx ends, the ports of which nothing is known are
// left out.
func (a *asker) ask(ctx context.Context, h *muster.Host, ports []int) {
	answers := task.Settle(ctx, ports, func(ctx context.Context, port int) (answer, error) {
		return a.port(ctx, netip.AddrPortFrom(h.Addr, uint16(port))), nil
	}, task.Limit(portsAtOnce), task.Named("ports"))
	asked := 0
	for _, r := range answers {
		if r.Err == nil {
			asked += a.take(h, r.Value)
		}
	}
	if len(ports) > 0 && asked == 0 && h.State != muster.HostUp && ctx.Err() == nil {
		a.lost.Add(1)
	}
}

// take writes one answer into the host. It returns how many ports it told something of.
func (a *asker) take(h *muster.Host, answer answer) int {
	up := h.State == muster.HostUp
	unreachable, ok := errors.AsType[*probe.UnreachableError](answer.err)
	switch {
	case ok && !up:
		h.State, h.Reason = muster.HostUnreachable, unreachable.Reason
	case answer.err != nil && !ok:
		if !up {
			h.Reason = answer.err.Error()
		}
		return 0
	case answer.port.State != muster.PortFiltered && !up:
		h.State, h.RTT, h.Reason, h.Filtered = muster.HostUp, answer.rtt, "", a.pinged
	}
	h.Ports = append(h.Ports, answer.port)
	return 1
}

// port asks for one port, again where there was no answer.
func (a *asker) port(ctx context.Context, to netip.AddrPort) (last answer) {
	for range a.tries {
		next, err := a.once(ctx, to)
		if err != nil {
			break // ctx has ended
		}
		last = next
		if last.err == nil && last.port.State != muster.PortFiltered {
			a.received.Add(1)
			return last
		}
	}
	if last.port.Number == 0 && last.err == nil {
		last.err = context.Cause(ctx)
	}
	return last
}

// once opens one connection, when there is a place for it and the rate allows. Its error is the end of ctx.
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
	if ctx.Err() != nil && err != nil {
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
