package task

import (
	"context"
	"fmt"
)

// Group starts tasks that end before its Scope returns. It is made by Scope and may be used by several goroutines.
type Group struct {
	crew   crew
	ledger ledger
}

// Scope calls body, which starts tasks with g.Go and Start, and returns when body and every task have ended, also those that
// tasks have started meanwhile.
//
// The first of them that fails, body included, cancels the others with a cause that names it, and the error is a *Failures
// with every own failure, as in Gather. When ctx ended before everything was joined, and a task was cut short, the error
// matches ctx.Err and the cause of ctx. When a task panics the others are cancelled and waited for, and then Scope panics
// with a *PanicError that holds the value and the stack of that task.
//
// Tasks run at the same time as body and as each other: a variable that two of them use and one of them writes has to be
// guarded. What a task wrote may be read without a lock after Scope has returned, or after the Wait of that task.
func Scope(ctx context.Context, name string, body func(ctx context.Context, g *Group) error) error {
	g := new(Group)
	g.ledger.open(ctx)
	g.crew.ctx, g.crew.ledger = g.ledger.ctx, &g.ledger
	g.crew.open(ctx, "scope", name, 0)
	live.add(&g.crew)
	defer live.remove(&g.crew)
	g.run(body)
	return g.ledger.close()
}

// run calls body and joins the tasks, also when body panics or calls runtime.Goexit.
func (g *Group) run(body func(ctx context.Context, g *Group) error) {
	returned := false
	defer func() {
		if !returned {
			g.fail(caught(recover()))
		}
		g.crew.join()
	}()
	err := body(bodyContext{g.crew.ctx, &g.crew.call}, g)
	returned = true
	if err != nil {
		g.fail(err, fateOf(g.crew.ctx, err))
	}
}

// fail notes that body failed.
func (g *Group) fail(err error, f fate) {
	g.ledger.record(ItemError{Index: -1, Name: g.crew.shown(), Err: err}, f)
}

// bodyContext makes the scope itself the current task of its body.
type bodyContext struct {
	context.Context
	call *call
}

func (c bodyContext) Value(key any) any {
	if key == (rowKey{}) {
		return c.call
	}
	return c.Context.Value(key)
}

// Go starts f as a task of the scope. It returns at once and may be called by body, by tasks and by anybody else until the
// scope has been joined; after that it panics. In a scope that is being cancelled f is started all the same, with a context
// that has ended, so that it can close what it was given.
func (g *Group) Go(name string, f func(context.Context) error) {
	g.start(&member{job: plain(f), name: name})
}

// Cancel cancels every task of the scope and the context of body, with cause. That is no failure: unless something fails by
// itself, Scope returns nil.
func (g *Group) Cancel(cause error) { g.ledger.cancel(cause) }

func (g *Group) start(m *member) {
	if !g.crew.start(m) {
		panic(fmt.Sprintf("task: %q started after its scope %q had ended", m.name, g.crew.shown()))
	}
}

// plain is a task without a result.
type plain func(context.Context) error

func (f plain) run(m *member) error { return f(m) }

func (f plain) under(m *member) context.Context { return m }

func (f plain) end(error) {}
