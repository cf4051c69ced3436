package session

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// watch bounds a session in time. It knows the step the session is in and the deadlines of the step and of the whole,
// and ends a session by closing its connections: an SSH handshake has no other brake, and a connection through a jump
// host has no deadlines of its own. One timer serves both deadlines.
type watch struct {
	trace func(stage string, elapsed time.Duration, detail string)
	dead  chan struct{} // closed once the session is beyond use

	mu    sync.Mutex
	timer *time.Timer
	stage string
	began time.Time
	limit time.Duration
	until time.Time // of the step; zero: only the whole is bounded
	total time.Time
	whole time.Duration
	open  []io.Closer // what to close, in the order it was opened
	why   *Error
}

func newWatch(whole time.Duration, trace func(string, time.Duration, string)) *watch {
	w := &watch{trace: trace, dead: make(chan struct{}), stage: stageConnect, whole: whole, began: time.Now()}
	w.total = w.began.Add(whole)
	w.timer = time.AfterFunc(whole, w.expired)
	return w
}

// step says what is done from now on and for how long at most.
func (w *watch) step(stage string, limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = time.Now()
	w.stage, w.limit, w.until = stage, limit, w.began.Add(limit)
	w.arm()
}

// rest leaves only the total deadline.
func (w *watch) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until = time.Time{}
	w.arm()
}

// done reports the end of a step to the trace.
func (w *watch) done(detail string) {
	if w.trace == nil {
		return
	}
	w.mu.Lock()
	stage, elapsed := w.stage, time.Since(w.began)
	w.mu.Unlock()
	w.trace(stage, elapsed, detail)
}

// arm is called with mu held.
func (w *watch) arm() {
	if w.why != nil {
		return
	}
	next := w.total
	if !w.until.IsZero() && w.until.Before(next) {
		next = w.until
	}
	w.timer.Reset(time.Until(next))
}

// expired is the timer's. A step that began since then has its own time.
func (w *watch) expired() {
	w.mu.Lock()
	now := time.Now()
	var why *Error
	switch {
	case !now.Before(w.total):
		why = failf(shown(w.stage), "timeout", "the session as a whole took longer than its limit of %s; it was at: %s", w.whole, doing(w.stage))
	case !w.until.IsZero() && !now.Before(w.until):
		why = failf(shown(w.stage), "timeout", "%s", tooLong(w.stage, w.limit))
	default:
		w.arm()
	}
	w.mu.Unlock()
	if why != nil {
		w.kill(why)
	}
}

// bind lets the end of ctx end the session, until the returned function is called.
func (w *watch) bind(ctx context.Context) (release func() bool) {
	return context.AfterFunc(ctx, func() { w.kill(w.ended(ctx)) })
}

// ended is the error for a context that is over: canceled by the caller, or its deadline passed.
func (w *watch) ended(ctx context.Context) *Error {
	w.mu.Lock()
	stage := w.stage
	w.mu.Unlock()
	switch cause := context.Cause(ctx); {
	case !errors.Is(ctx.Err(), context.DeadlineExceeded):
	case cause == context.DeadlineExceeded:
		return failf(shown(stage), "timeout", "the caller's deadline passed; it was at: %s: %w", doing(stage), cause)
	default: // the caller says which time is over
		return failf(shown(stage), "timeout", "%w; it was at: %s", cause, doing(stage))
	}
	return failf(stageCanceled, "canceled", "canceled at: %s: %w", doing(stage), context.Cause(ctx))
}

// kill ends the session for a reason; only the first one counts.
func (w *watch) kill(why *Error) {
	w.mu.Lock()
	if w.why != nil {
		w.mu.Unlock()
		return
	}
	w.why = why
	w.timer.Stop()
	open := w.open
	w.open = nil
	close(w.dead)
	w.mu.Unlock()
	closeAll(open)
}

// err returns why the session was ended, or nil.
func (w *watch) err() *Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

// at returns the stage the session is in.
func (w *watch) at() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stage
}

// add hands over something to close when the session ends. It is closed at once if that has happened.
func (w *watch) add(c io.Closer) {
	w.mu.Lock()
	if w.why == nil {
		w.open = append(w.open, c)
		w.mu.Unlock()
		return
	}
	w.mu.Unlock()
	c.Close()
}

// drop closes something that was added, before the session ends.
func (w *watch) drop(c io.Closer) {
	w.forget(c)
	c.Close()
}

// forget takes back what was added, without closing it.
func (w *watch) forget(c io.Closer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = slices.DeleteFunc(w.open, func(o io.Closer) bool { return o == c })
}

// closeAll begins with what was opened first: closing a tunnel writes to the connection below it, which may be stuck.
func closeAll(open []io.Closer) {
	for _, c := range open {
		c.Close()
	}
}

// errClosed is the reason of a session that its owner closed.
var errClosed = errors.New("the session is closed")

// shown is the name a step has in the failure table.
func shown(stage string) string {
	if stage == stageBanner {
		return stageHandshake
	}
	return stage
}

func doing(stage string) string {
	switch stage {
	case stageResolve:
		return "looking up the address"
	case stageConnect:
		return "connecting"
	case stageBanner:
		return "waiting for the SSH banner"
	case stageHandshake, stageHostKey:
		return "the SSH handshake"
	case stageAuth:
		return "logging in"
	case stagePrompt:
		return "waiting for the prompt"
	}
	return "a command"
}

func tooLong(stage string, limit time.Duration) string {
	switch stage {
	case stageResolve:
		return "the name was not resolved within " + limit.String()
	case stageConnect:
		return "no connection within " + limit.String()
	case stageBanner:
		return "port open, no SSH banner within " + limit.String()
	case stageHandshake, stageHostKey:
		return "the key exchange was not finished within " + limit.String()
	case stageAuth:
		return "no answer to the login within " + limit.String()
	case stagePrompt:
		return "no prompt within " + limit.String()
	}
	return "not finished within " + limit.String()
}
