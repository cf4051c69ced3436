// Package tsdb keeps samples in Prometheus' own time-series database inside the process, answers PromQL about them and
// serves them on Prometheus' HTTP read API.
//
// # Durability
//
// What Write returned for is in the kernel: a process that is killed loses none of it, a power loss at most what the
// kernel had not written. Open mends what a crash left: a torn end of the log is cut off, a block or a file of chunks that
// cannot be read is put aside under the name *.broken; each is logged as a warning.
//
// # A full disk
//
// The engine panics when it cannot write the chunks it holds in memory. So it is made to write them only where there is room,
// and Write stops while there is still a reserve: it fails with store.ErrDiskFull, compactions rest, queries go on, and
// Write goes on by itself when there is space. Open wants the reserve, too.
//
// Should it panic all the same, because others filled the disk within these milliseconds or because the disk is broken, it
// keeps locks that nobody can take any more. It is left behind with its memory then, queries under way end with an error,
// and the next Write for which there is space opens another one. That is done three times; after that the history stays
// closed until the process starts anew.
package tsdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"

	"github.com/musternet/muster/store"
)

const (
	late       = 10 * time.Minute // how much older than the newest sample one may be
	concurrent = 8                // queries evaluated at once, the others wait
)

var _ store.Samples = (*DB)(nil)

var (
	errClosed  = errors.New("the sample history is closed")
	errParked  = errors.New("the sample history could not be opened anew, the next write tries again")
	errLost    = fmt.Errorf("its disk failed meanwhile: %w", errParked)
	errGivenUp = errors.New("the sample history is closed until the process starts anew: its disk failed too often")
)

// Options for Open. The zero value is useful.
type Options struct {
	Retention time.Duration // default 90 days; whole blocks go, so that a little more is kept
	MaxBytes  int64         // of blocks and the log of the last hours, the oldest blocks go first; 0: no limit

	// Block is how much time the newest block spans, default 2 h. A start after a crash reads the samples of one and a half
	// of them from the log, 5 to 15 million a second on two cores; half an hour starts sooner, and needs two to three times
	// the disk where a sample comes once a minute.
	Block time.Duration

	Timeout    time.Duration // of one query, default 2 min
	Lookback   time.Duration // how old a sample may be to be the current value, default 5 min
	MaxSamples int           // that one query may hold in memory, default 20 million of 16 bytes

	Log        *slog.Logger          // what was repaired, and what fails in the background; nil: nowhere
	Registerer prometheus.Registerer // for the engine's own metrics, prometheus_*; nil: none
}

func (o Options) withDefaults() Options {
	if o.Retention <= 0 {
		o.Retention = 90 * 24 * time.Hour
	}
	if o.Block <= 0 {
		o.Block = 2 * time.Hour
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.Lookback <= 0 {
		o.Lookback = 5 * time.Minute
	}
	if o.MaxSamples <= 0 {
		o.MaxSamples = 20_000_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// DB is one directory of samples. Its methods may be called at the same time; writes take turns.
type DB struct {
	dir     string
	options Options
	log     *slog.Logger
	lock    *store.Lock
	metrics *registry
	reserve func() (free, reserve uint64) // bytes on the disk, and how many of them are not ours to use
	room    func() error                  // whether the engine may write chunks

	writing sync.Mutex // held by the one who writes; guards what follows
	series  *cache
	counts  Counts
	resting bool // the disk is nearly full: the engine was made to write what it holds, and rests
	wounded bool // a write failed: the engine must be opened anew before the next one

	flushed   time.Time // when the engine was last made to write full chunks
	unflushed int       // samples since then

	lost    int  // engines left behind
	givenUp bool // no other engine is opened in this process

	mu      sync.RWMutex   // guards what follows
	engine  *engine        // nil: closed, or not opened anew
	queries *promql.Engine // replaced with an engine that is lost: its turns may be taken for ever
	losing  chan struct{}  // closed when the engine is lost
}

// Counts says what became of the samples given to Write since Open.
type Counts struct {
	Written uint64
	TooOld  uint64 // dropped, see store.ErrTooOld
	Refused uint64 // dropped: without a name, with labels that are no UTF-8, or a second value for the same time
}

// Open opens the directory, makes it if need be and repairs what a crash left. It waits up to 5 s for another process
// that has it open, then returns a *store.LockedError. An engine's goroutines run until Close.
func Open(dir string, o Options) (*DB, error) {
	o = o.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open sample history: %w", err)
	}
	lock, err := store.LockDir(context.Background(), dir, "sample history")
	if err != nil {
		return nil, fmt.Errorf("open sample history: %w", full(err))
	}
	d := &DB{
		dir: dir, options: o, log: slog.New(quiet{o.Log.Handler()}), lock: lock,
		metrics: &registry{to: o.Registerer}, series: newCache(), flushed: time.Now(), losing: make(chan struct{}),
	}
	d.reserve, d.room = d.space, d.roomy
	d.queries = newQueries(o, d.log)
	if d.engine, err = d.openEngine(); err != nil {
		d.metrics.clear()
		return nil, errors.Join(fmt.Errorf("open sample history %s: %w", dir, full(err)), lock.Unlock())
	}
	return d, nil
}

// Counts returns what became of the samples so far.
func (d *DB) Counts() Counts {
	d.writing.Lock()
	defer d.writing.Unlock()
	return d.counts
}

// Close waits for writes and queries under way, ends the engine's goroutines and gives the directory back. Safe twice.
func (d *DB) Close() error {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock == nil {
		return nil
	}
	err := errors.Join(d.closeEngine(), d.lock.Unlock())
	d.lock = nil
	if err != nil {
		return fmt.Errorf("close sample history: %w", full(err))
	}
	return nil
}

// closed says why there is no engine. Its caller holds mu.
func (d *DB) closed() error {
	switch {
	case d.lock == nil:
		return errClosed
	case d.givenUp:
		return errGivenUp
	}
	return errParked
}
