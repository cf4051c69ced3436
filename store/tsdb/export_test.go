package tsdb

import (
	"context"
	"time"
)

// Compact makes blocks of what is in memory, and removes those beyond the retention, as the engine does in its own time.
func (d *DB) Compact() error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.engine.Compact(context.Background())
}

// Blocks counts the blocks.
func (d *DB) Blocks() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.engine.Blocks())
}

// Cached counts the series whose reference is known.
func (d *DB) Cached() int {
	d.writing.Lock()
	defer d.writing.Unlock()
	return len(d.series.entries)
}

// SetLost sets how many engines were left behind.
func (d *DB) SetLost(n int) {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.lost = n
}

// SetRoom replaces what is asked before the engine writes chunks.
func (d *DB) SetRoom(f func() error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.room = f
}

// FlushSoon has the next Write write chunks.
func (d *DB) FlushSoon() {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.flushed = time.Time{}
}

// SetReserve replaces what keeps the disk from running full.
func (d *DB) SetReserve(f func() (free, reserve uint64)) {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.reserve = f
}
