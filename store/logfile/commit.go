package logfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/musternet/muster/task"
)

// Run writes what is appended, turns and compresses segments and forgets old ones, until ctx ends. Then it writes what waits in
// memory, once, and returns; the error is why that failed, and the lines wait for Close. Nothing else makes it return: what the
// disk does not take is counted and logged. One Run at a time.
func (a *Archive) Run(ctx context.Context) error {
	err := task.Scope(ctx, "syslog archive", func(ctx context.Context, g *task.Group) error {
		g.Go("tell", a.tell)
		g.Go("keep", a.keep)
		return a.commits(ctx)
	})
	if err != nil {
		return fmt.Errorf("write syslog archive: %w", err)
	}
	return nil
}

// commits writes groups of lines.
func (a *Archive) commits(ctx context.Context) error {
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return a.commitLast()
		case <-turn.C:
			a.turnOld()
		case <-a.begun:
			a.gather(ctx)
			for a.commitNow() != nil && ctx.Err() == nil {
				pause(ctx, retryEvery)
			}
		}
	}
}

// gather waits for company of the lines that began a buffer.
func (a *Archive) gather(ctx context.Context) {
	wait := time.NewTimer(a.options.Sync)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-a.hurry:
	case <-ctx.Done():
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
}

func (a *Archive) commitNow() error {
	a.writing.Lock()
	defer a.writing.Unlock()
	return a.commit()
}

// commitLast writes what is there when ctx has ended.
func (a *Archive) commitLast() error {
	if err := a.commitNow(); err != nil {
		return full(err)
	}
	return nil
}

// commit writes and syncs what waits in memory. Its caller holds writing.
func (a *Archive) commit() error {
	a.mu.Lock()
	a.batch = a.buffer.take(a.batch)
	a.mu.Unlock()
	done, err := a.write()
	a.settle(done, err)
	return err
}

// write writes the batch chunk by chunk, and returns how many of them are durable.
func (a *Archive) write() (done int, err error) {
	if len(a.batch) == 0 {
		return 0, nil
	}
	a.lookForSegment()
	written := 0
	for _, c := range a.batch {
		if a.isFull() {
			if err = a.turn(); err != nil {
				return done, err
			}
			done = written
		}
		if err = a.writeChunk(c); err != nil {
			break
		}
		written++
	}
	if a.segment == nil {
		return done, err
	}
	if failed := a.segment.sync(); failed != nil {
		return done, errors.Join(err, failed)
	}
	return written, err
}

func (a *Archive) writeChunk(c *chunk) error {
	if a.segment == nil {
		if err := a.open(c.first); err != nil {
			return err
		}
	}
	return a.segment.write(c.data)
}

// open makes the next segment. Should there be a file of that name, the try after this one makes another.
func (a *Archive) open(first time.Time) error {
	s, err := createSegment(a.dir, a.next, first, a.period())
	if errors.Is(err, os.ErrNotExist) { // somebody removed the directory
		err = errors.Join(err, os.MkdirAll(a.dir, 0o700))
	}
	if err == nil || errors.Is(err, os.ErrExist) {
		a.next++
	}
	if err != nil {
		return fmt.Errorf("begin a segment: %w", err)
	}
	a.segment = s
	return nil
}

// lookForSegment leaves a segment whose file was removed behind: what was written to it is lost by the hand that did so.
func (a *Archive) lookForSegment() {
	if a.segment == nil || !errors.Is(a.segment.there(), errGone) {
		return
	}
	file := filepath.Base(a.segment.file.Name())
	a.log.Error("somebody removed the segment of the syslog archive that was written: the next one is begun", "file", file)
	_ = a.segment.close()
	a.segment = nil
	a.publish(0)
}

// isFull tells whether the open segment is to be closed, by its size or its age.
func (a *Archive) isFull() bool {
	s := a.segment
	return s != nil && s.end > 0 && (s.end >= a.options.SegmentBytes || !s.period.Equal(a.period()))
}

// period is the time that segments begun now have in common.
func (a *Archive) period() time.Time { return a.options.Now().UTC().Truncate(a.options.SegmentAge) }

// turn closes the open segment and leaves it to the keeper.
func (a *Archive) turn() error {
	if err := a.segment.sync(); err != nil {
		return err
	}
	size := a.segment.end
	if err := a.segment.close(); err != nil {
		a.log.Warn("a segment of the syslog archive could not be closed", "err", err) // it is synced
	}
	a.segment = nil
	a.publish(size)
	signal(a.turned)
	return nil
}

// turnOld closes a segment that is old enough though no line comes.
func (a *Archive) turnOld() {
	a.writing.Lock()
	defer a.writing.Unlock()
	if len(a.batch) == 0 && a.isFull() {
		if err := a.turn(); err != nil {
			a.log.Warn("a segment of the syslog archive could not be closed", "err", err)
		}
	}
}

// publish tells the keeper and Counts of the open segment, and that one of so many bytes was closed.
func (a *Archive) publish(closed int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.publishLocked()
	if closed > 0 {
		a.kept += closed
		a.counts.Segments++
	}
}

func (a *Archive) publishLocked() {
	a.writable, a.written = a.next, 0
	if a.segment != nil {
		a.writable, a.written = a.segment.number, a.segment.synced
	}
}

// settle counts what became of the batch.
func (a *Archive) settle(done int, err error) {
	a.mu.Lock()
	for _, c := range a.batch[:done] {
		a.settled += c.lines
		a.counts.Durable += c.lines
	}
	a.buffer.release(a.batch[:done])
	a.publishLocked()
	before, lost := a.trouble, a.counts.Lost
	a.trouble = nil
	if err != nil {
		a.trouble = fmt.Errorf("append to syslog archive: %w", full(err))
	}
	waiting := a.buffer.held
	if done > 0 || err != nil {
		a.announce()
	}
	a.mu.Unlock()
	rest := copy(a.batch, a.batch[done:])
	clear(a.batch[rest:])
	a.batch = a.batch[:rest]
	switch {
	case err != nil && before == nil:
		a.log.Error("the syslog archive cannot be written, it is tried again every second", "err", full(err), "bytes in memory", waiting)
	case err == nil && before != nil:
		a.log.Warn("the syslog archive is written again", "lines lost", lost)
	}
}

// tell says that lines are being lost, at once and then once a minute.
func (a *Archive) tell(ctx context.Context) error {
	var told uint64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.losing:
		}
		a.mu.Lock()
		lost, why := a.counts.Lost, a.trouble
		a.mu.Unlock()
		if why == nil {
			why = ErrSlow
		}
		if lost > told {
			a.log.Error("syslog lines are lost", "lines", lost-told, "since the start", lost, "err", why)
			told = lost
		}
		pause(ctx, tellEvery)
	}
}
