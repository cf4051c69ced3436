package task

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// What a zero field of a Backoff means.
const (
	defaultAttempts = 3
	defaultFirst    = 200 * time.Millisecond
	defaultMax      = 10 * time.Second
)

// Backoff says how Retry repeats what failed. The zero value makes 3 attempts.
type Backoff struct {
	// Attempts is how often f is called in all, the first time included; 0 or less is 3.
	Attempts int
	// First bounds the wait after the first failure; the bound doubles with each failure until it is Max. The wait is random
	// between 0 and the bound, so that those who failed together do not come back together. 0 or less is 200 ms for First and
	// 10 s for Max.
	First, Max time.Duration
	// If reports whether an error is worth another attempt; nil takes every error but context.Canceled.
	If func(error) bool
}

// Retry returns f with repetition, to be given to Gather, Settle or AsCompleted, or to be called. The returned function calls f
// until it succeeds, an error is not worth another attempt, the attempts are used up, or ctx ends, which also ends a wait.
// The error is the last one of f, after more than one attempt with their number; when ctx ended during a wait it also matches
// ctx.Err and the cause of ctx.
func Retry[In, Out any](b Backoff, f func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	b = b.orDefault()
	return func(ctx context.Context, in In) (Out, error) {
		for attempt := 1; ; attempt++ {
			out, err := f(ctx, in)
			if err == nil {
				return out, nil
			}
			if attempt == b.Attempts || ctx.Err() != nil || !b.If(err) {
				return out, counted(attempt, err)
			}
			if !sleep(ctx, b.wait(attempt)) {
				return out, &cutShort{err: ctx.Err(), cause: context.Cause(ctx), last: counted(attempt, err)}
			}
		}
	}
}

func (b Backoff) orDefault() Backoff {
	if b.Attempts <= 0 {
		b.Attempts = defaultAttempts
	}
	if b.First <= 0 {
		b.First = defaultFirst
	}
	if b.Max <= 0 {
		b.Max = max(defaultMax, b.First)
	}
	if b.If == nil {
		b.If = func(err error) bool { return !errors.Is(err, context.Canceled) }
	}
	return b
}

// wait is the time between an attempt that failed and the next one.
func (b Backoff) wait(attempt int) time.Duration {
	bound := min(b.First, b.Max)
	for ; attempt > 1 && bound < b.Max; attempt-- {
		bound += min(bound, b.Max-bound) // doubled, and never beyond Max
	}
	return rand.N(bound)
}

func counted(attempts int, err error) error {
	if attempts == 1 {
		return err
	}
	return fmt.Errorf("after %d attempts: %w", attempts, err)
}

// sleep reports whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
