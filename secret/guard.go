package secret

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Outcome is what a device said to a credential.
type Outcome int

// The outcomes.
const (
	Unknown  Outcome = iota // the connection broke before there was an answer
	Accepted                // logged in
	Rejected                // refused
)

// GuardLimit is how many distinct devices may reject a credential before it is suspended, where a Guard says nothing.
const GuardLimit = 5

// ErrSuspended says that a credential is not tried any more in this run.
var ErrSuspended = errors.New("the credential is suspended for this run: too many devices rejected it and none accepted it")

// Guard keeps a wrong credential from locking out an account all over a fleet. As long as no device has accepted a
// credential, the attempts with it under way and the devices that rejected it are together at most Limit: a fleet that
// logs in all at once waits for the first few answers. One acceptance lets everybody pass for the rest of the run; Limit
// distinct rejections suspend the credential for the rest of the run. One Guard is for one run; the zero Guard is ready.
type Guard struct {
	Limit int // 0: GuardLimit

	mu    sync.Mutex
	known map[string]*record
}

// record is what is known of one credential.
type record struct {
	limit    int
	accepted bool
	flying   int                 // attempts under way
	rejected map[string]struct{} // devices
	waiting  []*waiter           // in the order they came
}

// waiter is one Acquire in the queue. granted is written under the Guard's lock before ready is closed.
type waiter struct {
	ready   chan struct{}
	granted bool
}

// Acquire is called before the first login method of a credential is tried on a device. While nothing is known about the
// credential it may wait, until ctx ends; who waits is served in the order of arrival. done must be called once with the
// outcome; further calls do nothing. The error is ErrSuspended or the cause of ctx.
func (g *Guard) Acquire(ctx context.Context, credential, device string) (done func(Outcome), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	g.mu.Lock()
	r := g.record(credential)
	if r.suspended() {
		g.mu.Unlock()
		return nil, ErrSuspended
	}
	if r.accepted || r.room() { // where somebody waits there is no room
		r.flying++
		g.mu.Unlock()
		return g.done(r, device), nil
	}
	w := &waiter{ready: make(chan struct{})}
	r.waiting = append(r.waiting, w)
	g.mu.Unlock()

	select {
	case <-w.ready:
	case <-ctx.Done():
		g.leave(r, w)
		return nil, context.Cause(ctx)
	}
	if !w.granted {
		return nil, ErrSuspended
	}
	return g.done(r, device), nil
}

func (g *Guard) record(credential string) *record {
	r := g.known[credential]
	if r != nil {
		return r
	}
	limit := g.Limit
	if limit <= 0 {
		limit = GuardLimit
	}
	if g.known == nil {
		g.known = map[string]*record{}
	}
	r = &record{limit: limit, rejected: map[string]struct{}{}}
	g.known[credential] = r
	return r
}

// done returns the function that tells the outcome of one attempt.
func (g *Guard) done(r *record, device string) func(Outcome) {
	var once sync.Once
	return func(o Outcome) {
		once.Do(func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			r.flying--
			switch {
			case o == Accepted:
				r.accepted = true
			case o == Rejected && !r.accepted:
				r.rejected[device] = struct{}{}
			}
			r.wake()
		})
	}
}

// leave takes a waiter out of the queue; a grant that came at the same moment is handed on.
func (g *Guard) leave(r *record, w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.granted {
		r.flying--
		r.wake()
		return
	}
	if i := slices.Index(r.waiting, w); i >= 0 {
		r.waiting = slices.Delete(r.waiting, i, i+1)
	}
}

// suspended never holds once a device has accepted: until then rejections and attempts are at most limit together, and
// the accepted one was among the attempts.
func (r *record) suspended() bool { return len(r.rejected) >= r.limit }

// room says whether one more attempt may be under way while nothing is proven.
func (r *record) room() bool { return r.flying+len(r.rejected) < r.limit }

// wake lets those at the head of the queue go on who can.
func (r *record) wake() {
	stop := r.suspended()
	for len(r.waiting) > 0 && (stop || r.accepted || r.room()) {
		w := r.waiting[0]
		r.waiting = r.waiting[1:]
		if !stop {
			w.granted = true
			r.flying++
		}
		close(w.ready)
	}
}
