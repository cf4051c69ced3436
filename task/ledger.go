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
	panicked  *PanicError
}

func (l *ledger) open(parent context.Context) {
	l.parent = parent
	l.ctx, l.cancel = context.WithCancelCause(parent)
}

// record notes that a task that ran under ctx ended with the error of item.
func (l *ledger) record(ctx context.Context, item ItemError, panicked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !panicked && echo(ctx, item.Err) {
		l.cancelled++
		l.cut = l.cut || l.ctx.Err() != nil
		return
	}
	if panicked && l.panicked == nil {
		l.panicked = item.Err.(*PanicError)
	}
	l.failed = append(l.failed, item)
	if len(l.failed) == 1 {
		l.cancel(&item)
	}
}

// close returns the error of the call once everything is joined, or raises the panic of a task.
func (l *ledger) close() error {
	ended := l.outcome()
	l.cancel(nil)
	if l.panicked != nil {
		l.panicked.raise()
	}
	return ended
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
