// Package task runs functions at the same time and joins every one of them before it returns.
//
// A function that can be run is plain Go: it takes a [context.Context] and returns an error. There are no coloured functions
// and no event loop; what asyncio marks with await is a call. The names are those of asyncio:
//
//	asyncio                          task
//	asyncio.run(main())              Run(main)
//	await f(x)                       f(ctx, x), and t.Wait(ctx) for a task
//	asyncio.gather(...)              Gather(ctx, items, f)
//	gather(return_exceptions=True)   Settle(ctx, items, f)
//	create_task(f(), name="sw1")     Start(g, "sw1", f), or g.Go("sw1", f) without a result
//	asyncio.wait_for(f(), 10)        Timeout(ctx, 10*time.Second, f)
//	async with TaskGroup() as g      Scope(ctx, name, func(ctx, g) error)
//	async with open() as s           a function that takes a function, with defer s.Close() in it
//	async for x in stream            for x, err := range stream(ctx)
//	asyncio.Semaphore(10)            NewSemaphore(10), or Limit(10) as an option of a call
//	asyncio.as_completed(...)        for item, result := range AsCompleted(ctx, items, f)
//	asyncio.shield(f())              Shield(ctx, d, f), which is bounded
//	python -m asyncio pstree PID     Tasks() and Note(ctx, status)
//
// Each row is a runnable example below.
//
// # What every call promises
//
// Whoever starts a task waits for it: no goroutine, timer or channel of a call is left when the call returns. A function that
// does not heed its context is therefore waited for. Everything works inside of testing/synctest.
//
// A failure is any error that a task returns by itself. The word of a task that was cancelled, [context.Canceled],
// [context.DeadlineExceeded] or the cause of its context returned after that context had ended, is an echo: it is counted in
// [Failures] and never listed. What [errors.Join] holds is judged one by one, so that a clean-up that failed is not lost, and
// a [TimeoutError] of the task's own is a failure. When something failed, the error is about that and not about the end of the
// parent; when nothing failed but work was cut short, the error matches both ctx.Err and context.Cause of the parent; when all
// work was done there is no error.
//
// A panic of a task becomes the *[PanicError] of its item in Settle, AsCompleted and Task.Wait. Gather and Scope panic with it,
// in the goroutine of their caller, once everything is joined.
//
// The context of a task says which row of the live tree it is. It belongs to the function it was given to: kept beyond its
// return it may speak of the next item.
//
// # What it costs
//
// An item of a Gather with a Limit costs about an eighth of one of an errgroup with SetLimit, live tree included, because N items
// under Limit(L) hold at most L goroutines, and no more than the work needs: the next goroutine comes into being when the one
// before has begun. A task of a Scope, which has a goroutine of its own, costs about 1.2 times one of an errgroup. The
// benchmarks in bench/task measure both in one run.
package task
