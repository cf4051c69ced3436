package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"syscall"
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
	doubles map[netip.Addr]int // duplicates of hosts that are not yielded yet
	held    hold
	ports   *asker
	unsent  int   // hosts that are not up and to which no ping could be sent
	doubts  int   // further hosts of which a port could not be asked
	err     error // what ended the pings, or went wrong with a host
	over    bool  // the loop body has had enough
}

func newRunner(t Targets, c Config, yield func(muster.Host, error) bool) *runner {
	return &runner{Config: c, targets: t, yield: yield, began: time.Now(), doubles: map[netip.Addr]int{}, ports: newAsker(c)}
}

// finding is a host, and what of it could not be asked because of this machine.
type finding struct {
	muster.Host
	unsent bool // the ping
	doubt  bool // a port
	cut    bool // ctx ended before anything was heard: this is no verdict
}

func (r *runner) run(ctx context.Context) {
	*r.Summary = Summary{Targets: r.targets.Len()}
	for f := range r.examined(ctx) {
		if !r.found(f) {
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
func (r *runner) asked(ctx context.Context) iter.Seq[finding] {
	if r.NoPing {
		return r.unpinged(ctx)
	}
	c := r.Ping
	c.Summary = &r.pings
	c.Duplicate = r.double
	return func(yield func(finding) bool) {
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

func (r *runner) unpinged(ctx context.Context) iter.Seq[finding] {
	return func(yield func(finding) bool) {
		for addr := range r.drawn() {
			if ctx.Err() != nil || !yield(finding{Host: muster.Host{Addr: addr, State: muster.HostDown}}) {
				return
			}
		}
	}
}

// pinged is a host of which no more is known than its ping.
func pinged(reply ping.Reply, err error) finding {
	h := finding{Host: muster.Host{Addr: reply.Addr, State: muster.HostDown}}
	var unreachable *ping.UnreachableError
	switch {
	case err == nil:
		h.State, h.RTT, h.Late = muster.HostUp, reply.RTT, reply.Late
	case errors.As(err, &unreachable):
		h.State, h.Reason = muster.HostUnreachable, unreachable.Reason
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH): // this machine knows no way
		h.State, h.Reason, h.unsent = muster.HostUnreachable, cause(err), true
	case errors.Is(err, ping.ErrNoReply):
		h.Reason = "no reply"
	default:
		h.Reason, h.unsent = err.Error(), true
	}
	return h
}

// cause is an error of a system call in its words.
func cause(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}

// doublesMost bounds the hosts whose duplicates are counted one by one; the summary counts all.
const doublesMost = 16 * holdMost

func (r *runner) double(a netip.Addr) {
	if n := r.doubles[a]; n > 0 || len(r.doubles) < doublesMost {
		r.doubles[a] = n + 1
	}
}

// examined yields the hosts with all that is wanted of them.
func (r *runner) examined(ctx context.Context) iter.Seq[finding] {
	if len(r.Ports) == 0 && r.Identify == nil {
		return r.asked(ctx)
	}
	return func(yield func(finding) bool) {
		for f, done := range task.AsCompleted(ctx, each(r.asked(ctx)), r.examine, task.Limit(hostsAtOnce(r.Config)), task.Named("scan")) {
			if done.Err != nil { // Identify panicked: what was known before is known
				r.err = done.Err
			}
			if !yield(*f) {
				return
			}
		}
	}
}

// each yields where the findings are, each in a place of its own.
func each(findings iter.Seq[finding]) iter.Seq[*finding] {
	return func(yield func(*finding) bool) {
		for f := range findings {
			if !yield(&f) {
				return
			}
		}
	}
}

// examine asks for the ports of a host and has it identified. It runs in a task of its own, and writes down what is known
// when ctx ends.
func (r *runner) examine(ctx context.Context, f *finding) (struct{}, error) {
	f.doubt = r.ports.ask(ctx, &f.Host, r.Ports)
	if f.State != muster.HostUp || r.Identify == nil {
		f.cut = f.State != muster.HostUp && ctx.Err() != nil
		return struct{}{}, nil
	}
	if !slices.Contains(r.Ports, SSHPort) {
		f.doubt = r.ports.ask(ctx, &f.Host, []int{SSHPort}) || f.doubt
		slices.SortFunc(f.Ports, func(a, b muster.Port) int { return a.Number - b.Number })
	}
	if ctx.Err() == nil {
		r.Identify(ctx, &f.Host)
	}
	return struct{}{}, nil
}

// found takes a host that is complete. One that was pinged is held back for a while, so that duplicates of its reply are
// counted first.
func (r *runner) found(f finding) (more bool) {
	if f.cut {
		return true
	}
	r.Progress.Done.Add(1)
	switch {
	case f.State == muster.HostUp:
		r.Summary.Up++
		r.Progress.Up.Add(1)
		f.unsent = false
	case f.unsent:
		r.unsent++
	}
	if f.doubt && !f.unsent {
		r.doubts++
	}
	if f.unsent || f.doubt {
		r.Summary.Doubt = cmp.Or(r.Summary.Doubt, f.Reason)
	}
	if f.State != muster.HostUp && !r.All {
		return true
	}
	now := time.Since(r.began)
	due := now + r.Ping.Timeout
	if r.NoPing {
		due = now
	}
	r.release(r.held.push(f.Host, now, due))
	return !r.over
}

// release yields hosts whose time has come.
func (r *runner) release(hosts iter.Seq[muster.Host]) {
	for h := range hosts {
		if r.over {
			return
		}
		h.Duplicates = r.doubles[h.Addr]
		delete(r.doubles, h.Addr)
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
	s.Lost = min(p.Lost-p.Unsent, s.Targets-s.Up) + min(p.Unsent, r.unsent) + r.doubts
	s.Buffer, s.Method = p.Buffer, p.Method
	s.DurationMS = time.Since(r.began).Milliseconds()
}
