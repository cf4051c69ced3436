package task

import (
	"context"
	"iter"
	"sync"
)

// AsCompleted calls f for the items, DefaultLimit at a time or as many as a Limit says, and yields each item with its result
// as soon as there is one: in the order in which they end. No failure and no panic of an item touches another one.
//
// The loop holds the work back: an item counts against the limit until the loop body that got its result is done, and the
// next item is read only when it can be started at once. With Limit(0) nothing holds it back. items is read by the goroutine
// that ranges, never while the loop body runs, so that the two may share variables; while items blocks, results wait.
//
// Leaving the loop, by break, return or panic, cancels what still runs with the cause ErrStopped and waits for it: it is over
// before the next statement, and what was stopped cannot be resumed. When ctx ends no further item is read; what was running
// is cancelled and yielded with an error that carries the cause of ctx, and the loop ends. If ctx has ended before, there is
// nothing to loop over: whoever needs to know looks at ctx.Err after the loop.
//
// Each range over the value is a run of its own, from the first item.
func AsCompleted[In, Out any](ctx context.Context, items iter.Seq[In], f func(context.Context, In) (Out, error), opts ...Option) iter.Seq2[In, Result[Out]] {
	o := collect(opts)
	return func(yield func(In, Result[Out]) bool) {
		if ctx.Err() != nil {
			return
		}
		s := &stream[In, Out]{f: f, options: o, ready: make(chan struct{}, 1)}
		s.crew.open(ctx, "ascompleted", o.name, 0)
		s.crew.ctx, s.cancel = context.WithCancelCause(ctx)
		live.add(&s.crew)
		defer s.close()
		for item := range items {
			s.start(item)
			if !s.yield(yield) {
				return
			}
			if ctx.Err() != nil {
				break
			}
		}
		for s.inFlight > 0 {
			if !s.next(yield) {
				return
			}
		}
	}
}

// stream is one range over an AsCompleted.
type stream[In, Out any] struct {
	options
	crew     crew
	f        func(context.Context, In) (Out, error)
	cancel   context.CancelCauseFunc
	inFlight int // started and not yet consumed

	mu          sync.Mutex
	first, last *outcome[In, Out] // ended and not yet yielded
	ready       chan struct{}     // holds a token after first was set
}

// outcome is an item of a stream, first as a task and then as its result.
type outcome[In, Out any] struct {
	member member
	stream *stream[In, Out]
	item   In
	result Result[Out]
	next   *outcome[In, Out]
}

func (s *stream[In, Out]) start(item In) {
	o := &outcome[In, Out]{stream: s, item: item}
	o.member.job = o
	s.crew.start(&o.member)
	s.inFlight++
}

// close cancels and joins what is left when the loop is over, however it ended.
func (s *stream[In, Out]) close() {
	s.cancel(ErrStopped)
	s.crew.join()
	live.remove(&s.crew)
}

// yield hands over one result if there is one, and waits for one while the limit is reached. It reports false when the loop
// is over.
func (s *stream[In, Out]) yield(yield func(In, Result[Out]) bool) bool {
	if s.limit > 0 && s.inFlight >= s.limit {
		return s.next(yield)
	}
	if o := s.take(); o != nil {
		return s.hand(o, yield)
	}
	return true
}

func (s *stream[In, Out]) next(yield func(In, Result[Out]) bool) bool {
	for {
		if o := s.take(); o != nil {
			return s.hand(o, yield)
		}
		<-s.ready
	}
}

func (s *stream[In, Out]) hand(o *outcome[In, Out], yield func(In, Result[Out]) bool) bool {
	more := yield(o.item, o.result)
	s.inFlight--
	return more
}

func (s *stream[In, Out]) take() *outcome[In, Out] {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.first
	if o != nil {
		s.first = o.next
	}
	return o
}

func (o *outcome[In, Out]) run(m *member) (err error) {
	f := o.stream.f
	if each := o.stream.each; each > 0 {
		o.result.Value, err = Timeout(m, each, func(ctx context.Context) (Out, error) { return f(ctx, o.item) })
		return err
	}
	o.result.Value, err = f(m, o.item)
	return err
}

func (o *outcome[In, Out]) under(m *member) context.Context { return m }

func (o *outcome[In, Out]) end(err error) {
	o.result.Index, o.result.Err = o.member.index, err
	s := o.stream
	s.mu.Lock()
	if s.first == nil {
		s.first = o
	} else {
		s.last.next = o
	}
	s.last = o
	s.mu.Unlock()
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
