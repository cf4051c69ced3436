package logfile

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// Append copies a line, one JSON object with its line feed, into memory and returns; Run writes it. When it returns an error the
// line is lost and counted, unless it was none. It waits only when Options.Buffer is used up and the disk does not fail: up to
// five seconds or until ctx ends. The error matches store.ErrDiskFull when that is why, ErrSlow after the five seconds, ErrClosed
// after Close. received is when the line came.
func (a *Archive) Append(ctx context.Context, line []byte, received time.Time) error {
	if end := bytes.IndexByte(line, '\n'); end < 0 || end != len(line)-1 {
		return errLine
	}
	a.mu.Lock()
	a.counts.Appended++
	if a.closed || a.buffer.held+int64(len(line)) > a.options.Buffer {
		if err := a.makeRoom(ctx, int64(len(line))); err != nil {
			a.counts.Lost++
			a.mu.Unlock()
			signal(a.losing)
			return err
		}
	}
	a.taken++
	a.bytes += uint64(len(line))
	if a.buffer.put(line, received) {
		a.wake()
	}
	a.mu.Unlock()
	return nil
}

// wake tells the committer of lines in a chunk that was begun. Its caller holds mu.
func (a *Archive) wake() {
	if len(a.buffer.queue) == 0 {
		signal(a.begun)
	}
	if a.buffer.held > a.options.Buffer/2 {
		signal(a.hurry)
	}
}

// makeRoom waits until the buffer takes n bytes more. Its caller holds mu.
func (a *Archive) makeRoom(ctx context.Context, n int64) error {
	limit := time.NewTimer(slowLimit)
	defer limit.Stop()
	for a.closed || a.buffer.held+n > a.options.Buffer {
		switch {
		case a.closed:
			return ErrClosed
		case n > a.options.Buffer:
			return fmt.Errorf("append to syslog archive: a line of %d bytes is longer than the buffer", n)
		case a.trouble != nil:
			return a.trouble
		}
		progress := a.progress
		a.mu.Unlock()
		signal(a.hurry)
		var err error
		slow := false
		select {
		case <-progress:
		case <-limit.C:
			slow = true
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		a.mu.Lock()
		if err != nil {
			return fmt.Errorf("append to syslog archive: %w", err)
		}
		if slow && a.trouble == nil { // the others need not wait for what is not coming
			a.trouble = fmt.Errorf("append to syslog archive: %w", ErrSlow)
			a.announce()
		}
	}
	return nil
}

// Flush waits until all lines appended before are durable. It needs Run. While the disk fails it waits on, until ctx ends, and
// then says what the disk's trouble is.
func (a *Archive) Flush(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	target, lost := a.taken, a.counts.Lost
	for a.settled < target {
		progress := a.progress
		a.mu.Unlock()
		signal(a.hurry)
		var err error
		select {
		case <-progress:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		a.mu.Lock()
		if err != nil && a.settled < target {
			if a.trouble != nil {
				err = fmt.Errorf("%w, and %w", err, a.trouble)
			}
			return fmt.Errorf("flush syslog archive: %w", err)
		}
	}
	if a.closed && a.counts.Lost > lost {
		return fmt.Errorf("flush syslog archive: %w", ErrClosed)
	}
	return nil
}
