package task

import (
	"context"
	"sync"
)

// ledger keeps how the tasks of one Gather or Scope ended, and cancels the rest at the first failure.
type ledger struct {
	parent context.Context
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	failed    []ItemError
	cancelled int
	cut       bool // a task or the body was ended by ctx
	panic     *PanicError
}

func (l *ledger) open(parent context.Context) {
	l.parent = parent
	l.ctx, l.cancel = context.WithCancelCause(parent)
}

// record notes that a task or the body ended with the error of item.
func (l *ledger) record(item ItemError, f fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f == cut {
		l.cancelled++
		l.cut = l.cut || l.ctx.Err() != nil
		return
	}
	if f == panicked && l.panic == nil {
		l.panic = item.Err.(*PanicError)
	}
	l.failed = append(l.failed, item)
	if len(l.failed) == 1 {
		l.cancel(&item)
	}
}

// close returns the error of the call once everything is joined, or raises the panic of a task.
func (l *ledger) close() error {
	err := l.outcome()
	l.cancel(nil)
	if l.panic != nil {
		l.panic.raise()
	}
	return err
}

func (l *ledger) outcome() error {
	if len(l.failed) > 0 {
		return &Failures{Failed: l.failed, Cancelled: l.cancelled}
	}
	if l.cut && l.parent.Err() != nil {
		return ended(l.parent)
	}
	return nil
}
