package task

import (
	"context"
	"time"
)

// Shield calls f, for at most d, with a context that keeps the values of ctx but not its end: work that has to be finished
// when everything around it is being cancelled, such as closing a session politely. It returns when f returns and fails as
// Timeout does. With d of 0 or less f is not called.
func Shield(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	_, err := Timeout(context.WithoutCancel(ctx), d, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
	return err
}
