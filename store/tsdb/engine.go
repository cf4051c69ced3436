package tsdb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"
)

// engine is one opening of the engine, and counts its users.
type engine struct {
	*tsdb.DB
	users sync.WaitGroup
}

// openEngine opens the engine, and puts aside before what it could not read: an engine that fails to open leaves
// goroutines behind.
func (d *DB) openEngine() (*engine, error) {
	for _, prepare := range []func() error{d.roomy, d.mendCheckpoint, d.mendBlocks, d.mendChunks} {
		if err := prepare(); err != nil {
			return nil, err
		}
	}
	db, err := tsdb.Open(d.dir, d.log, d.metrics.orNil(), d.engineOptions(), nil)
	if err != nil {
		d.metrics.clear()
		return nil, err
	}
	return &engine{DB: db}, nil
}

// engineOptions are those of prometheus itself where nothing else is said: blocks of two hours grow to a tenth of the
// retention. The lock is ours, because that one names its holder. The engine's own round each minute is put off for good:
// what it does is done by flushSome and by compactions, where a disk that is full ends no process.
func (d *DB) engineOptions() *tsdb.Options {
	o := tsdb.DefaultOptions()
	longest := min(max(d.options.Retention/10, d.options.Block), 31*24*time.Hour)
	o.RetentionDuration = d.options.Retention.Milliseconds()
	o.MaxBytes = d.options.MaxBytes
	o.MinBlockDuration = d.options.Block.Milliseconds()
	o.MaxBlockDuration = longest.Milliseconds()
	o.OutOfOrderTimeWindow = late.Milliseconds()
	o.WALCompression = compression.Snappy
	o.NoLockfile = true
	o.BlockReloadInterval = 100 * 365 * 24 * time.Hour
	return o
}

// closeEngine waits for the users of the engine and ends it. On a full disk that may panic, where it writes what it has in memory: all of it is in the
// log, too, and is read from there; but two idle goroutines and a few open files stay behind.
func (d *DB) closeEngine() (err error) {
	e := d.engine
	if e == nil {
		return nil
	}
	d.engine = nil
	e.users.Wait()
	defer d.metrics.clear()
	defer recovered(&err)
	return e.Close()
}

// reopen replaces the engine, so that its memory is what the log says: what a failed write left in one and not in the
// other would be lost later. Without space the old one stays, for queries.
func (d *DB) reopen() error {
	if err := d.roomy(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.closeEngine(); err != nil {
		d.log.Warn("closing the sample history failed, it is opened anew", "err", err)
	}
	d.series = newCache()
	engine, err := d.openEngine()
	if err != nil {
		return err
	}
	d.engine, d.resting = engine, false
	d.log.Warn("the sample history was opened anew")
	return nil
}

// mendCheckpoint cuts off a checkpoint of the log where it cannot be read. It must go before opening: the engine takes
// the damage for one of the log itself, and removes all that was written since.
func (d *DB) mendCheckpoint() error {
	dir, _, err := wlog.LastCheckpoint(filepath.Join(d.dir, "wal"))
	if errors.Is(err, record.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	damage := readAll(dir)
	if damage == nil {
		return nil
	}
	var corrupt *wlog.CorruptionErr
	if !errors.As(damage, &corrupt) {
		return damage
	}
	d.log.Warn("a checkpoint of the log is damaged and cut off there", "checkpoint", dir, "err", damage)
	log, err := wlog.New(d.log, nil, dir, compression.Snappy)
	if err != nil {
		return err
	}
	return errors.Join(log.Repair(damage), log.Close())
}

func readAll(dir string) error {
	segments, err := wlog.NewSegmentsReader(dir)
	if err != nil {
		return err
	}
	r := wlog.NewReader(segments) // which knows the place of damage only if nothing is between them
	for r.Next() {
	}
	return errors.Join(r.Err(), segments.Close())
}

// mendBlocks puts the blocks aside that cannot be opened.
func (d *DB) mendBlocks() error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := ulid.ParseStrict(e.Name()); err != nil || !e.IsDir() {
			continue
		}
		if err := d.mendBlock(filepath.Join(d.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) mendBlock(dir string) error {
	block, damage := tsdb.OpenBlock(d.log, dir, nil, nil)
	switch {
	case damage == nil:
		return block.Close()
	case unreadable(damage):
		return d.putAside(dir, damage)
	}
	return damage
}

// mendChunks puts the files of chunks aside that were not yet in a block, if they cannot be opened. What they hold is in
// the log, too.
func (d *DB) mendChunks() error {
	dir := filepath.Join(d.dir, "chunks_head")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	files, damage := chunks.NewChunkDiskMapper(nil, dir, chunkenc.NewPool(), chunks.DefaultWriteBufferSize, chunks.DefaultWriteQueueSize)
	if files != nil { // also beside an error
		if err := files.Close(); damage == nil {
			return err
		}
	}
	if unreadable(damage) {
		return d.putAside(dir, damage)
	}
	return damage
}

// unreadable tells damage from a system that refuses: a file that may not be read is no broken one.
func unreadable(err error) bool {
	var refused syscall.Errno
	return !errors.As(err, &refused) || errors.Is(err, fs.ErrNotExist)
}

func (d *DB) putAside(dir string, damage error) error {
	aside := dir + ".broken"
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	d.log.Warn("a part of the sample history cannot be read and is put aside", "part", dir, "aside", aside, "err", damage)
	return os.Rename(dir, aside)
}
