package task_test

import (
	"context"
	"testing"
	"time"

	"github.com/musternet/muster/task"
)

func Test66ShieldRunsUnderACancelledContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
	cancel()
	err := task.Shield(ctx, time.Minute, func(ctx context.Context) error {
		if ctx.Err() != nil || ctx.Value(key{}) != "kept" {
			t.Errorf("got a context with %v and value %v", ctx.Err(), ctx.Value(key{}))
		}
		return errA
	})
	if err != errA {
		t.Errorf("got %v, want %v as it is", err, errA)
	}
}

func Test66ShieldIsNotReachedByALaterCancellation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		begin := time.Now()
		if err := task.Shield(ctx, time.Minute, func(ctx context.Context) error { return sleep(ctx, time.Second) }); err != nil {
			t.Error(err)
		}
		took(t, begin, time.Second)
	})
}

func Test66ShieldIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		err := task.Shield(t.Context(), time.Minute, func(ctx context.Context) error { return sleep(ctx, time.Hour) })
		took(t, begin, time.Minute)
		if got := as[*task.TimeoutError](t, err); got.After != time.Minute {
			t.Errorf("got %+v", got)
		}
	})
}
