package task

import (
	"context"
	"fmt"
)

// Result is what became of one item of Settle or AsCompleted.
type Result[T any] struct {
	// Index is the position of the item in the input.
	Index int
	// Value is what f returned, also beside an error.
	Value T
	// Err is the error that f returned, a *TimeoutError for one that took longer than Each, a *PanicError for a panic,
	// ErrGoexit for runtime.Goexit. An item cut short because ctx ended also carries the cause of ctx.
	Err error
}

// Settle calls f for every item at once, DefaultLimit at a time or as many as a Limit says, and returns one result per item
// in the order of the items. No failure and no panic of an item touches another one.
//
// When ctx ends, the running items are cancelled and waited for, and those that were not started have an error that matches
// ErrNotStarted, ctx.Err and the cause of ctx.
func Settle[In, Out any](ctx context.Context, items []In, f func(context.Context, In) (Out, error), opts ...Option) []Result[Out] {
	results := make([]Result[Out], len(items))
	b := newBatch(ctx, "settle", len(items), collect(opts))
	b.f = func(ctx context.Context, i int) (err error) {
		results[i].Index = i
		results[i].Value, err = f(ctx, items[i])
		return err
	}
	b.failed = func(i int, err error, f fate) {
		if f == cut {
			err = withCause(ctx, err)
		}
		results[i].Err = err
	}
	for i := b.run(ctx); i < len(items); i++ {
		results[i] = Result[Out]{Index: i, Err: fmt.Errorf("%w: %w", ErrNotStarted, ended(ctx))}
	}
	return results
}
