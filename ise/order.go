package ise

import (
	"context"
	"iter"

	"github.com/musternet/muster/task"
)

// inOrder calls f for the items, so many ahead of the one that is used, and gives the results to use in the order of the items.
// It stops at the first error, and when use returns false. items and use are called by this goroutine alone, in turns.
func inOrder[In, Out any](ctx context.Context, name string, ahead int, items iter.Seq[In], f func(context.Context, In) (Out, error), use func(Out) bool) error {
	var failed error
	err := task.Scope(ctx, name, func(ctx context.Context, g *task.Group) error {
		var queue []*task.Task[task.Result[Out]] // a failure is a result: it is told when its turn comes
		next := func() (more bool) {
			<-queue[0].Done() // it ends with ctx, and its own error says more than that
			r, err := queue[0].Wait(ctx)
			if err == nil {
				err = r.Err
			}
			if queue = queue[1:]; err == nil && use(r.Value) {
				return true
			}
			failed = err
			g.Cancel(task.ErrStopped)
			return false
		}
		for item := range items {
			if len(queue) >= ahead && !next() {
				return nil
			}
			queue = append(queue, task.Start(g, name, func(ctx context.Context) (r task.Result[Out], _ error) {
				r.Value, r.Err = f(ctx, item)
				return r, nil
			}))
		}
		for len(queue) > 0 && next() {
		}
		return nil
	})
	if failed != nil {
		return failed
	}
	return err
}
