package task

import "context"

// Gather calls f for every item at once, DefaultLimit at a time or as many as a Limit says, and returns the results in the
// order of the items. Items are started in their order.
//
// The first item that fails cancels the others, with a cause that names it, and no further item is started. Gather waits
// until all that were started have returned; then the result is nil and the error is a *Failures with every failure of an
// item's own. An item that returns context.Canceled or context.DeadlineExceeded after its context ended is not a failure but
// counted as cancelled. When ctx ends and cuts the work short the error matches ctx.Err and the cause of ctx; when all the
// work was done all the same there is no error. If ctx has ended before, f is not called.
//
// When f panics the others are cancelled and waited for, and then Gather panics with a *PanicError that holds the value and
// the stack. runtime.Goexit in f is a failure: ErrGoexit.
func Gather[In, Out any](ctx context.Context, items []In, f func(context.Context, In) (Out, error), opts ...Option) ([]Out, error) {
	out := make([]Out, len(items))
	b := newBatch(ctx, "gather", len(items), collect(opts))
	var l ledger
	l.open(ctx)
	b.f = func(ctx context.Context, i int) (err error) {
		out[i], err = f(ctx, items[i])
		return err
	}
	b.failed = func(i int, err error, f fate) {
		l.record(ItemError{Index: i, Name: b.itemName(i), Err: err}, f)
	}
	if b.run(l.ctx) < len(items) {
		l.cut = true
	}
	if err := l.close(); err != nil {
		return nil, err
	}
	return out, nil
}
