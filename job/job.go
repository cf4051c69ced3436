// Package job asks many devices at once: it fans one piece of work out over a fleet, bounds how many conversations run,
// tries again what is worth it, and turns every end into a Result. One device's failure is data, never an error of the run.
package job

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

// DefaultTimeout is what one device may take in all, its retries included.
const DefaultTimeout = 5 * time.Minute

// Options say how a fleet is asked. The zero Options are the defaults.
type Options struct {
	Limiter *Limiter                          // nil: an adaptive one
	Timeout func(muster.Device) time.Duration // for one device in all, from the moment it has its place; nil or 0: DefaultTimeout
	Retries func(muster.Device) int           // further tries of what may be better next time; nil: none
	Group   func(muster.Device) *Limiter      // a limit of the device's group, held beside Limiter; nil, or a nil Limiter: none
	Backoff task.Backoff                      // between tries; zero First and Max: 1 s and 10 s
	Quiet   func()                            // called when no conversation runs and none is to come
	Started func(muster.Device)               // called when a device gets its place for the first time
}

// Work is what is done with each device, in two steps. Only Talk holds a place of the limiter: to keep a result may
// mean to wait for others, and a waiting result must not keep the next device waiting.
type Work[T any] struct {
	// Talk has the conversation. Its error should be a *muster.Failure; anything else is reported as "internal".
	Talk func(ctx context.Context, dev muster.Device) (T, error)
	// Keep makes what came of it last and completes the result. It is called once for every device, failed ones
	// included (r.Failure is set then), also after ctx was cancelled: what was finished must be kept all the same.
	Keep func(ctx context.Context, r muster.Result, v T) muster.Result
}

// Run does the work on every device and yields the results as they are complete. Exactly one result is yielded for each
// device: when ctx is cancelled, what was cut short or never begun fails with stage "canceled". Leaving the loop early
// cancels the rest. Run starts nothing before it is ranged over and has joined all when the loop ends.
func Run[T any](ctx context.Context, devices []muster.Device, o Options, w Work[T]) iter.Seq[muster.Result] {
	return func(yield func(muster.Result) bool) {
		e := newEngine(ctx, devices, o, w)
		lost := make([]error, len(devices)) // why a device has no result yet
		for i := range lost {
			lost[i] = task.ErrNotStarted
		}
		for it, r := range task.AsCompleted(ctx, e.input(), e.one, task.Limit(e.parallel()), task.Named("devices")) {
			if lost[it.index] = r.Err; r.Err == nil && !yield(r.Value) {
				return
			}
		}
		e.yieldLost(ctx, lost, yield)
	}
}

// yieldLost makes the results of the devices that came to none of their own: those that a panic or the end of the run
// kept from it.
func (e *engine[T]) yieldLost(ctx context.Context, lost []error, yield func(muster.Result) bool) {
	left := func(yield func(item) bool) {
		for i, err := range lost {
			if err != nil && !yield(item{i, e.devices[i]}) {
				return
			}
		}
	}
	keep := func(_ context.Context, it item) (muster.Result, error) {
		return e.lost(ctx, it, lost[it.index]), nil
	}
	for it, r := range task.AsCompleted(context.WithoutCancel(ctx), left, keep, task.Limit(MaxLimit), task.Named("devices left")) {
		res := r.Value
		if r.Err != nil { // keeping it failed as well: then it is at least told
			res = failed(ctx, it, r.Err)
		}
		if !yield(res) {
			return
		}
	}
}

type item struct {
	index int
	dev   muster.Device
}

type engine[T any] struct {
	Options
	work    Work[T]
	devices []muster.Device
	talking atomic.Int64 // conversations not over yet
}

func newEngine[T any](ctx context.Context, devices []muster.Device, o Options, w Work[T]) *engine[T] {
	if o.Limiter == nil {
		o.Limiter = NewLimiter(0)
	}
	if o.Backoff.First == 0 {
		o.Backoff.First, o.Backoff.Max = time.Second, 10*time.Second
	}
	e := &engine[T]{Options: o, work: w, devices: devices}
	e.talking.Store(int64(len(devices)))
	return e
}

// parallel is how many devices are in hand at once: those that talk, and as many again as the store takes in one
// batch, waiting to be kept. Where groups have limits it is all of them, or a group that is full would hold up the rest.
func (e *engine[T]) parallel() int {
	if e.Group != nil {
		return 0
	}
	return e.Limiter.Max() + MaxLimit
}

func (e *engine[T]) input() iter.Seq[item] {
	return func(yield func(item) bool) {
		for i, d := range e.devices {
			if !yield(item{i, d}) {
				return
			}
		}
	}
}

// one has the conversation with one device and keeps what came of it.
func (e *engine[T]) one(ctx context.Context, it item) (muster.Result, error) {
	v, r := e.talk(ctx, it)
	task.Note(ctx, it.dev.Name+": waits to be kept")
	return e.work.Keep(ctx, r, v), nil
}

// silent counts a conversation as over, however it ended.
func (e *engine[T]) silent() {
	if e.talking.Add(-1) == 0 && e.Quiet != nil {
		e.Quiet()
	}
}

// talk has the conversation, as often as it is worth it. The device's time runs from its first place on.
func (e *engine[T]) talk(ctx context.Context, it item) (T, muster.Result) {
	defer e.silent()
	r := muster.Result{Index: it.index, Device: it.dev, Status: muster.StatusUnchanged}
	var began time.Time
	backoff := e.Backoff
	backoff.Attempts = 1
	if e.Retries != nil {
		backoff.Attempts += e.Retries(it.dev)
	}
	backoff.If = func(err error) bool {
		return Transient(asFailure(ctx, it.dev, err)) && time.Since(began) < e.timeout(it.dev)
	}
	v, err := task.Retry(backoff, func(ctx context.Context, dev muster.Device) (T, error) {
		var zero T
		release, err := e.place(ctx, dev)
		if err != nil {
			return zero, err
		}
		defer release()
		if began.IsZero() {
			began = time.Now()
			if e.Started != nil {
				e.Started(dev)
			}
		}
		r.Attempts++
		limit := e.timeout(dev)
		ctx, cancel := context.WithDeadlineCause(ctx, began.Add(limit), &TimeUp{limit})
		defer cancel()
		task.Note(ctx, dev.Name)
		return e.work.Talk(ctx, dev)
	})(ctx, it.dev)
	if !began.IsZero() {
		r.Elapsed = time.Since(began)
	}
	if err != nil {
		r.Status = muster.StatusFailed
		r.Failure = asFailure(ctx, it.dev, err)
		r.Failure.Attempts, r.Failure.Elapsed = r.Attempts, r.Elapsed
	}
	return v, r
}

// TimeUp is the cause of a context whose device has had all the time that one device may take.
type TimeUp struct{ After time.Duration }

// Error names the time.
func (e *TimeUp) Error() string {
	return fmt.Sprintf("the %s that one device may take are over", e.After)
}

// Is makes it a deadline that passed.
func (e *TimeUp) Is(target error) bool { return target == context.DeadlineExceeded }

// place waits for the device's turn: first in its group, so that a group that is full holds no place of the fleet's.
func (e *engine[T]) place(ctx context.Context, dev muster.Device) (release func(), err error) {
	leaveGroup := func() {}
	if e.Group != nil {
		if g := e.Group(dev); g != nil {
			if err := g.Acquire(ctx); err != nil {
				return nil, err
			}
			leaveGroup = g.Release
		}
	}
	if err := e.Limiter.Acquire(ctx); err != nil {
		leaveGroup()
		return nil, err
	}
	return func() {
		e.Limiter.Release()
		leaveGroup()
	}, nil
}

// lost keeps the result of a device that came to none of its own.
func (e *engine[T]) lost(ctx context.Context, it item, err error) muster.Result {
	var zero T
	return e.work.Keep(ctx, failed(ctx, it, err), zero)
}

// failed makes the result of a device that an error kept from it.
func failed(ctx context.Context, it item, err error) muster.Result {
	return muster.Result{Index: it.index, Device: it.dev, Status: muster.StatusFailed, Failure: asFailure(ctx, it.dev, err)}
}

func (e *engine[T]) timeout(dev muster.Device) time.Duration {
	if e.Timeout != nil {
		if d := e.Timeout(dev); d > 0 {
			return d
		}
	}
	return DefaultTimeout
}

// asFailure gives an error the one shape of failures. Cancelled runs have their own stage, whatever the error says.
func asFailure(ctx context.Context, dev muster.Device, err error) *muster.Failure {
	if f, ok := errors.AsType[*muster.Failure](err); ok {
		c := *f
		return &c
	}
	f := &muster.Failure{Device: dev.Name, Stage: muster.StageCommand, Code: "internal", Err: err}
	if ctx.Err() != nil {
		f.Stage, f.Code = muster.StageCanceled, "canceled"
		f.Err = fmt.Errorf("the run was interrupted: %w", context.Cause(ctx))
	}
	return f
}

// transient are the codes that may be better at the next try. What the device said clearly (a wrong password, an unknown
// command, a changed key) is not asked twice.
var transient = map[string]bool{
	"refused": true, "unreachable": true, "connection-lost": true, "login-refused": true, "truncated": true, "timeout": true,
}

// Transient tells whether a failure is worth another try. A command that ran out of time is not: it had its minute. Nor is
// a connection that ended in the middle of a login: that may have been a refusal, and a wrong password is not sent twice.
func Transient(f *muster.Failure) bool {
	switch {
	case f.Code == "timeout" && f.Stage == muster.StageCommand, f.Code == "connection-lost" && f.Stage == muster.StageAuth:
		return false
	}
	return transient[f.Code]
}
