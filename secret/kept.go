package secret

import (
	"context"
	"sync"
	"time"
)

// kept reads once, for everybody who asks at the same time, and keeps the answer until its time is over.
type kept[T any] struct {
	read func(context.Context) (value T, until time.Time, err error) // the zero time: for good

	mu      sync.Mutex
	reading chan struct{} // closed when the reading under way has ended; nil: none under way
	done    bool
	value   T
	until   time.Time
	err     error
}

// get returns what was read and until when that holds, reading it first where nobody has. A reading that ended with its
// caller's context tells nothing about the secret: it is not kept and the next in line reads again.
func (k *kept[T]) get(ctx context.Context) (T, time.Time, error) {
	var none T
	for {
		k.mu.Lock()
		if k.done && (k.until.IsZero() || time.Now().Before(k.until)) {
			defer k.mu.Unlock()
			return k.value, k.until, k.err
		}
		if k.reading == nil {
			k.reading = make(chan struct{})
			k.mu.Unlock()
			return k.lead(ctx)
		}
		reading := k.reading
		k.mu.Unlock()
		select {
		case <-reading:
		case <-ctx.Done():
			return none, time.Time{}, context.Cause(ctx)
		}
	}
}

// lead reads for everybody who waits.
func (k *kept[T]) lead(ctx context.Context) (v T, until time.Time, err error) {
	finished := false
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		close(k.reading)
		k.reading = nil
		if finished && (err == nil || ctx.Err() == nil) {
			k.done, k.value, k.until, k.err = true, v, until, err
		}
	}()
	if ctx.Err() != nil {
		return v, until, context.Cause(ctx)
	}
	v, until, err = k.read(ctx)
	finished = true
	return v, until, err
}

// forget makes the next caller read again, where the value is the one that is meant. What is being read at this moment is kept
// all the same.
func (k *kept[T]) forget(meant func(T) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done && meant(k.value) {
		var none T
		k.done, k.value = false, none
	}
}
