package tsdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/storage"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// Full chunks are written after so many samples, and each minute: what is in memory alone must fit into the reserve.
const (
	flushEvery = 1_000_000
	flushAfter = time.Minute
)

// Write appends samples as one record of the log. The caller batches: a call has a cost of its own. Of two values of one
// series and time the first stays. A sample that is refused does not keep the others from being written; those more than
// ten minutes older than the newest sample of the history match store.ErrTooOld. When the disk is full none was written.
func (d *DB) Write(ctx context.Context, some []muster.Sample) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("write samples: %w", err)
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := d.ready(); err != nil {
		return fmt.Errorf("write samples: %w", full(err))
	}
	refused, err := d.append(ctx, ascending(some))
	if err != nil {
		d.wounded = true
		if _, ok := errors.AsType[panicked](err); ok {
			d.leave(err)
		} else if noSpace(err) {
			d.rest()
		}
		return fmt.Errorf("write samples: %w", full(err))
	}
	d.counts.Written += uint64(len(some) - refused.tooOld - refused.other)
	d.counts.TooOld += uint64(refused.tooOld)
	d.counts.Refused += uint64(refused.other)
	d.flushSome(len(some))
	if err := refused.err(); err != nil {
		return fmt.Errorf("write samples: %w", err)
	}
	return nil
}

// ready brings the engine into a state that takes samples.
func (d *DB) ready() error {
	if d.lock == nil || d.givenUp {
		return d.closed()
	}
	if err := d.guard(); err != nil {
		return err
	}
	if d.wounded {
		if err := d.reopen(); err != nil {
			return fmt.Errorf("open the sample history anew: %w", err)
		}
		d.wounded = false
	}
	return nil
}

// guard lets the engine rest while the disk is nearly full.
func (d *DB) guard() error {
	free, reserve := d.reserve()
	if free < reserve {
		d.rest()
		return tooFull(free, reserve)
	}
	if d.resting && !d.wounded { // a wounded engine is replaced
		d.engine.EnableCompactions()
		d.resting = false
		d.log.Warn("there is space again, samples are written")
	}
	return nil
}

// rest keeps the engine from making blocks, until there is space.
func (d *DB) rest() {
	if d.resting || d.engine == nil {
		return
	}
	d.resting = true
	d.log.Warn("the disk is full or nearly so, no samples are written until there is space")
	d.engine.DisableCompactions()
}

// flushSome writes the chunks that are full, where there is room: the engine panics where there is none, with locks held.
func (d *DB) flushSome(written int) {
	d.unflushed += written
	if d.unflushed < flushEvery && time.Since(d.flushed) < flushAfter {
		return
	}
	d.unflushed, d.flushed = 0, time.Now()
	if d.room() != nil {
		return
	}
	if err := d.flush(); err != nil {
		d.leave(err)
	}
}

func (d *DB) flush() (err error) {
	defer recovered(&err)
	d.engine.ForceHeadMMap()
	return nil
}

// ascending returns the samples in order of time: those of one batch are not to be late for each other.
func ascending(some []muster.Sample) []muster.Sample {
	byTime := func(a, b muster.Sample) int { return cmp.Compare(a.Time.UnixMilli(), b.Time.UnixMilli()) }
	if !slices.IsSortedFunc(some, byTime) {
		some = slices.Clone(some)
		slices.SortStableFunc(some, byTime)
	}
	return some
}

func (d *DB) append(ctx context.Context, some []muster.Sample) (refused refusals, err error) {
	defer recovered(&err)
	app := d.engine.Appender(ctx)
	refused.of = len(some)
	for i := range some {
		refused.count(&some[i], d.add(app, &some[i]))
	}
	d.series.sweep(time.Now())
	return refused, app.Commit()
}

func (d *DB) add(app storage.Appender, s *muster.Sample) error {
	at := s.Time.UnixMilli()
	if e := d.series.find(s); e != nil {
		ref, err := app.Append(e.ref, e.labels, at, s.Value)
		if err == nil {
			e.ref = ref // another one, if the engine had forgotten the series
		}
		return err
	}
	l, err := d.series.build(s)
	if err != nil {
		return err
	}
	var ref storage.SeriesRef
	if known, ok := app.(storage.GetRef); ok {
		if r, own := known.GetRef(l, l.Hash()); r != 0 {
			ref, l = r, own // one copy of the labels is enough
		}
	}
	if ref, err = app.Append(ref, l, at, s.Value); err == nil {
		d.series.add(s, ref, l)
	}
	return err
}

// refusals counts the samples of a batch that were not taken.
type refusals struct {
	of, tooOld, other int
	oldest            time.Time
	first             error // of the others
}

func (r *refusals) count(s *muster.Sample, err error) {
	switch {
	case err == nil:
	case errors.Is(err, storage.ErrTooOldSample), errors.Is(err, storage.ErrOutOfBounds), errors.Is(err, storage.ErrOutOfOrderSample):
		if r.tooOld == 0 {
			r.oldest = s.Time
		}
		r.tooOld++
	default:
		if r.other == 0 {
			r.first = err
		}
		r.other++
	}
}

func (r *refusals) err() error {
	var tooOld, other error
	if r.tooOld > 0 {
		tooOld = fmt.Errorf("%d of %d are %w, more than %v before the newest: the oldest is of %s (did the clock jump?)",
			r.tooOld, r.of, store.ErrTooOld, late, r.oldest.UTC().Format(time.RFC3339))
	}
	if r.other > 0 {
		other = fmt.Errorf("%d of %d were refused: %w", r.other, r.of, r.first)
	}
	return errors.Join(tooOld, other)
}
