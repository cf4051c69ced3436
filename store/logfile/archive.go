package logfile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/musternet/muster/store"
)

// Errors that callers branch on.
var (
	ErrClosed = errors.New("the syslog archive is closed")
	ErrSlow   = errors.New("the disk does not keep up")
	errLine   = errors.New("append to syslog archive: not one line that ends with a line feed")
)

const (
	retryEvery = time.Second      // how often a disk that failed is tried
	slowLimit  = 5 * time.Second  // Append waits so long for a disk that does not fail
	tellEvery  = time.Minute      // how often the log speaks of lines that are lost
	mostChunk  = 1 << 20          // bytes that are written at once
	turnEvery  = 10 * time.Second // how often a segment that gets no lines is looked at
)

// Archive is one directory of segments, open for appending. Its methods may be called at the same time.
type Archive struct {
	dir     string
	options Options
	log     *slog.Logger
	lock    *store.Lock
	quiet   float64                 // compression waits for a time when fewer bytes a second are appended
	at      func(step string) error // a test's crash; nil: none

	begun  chan struct{} // holds a token when lines came into an empty buffer
	hurry  chan struct{} // holds a token when they cannot wait for company
	turned chan struct{} // holds a token when a segment was closed
	losing chan struct{} // holds a token when lines were lost

	mu       sync.Mutex // guards what follows
	buffer   buffer
	counts   Counts
	bytes    uint64        // of all lines appended
	taken    uint64        // lines that came into the buffer
	settled  uint64        // of these, lines that are durable or were given up
	progress chan struct{} // closed, and replaced, when settled or trouble change
	trouble  error         // why the disk takes no lines; nil: it does
	closed   bool
	writable uint64 // the segment of this number and those after it may be written; for the keeper the others are closed
	kept     int64  // bytes in closed segments
	written  int64  // bytes in the open one

	writing sync.Mutex // held by the one who writes; guards what follows
	batch   []*chunk   // taken from the buffer and not yet durable
	segment *segment   // nil: none is open
	next    uint64     // the number of the next one
}

// Counts says what became of the lines since Open, and what there is on the disk. Appended is Durable, Lost, and what waits in
// memory: nothing after Close.
type Counts struct {
	Appended uint64
	Durable  uint64 // written and synced
	Lost     uint64 // because the disk did not take them
	Torn     int64  // bytes of a last line that a crash tore: Open cut them off
	Segments int
	Bytes    int64 // on the disk, at the time the segments were last looked through or later
}

// Open opens the directory for appending, makes it if need be, and cuts off a last line that a crash tore. It waits up to 5 s
// for another process that has it open, then returns a *store.LockedError. Run writes what is appended.
func Open(dir string, o Options) (*Archive, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open syslog archive: %w", err)
	}
	lock, err := store.LockDir(context.Background(), dir, "syslog archive")
	if err != nil {
		return nil, fmt.Errorf("open syslog archive: %w", full(err))
	}
	o = o.withDefaults(dir)
	a := &Archive{
		dir: dir, options: o, log: o.Log, lock: lock, quiet: busyRate,
		begun: make(chan struct{}, 1), hurry: make(chan struct{}, 1), turned: make(chan struct{}, 1), losing: make(chan struct{}, 1),
		buffer: buffer{size: chunkSize(o.Buffer)}, progress: make(chan struct{}),
	}
	if err := a.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("open syslog archive %s: %w", dir, full(err)), lock.Unlock())
	}
	return a, nil
}

// recover finds out what there is, and mends the end of what was written last. That segment is closed then, because somebody
// may have read beyond what a crash left of it; only an empty one is gone on with.
func (a *Archive) recover() error {
	all, _, err := list(a.dir)
	if err != nil {
		return err
	}
	a.next, a.writable = 1, 1
	if len(all) == 0 {
		return nil
	}
	last := all[len(all)-1]
	a.next, a.writable = last.number+1, last.number+1
	if last.plain && !last.packed {
		if err := a.mend(last); err != nil {
			return err
		}
	}
	for _, e := range all {
		if e.number < a.writable && e.readable() {
			a.counts.Segments++
			a.kept += sizeOf(e)
		}
	}
	return nil
}

func (a *Archive) mend(last *entry) error {
	left, torn, err := cutTorn(last.plainPath())
	if err != nil {
		return fmt.Errorf("cut off a torn line: %w", err)
	}
	if torn > 0 {
		a.counts.Torn = torn
		a.log.Warn("a line that a crash tore was cut off the end of the syslog archive", "file", last.name()+plainEnd, "bytes", torn)
	}
	if left > 0 {
		return nil
	}
	a.segment, err = reopenSegment(last, a.period())
	a.writable = last.number
	return err
}

// Counts returns what became of the lines so far.
func (a *Archive) Counts() Counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.counts
	c.Bytes = a.kept + a.written
	if a.written > 0 {
		c.Segments++
	}
	return c
}

// Close writes what waits in memory, once, counts as lost what the disk does not take, and gives the directory back. Run has to
// have returned. Safe twice.
func (a *Archive) Close() error {
	a.writing.Lock()
	defer a.writing.Unlock()
	if a.lock == nil {
		return nil
	}
	a.refuse()
	err := a.commit()
	if lost := a.giveUp(); lost > 0 {
		a.log.Error("syslog lines are lost: the archive was closed while it could not be written", "lines", lost, "err", err)
	}
	if a.segment != nil {
		err = errors.Join(err, a.segment.close())
		a.segment = nil
	}
	err = errors.Join(err, a.lock.Unlock())
	a.lock = nil
	if err != nil {
		return fmt.Errorf("close syslog archive: %w", full(err))
	}
	return nil
}

// refuse makes Append take no more.
func (a *Archive) refuse() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.announce()
}

// giveUp counts what waits in memory as lost.
func (a *Archive) giveUp() (lost uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	lost = a.taken - a.settled
	a.settled = a.taken
	a.counts.Lost += lost
	a.batch, a.buffer = nil, buffer{size: a.buffer.size}
	a.announce()
	return lost
}

// announce wakes all who wait for settled or trouble. Its caller holds mu.
func (a *Archive) announce() {
	close(a.progress)
	a.progress = make(chan struct{})
}

// signal puts a token into a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// sizeOf is what the files of a segment hold. A file that is gone holds nothing.
func sizeOf(e *entry) (n int64) {
	for _, f := range []struct {
		there bool
		path  string
	}{{e.plain, e.plainPath()}, {e.packed, e.packedPath()}, {e.index, e.indexPath()}} {
		if !f.there {
			continue
		}
		if info, err := os.Stat(f.path); err == nil {
			n += info.Size()
		}
	}
	return n
}

// full joins store.ErrDiskFull to what the system says of a full disk.
func full(err error) error {
	if noSpace(err) && !errors.Is(err, store.ErrDiskFull) {
		return fmt.Errorf("%w (%w)", store.ErrDiskFull, err)
	}
	return err
}
