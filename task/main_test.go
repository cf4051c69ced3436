package task_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

var (
	errA = errors.New("error A")
	errB = errors.New("error B")
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(play(role))
	}
	goleak.VerifyTestMain(m)
}

// bubble runs f in virtual time, beside other tests.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// sleep waits for d or for the end of ctx, as a well-behaved task does.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sleeper is an item that takes its own time and returns it.
func sleeper(ctx context.Context, d time.Duration) (time.Duration, error) { return d, sleep(ctx, d) }

// took fails the test unless exactly want of virtual time has passed since begin.
func took(t *testing.T, begin time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(begin); got != want {
		t.Errorf("took %v, want %v", got, want)
	}
}

// matches fails the test unless err is each of targets.
func matches(t *testing.T, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("got error %v, want it to match %v", err, target)
		}
	}
}

// as fails the test unless err holds a T, which it returns.
func as[T error](t *testing.T, err error) T {
	t.Helper()
	var target T
	if !errors.As(err, &target) {
		t.Fatalf("got error %v of type %T, want a %T", err, err, target)
	}
	return target
}

// isNot fails the test if err holds a T.
func isNot[T error](t *testing.T, err error) {
	t.Helper()
	var target T
	if errors.As(err, &target) {
		t.Errorf("got error %v, which holds a %T", err, target)
	}
}

// panicOf returns what f panics with.
func panicOf(t *testing.T, f func()) (value any) {
	t.Helper()
	defer func() {
		value = recover()
		if value == nil {
			t.Error("no panic")
		}
	}()
	f()
	return nil
}
