package task

import (
	"context"
	"errors"
	"os"
	"time"
)

// Timeout calls f with a context that ends after d, and returns when f returns: f has to heed its context, and what it does
// to clean up is waited for. It starts no goroutine.
//
// A nil error of f is a success, even a late one. When the time is over and f says so, with context.DeadlineExceeded,
// context.Canceled or os.ErrDeadlineExceeded, the error is a *TimeoutError; any other error of f is returned as it is. When
// ctx ended first, f's error is returned: it is no *TimeoutError of this call. With d of 0 or less f is not called.
func Timeout[T any](ctx context.Context, d time.Duration, f func(context.Context) (T, error)) (T, error) {
	timeout := &TimeoutError{Name: givenName(ctx), After: d}
	if d <= 0 {
		var zero T
		if ctx.Err() != nil {
			return zero, ended(ctx)
		}
		return zero, timeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d, timeout)
	defer cancel()
	value, err := f(ctx)
	if err == nil {
		return value, nil
	}
	over := context.Cause(ctx) == error(timeout)
	if over && (echo(ctx, err) || errors.Is(err, os.ErrDeadlineExceeded)) {
		return value, timeout
	}
	return value, err
}
