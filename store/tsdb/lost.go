package tsdb

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"
)

const (
	mostLost  = 3           // engines left behind, each with its memory
	quietTime = time.Second // for compactions to be off
)

// panicked is what the engine panicked with. It must not be used after that, not even be closed: see leave.
type panicked struct{ error }

func (p panicked) Unwrap() error { return p.error }

// recovered turns a panic of the engine that is an error, as those about a failed write are, into that error.
func recovered(err *error) {
	switch p := recover().(type) {
	case nil:
	case error:
		*err = panicked{fmt.Errorf("write chunks: %w", p)}
	default:
		panic(p)
	}
}

// leave does without the engine after it panicked: it holds locks then that it would take itself in order to close. Unless
// it can be told to compact no more, no other one may work in the same directory.
func (d *DB) leave(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	lost := d.engine
	close(d.losing)
	d.engine, d.queries, d.losing = nil, newQueries(d.options, d.log), make(chan struct{})
	d.wounded, d.resting = true, true
	d.metrics.clear()
	d.lost++
	d.givenUp = d.lost > mostLost || !quieted(lost)
	d.log.Error("the sample history could not write its chunks, its memory is lost until the process ends",
		"err", why, "times", d.lost, "for good", d.givenUp)
}

// quieted tells whether an engine makes no blocks any more.
func quieted(lost *engine) bool {
	quiet := make(chan struct{})
	time.AfterFunc(0, func() { // it may wait for ever for a compaction that waits for a lock
		lost.DisableCompactions()
		close(quiet)
	})
	select {
	case <-quiet:
		return true
	case <-time.After(quietTime):
		return false
	}
}

// use returns the engine for reading; its user says users.Done in the end.
func (d *DB) use() (*engine, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.engine == nil {
		return nil, d.closed()
	}
	d.engine.users.Add(1)
	return d.engine, nil
}

// evaluator returns what evaluates PromQL.
func (d *DB) evaluator() *promql.Engine {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.queries
}

// unlessLost returns what f returns. f runs beside its caller, and is left behind with an engine that is lost: it may be
// waiting for one of its locks.
func unlessLost[T any](d *DB, f func() (T, error)) (T, error) {
	type result struct {
		value    T
		err      error
		panicked any
	}
	d.mu.RLock()
	losing := d.losing
	d.mu.RUnlock()
	done := make(chan result, 1)
	time.AfterFunc(0, func() {
		var r result
		defer func() {
			r.panicked = recover()
			done <- r
		}()
		r.value, r.err = f()
	})
	select {
	case r := <-done:
		if r.panicked != nil {
			panic(r.panicked)
		}
		return r.value, r.err
	case <-losing:
		return *new(T), errLost
	}
}

// unavailable tells a history that is closed from a query that is wrong.
func unavailable(err error) bool {
	return errors.Is(err, errClosed) || errors.Is(err, errParked) || errors.Is(err, errGivenUp)
}
