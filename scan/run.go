package scan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/task"
)

// runner is one scan. All but examine runs in the goroutine that ranges.
type runner struct {
	Config
	targets Targets
	yield   func(muster.Host, error) bool
	began   time.Time
	pings   ping.Summary
	doubles map[netip.Addr]int // duplicates
	held    hold
	ports   *asker
	err     error // what ended the pings
	over    bool  // the loop body has had enough
}

func newRunner(t Targets, c Config, yield func(muster.Host, error) bool) *runner {
	return &runner{Config: c, targets: t, yield: yield, began: time.Now(), doubles: map[netip.Addr]int{}, ports: newAsker(c)}
}

func (r *runner) run(ctx context.Context) {
	*r.Summary = Summary{Targets: r.targets.Len()}
	for host := range r.examined(ctx) {
		if !r.found(host) {
			return
		}
	}
	r.release(r.held.rest())
	r.count()
	if !r.over && (r.err != nil || ctx.Err() != nil) {
		r.yield(muster.Host{}, r.ended(ctx))
	}
}

// ended is the error of a scan that did not come to its end.
func (r *runner) ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("scan: stopped: %w", context.Cause(ctx))
	}
	return fmt.Errorf("scan: %w", r.err)
}

// asked yields every target with what its ping says.
func (r *runner) asked(ctx context.Context) iter.Seq[muster.Host] {
	if r.NoPing {
		return r.unpinged(ctx)
	}
	c := r.Ping
	c.Summary = &r.pings
	c.Duplicate = func(a netip.Addr) { r.doubles[a]++ }
	return func(yield func(muster.Host) bool) {
		for reply, err := range ping.Sweep(ctx, r.drawn(), c) {
			if !reply.Addr.IsValid() {
				r.err = err
				return
			}
			if !yield(pinged(reply, err)) {
				return
			}
		}
	}
}

// drawn are the targets in the order in which they are asked.
func (r *runner) drawn() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for addr := range r.targets.Shuffled(rand.Uint64()) {
			r.Progress.Asked.Add(1)
			if !yield(addr) {
				return
			}
		}
	}
}

func (r *runner) unpinged(ctx context.Context) iter.Seq[muster.Host] {
	return func(yield func(muster.Host) bool) {
		for addr := range r.drawn() {
			if ctx.Err() != nil || !yield(muster.Host{Addr: addr, State: muster.HostDown}) {
				return
			}
		}
	}
}

// pinged is a host of which no more is known than its ping.
func pinged(reply ping.Reply, err error) muster.Host {
	h := muster.Host{Addr: reply.Addr, State: muster.HostDown}
	var unreachable *ping.UnreachableError
	switch {
	case err == nil:
		h.State, h.RTT, h.Late = muster.HostUp, reply.RTT, reply.Late
	case errors.As(err, &unreachable):
		h.State, h.Reason = muster.HostUnreachable, unreachable.Reason
	case errors.Is(err, ping.ErrNoReply):
		h.Reason = "no reply"
	default:
		h.Reason = err.Error()
	}
	return h
}

// examined yields the hosts with all that is wanted of them.
func (r *runner) examined(ctx context.Context) iter.Seq[muster.Host] {
	if len(r.Ports) == 0 && r.Identify == nil {
		return r.asked(ctx)
	}
	return func(yield func(muster.Host) bool) {
		for _, done := range task.AsCompleted(ctx, r.asked(ctx), r.examine, task.Limit(r.InFlight), task.Named("scan")) {
			if done.Err != nil {
				r.err = errors.Join(r.err, done.Err)
				continue
			}
			if !yield(done.Value) {
				return
			}
		}
	}
}

// examine asks for the ports of a host and has it identified. It runs in a task of its own, and says what is known when
// ctx ends.
func (r *runner) examine(ctx context.Context, h muster.Host) (muster.Host, error) {
	r.ports.ask(ctx, &h, r.Ports)
	if h.State != muster.HostUp || r.Identify == nil {
		return h, nil
	}
	if !slices.Contains(r.Ports, SSHPort) {
		r.ports.ask(ctx, &h, []int{SSHPort})
		slices.SortFunc(h.Ports, func(a, b muster.Port) int { return a.Number - b.Number })
	}
	if ctx.Err() == nil {
		r.Identify(ctx, &h)
	}
	return h, nil
}

// found takes a host that is complete. It is held back for a while, so that duplicates of its reply are counted first.
func (r *runner) found(h muster.Host) (more bool) {
	r.Progress.Done.Add(1)
	switch h.State {
	case muster.HostUp:
		r.Summary.Up++
		r.Progress.Up.Add(1)
	default:
		if !r.All {
			return true
		}
	}
	now := time.Since(r.began)
	r.release(r.held.push(h, now, now+r.Ping.Timeout))
	return !r.over
}

// release yields hosts whose time has come.
func (r *runner) release(hosts iter.Seq[muster.Host]) {
	for h := range hosts {
		if r.over {
			return
		}
		h.Duplicates = r.doubles[h.Addr]
		r.count()
		r.over = !r.yield(h, nil)
	}
}

// count brings the summary up to date.
func (r *runner) count() {
	s, p := r.Summary, &r.pings
	s.Sent, s.Received = p.Sent+int(r.ports.sent.Load()), p.Received+int(r.ports.received.Load())
	s.SendErrors, s.Unreachable = p.SendErrors+int(r.ports.sendErrors.Load()), p.Unreachable+int(r.ports.unreachable.Load())
	s.Late, s.Duplicates, s.ReceiveDrops, s.Foreign = p.Late, p.Duplicates, p.ReceiveDrops, p.Foreign
	s.Lost = p.Lost + int(r.ports.lost.Load())
	s.Buffer, s.Method = p.Buffer, p.Method
	s.DurationMS = time.Since(r.began).Milliseconds()
}
