package task

import "context"

// Task is a task of a Scope whose result can be waited for. Its methods may be called by several goroutines.
type Task[T any] struct {
	member member
	ctx    context.Context
	cancel context.CancelCauseFunc
	f      func(context.Context) (T, error)
	done   chan struct{}
	value  T
	err    error
}

// Start starts f as a task of g, as g.Go does, and returns a handle that gives its result. A failure of f is also a failure of
// the scope, whether anybody waits for the task or not.
func Start[T any](g *Group, name string, f func(context.Context) (T, error)) *Task[T] {
	t := &Task[T]{f: f, done: make(chan struct{})}
	t.member.job, t.member.name, t.member.crew = t, name, &g.crew
	t.ctx, t.cancel = context.WithCancelCause(&t.member)
	g.start(&t.member)
	return t
}

// Wait returns what the task returned: its error, a *PanicError, or ErrGoexit. When ctx ends first, Wait gives up with an
// error that matches ctx.Err and the cause of ctx, and the task goes on. It may be called again, also after the scope ended.
func (t *Task[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-t.done:
		return t.value, t.err
	default:
	}
	select {
	case <-t.done:
		return t.value, t.err
	case <-ctx.Done():
	}
	select { // the failure that ended ctx may be the task's own
	case <-t.done:
		return t.value, t.err
	default:
		var zero T
		return zero, ended(ctx)
	}
}

// Cancel cancels this task alone, with cause, and does not wait for it. A task that ends because of it is no failure of the
// scope.
func (t *Task[T]) Cancel(cause error) { t.cancel(cause) }

// Done is closed when the task has ended.
func (t *Task[T]) Done() <-chan struct{} { return t.done }

// Name is the name that was given to Start.
func (t *Task[T]) Name() string { return t.member.name }

func (t *Task[T]) run(*member) (err error) {
	t.value, err = t.f(t.ctx)
	return err
}

func (t *Task[T]) under(*member) context.Context { return t.ctx }

func (t *Task[T]) end(err error) {
	t.err = err
	close(t.done)
	t.cancel(nil)
}
