package logfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	keepEvery  = time.Minute
	againAfter = 10 * time.Minute // a segment that could not be compressed is tried again
	mostPlain  = 4 << 30          // text of closed segments that may wait for a quiet time to be compressed
	busyRate   = 32 << 20         // bytes a second: with so many lines coming, compression waits
	lookEvery  = 200 * time.Millisecond
	busyPause  = time.Second
)

// errStopped is that a piece of work was left because the archive is being closed.
var errStopped = errors.New("stopped")

// keeper looks after the closed segments.
type keeper struct {
	archive *Archive
	scratch scratch
	dec     *zstd.Decoder
	enc     *zstd.Encoder
	newest  map[string]time.Time // when the newest line of a segment with an index was received, by base; zero: unknown
	failed  map[string]time.Time // when a segment could not be compressed

	looked time.Time // at the rate of lines
	seen   uint64    // bytes until then
	busy   bool
}

// keep compresses closed segments, one at a time, and forgets those that are too old or too many, whenever one is closed and each
// minute. It makes anew what is missing and clears away what a crash left.
func (a *Archive) keep(ctx context.Context) error {
	k := &keeper{archive: a, newest: make(map[string]time.Time), failed: make(map[string]time.Time), looked: time.Now()}
	defer k.close()
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = k.round(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("the syslog archive could not be tidied", "err", full(err))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-a.turned:
		case <-tick.C:
		}
	}
}

func (k *keeper) close() {
	if k.dec != nil {
		k.dec.Close()
	}
	if k.enc != nil {
		_ = k.enc.Close() // it holds nothing back
	}
}

func (k *keeper) decoder() *zstd.Decoder {
	if k.dec == nil {
		k.dec = newDecoder(1)
	}
	return k.dec
}

// round looks through the directory once and does the most urgent piece of work. It tells whether there may be more.
func (k *keeper) round(ctx context.Context) (more bool, err error) {
	closed, err := k.survey()
	if err != nil {
		return false, err
	}
	closed = k.forget(closed)
	k.publish(closed)
	e := k.due(closed)
	if e == nil {
		return false, nil
	}
	step := func() error { return k.pace(ctx) }
	if e.plain && !e.packed {
		err = k.compress(e, step)
	} else {
		err = k.makeIndex(e, step)
	}
	if err == nil {
		return true, nil
	}
	k.failed[e.base] = time.Now()
	return !noSpace(err), fmt.Errorf("%s: %w", e.name(), err)
}

// survey returns the closed segments, oldest first, and clears away what a crash left: temporary files, a plain file beside the
// compressed one, which is whole, and the index of no segment.
func (k *keeper) survey() ([]*entry, error) {
	k.archive.mu.Lock()
	writable := k.archive.writable
	k.archive.mu.Unlock()
	all, temps, err := list(k.archive.dir)
	if err != nil {
		return nil, err
	}
	for _, path := range temps {
		err = errors.Join(err, remove(path))
	}
	var closed []*entry
	for _, e := range all {
		switch {
		case e.number >= writable:
			continue
		case !e.readable():
			err = errors.Join(err, remove(e.indexPath()))
			continue
		case e.plain && e.packed:
			if failed := remove(e.plainPath()); failed != nil { // a reader holds it open, where that matters
				err = errors.Join(err, failed)
				break
			}
			e.plain = false
		}
		e.size = sizeOf(e)
		closed = append(closed, e)
	}
	if err != nil {
		k.archive.log.Warn("what was left of a crash could not be removed", "err", err)
	}
	return closed, nil
}

// due returns the oldest segment that is to be compressed or has no index.
func (k *keeper) due(closed []*entry) *entry {
	for _, e := range closed {
		if at, ok := k.failed[e.base]; ok && time.Since(at) < againAfter {
			continue
		}
		if e.plain && !e.packed || !k.indexed(e) {
			return e
		}
	}
	return nil
}

// publish tells Counts what there is.
func (k *keeper) publish(closed []*entry) {
	size := int64(0)
	for _, e := range closed {
		size += e.size
	}
	a := k.archive
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept, a.counts.Segments = size, len(closed)
}

// pace waits while many lines come, as long as the segments that are not compressed are few.
func (k *keeper) pace(ctx context.Context) error {
	for k.isBusy() && ctx.Err() == nil && k.plainBytes() < k.mostPlain() {
		pause(ctx, busyPause)
	}
	if ctx.Err() != nil {
		return errStopped
	}
	return nil
}

// isBusy tells whether many lines come.
func (k *keeper) isBusy() bool {
	since := time.Since(k.looked)
	if since < lookEvery {
		return k.busy
	}
	k.archive.mu.Lock()
	bytes := k.archive.bytes
	k.archive.mu.Unlock()
	k.busy = float64(bytes-k.seen) > k.archive.quiet*since.Seconds()
	k.looked, k.seen = time.Now(), bytes
	return k.busy
}

func (k *keeper) mostPlain() int64 {
	if most := k.archive.options.MaxBytes; most > 0 {
		return min(mostPlain, most/4)
	}
	return mostPlain
}

// plainBytes is the size of all segments that are not compressed.
func (k *keeper) plainBytes() (n int64) {
	all, _, err := list(k.archive.dir)
	if err != nil {
		return 0
	}
	for _, e := range all {
		if e.plain && !e.packed {
			n += sizeOf(e)
		}
	}
	return n
}

// remove removes a file that may be gone.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
