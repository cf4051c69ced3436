package logfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

const (
	followEvery = 100 * time.Millisecond // how often Follow looks for new lines
	followBytes = 256 << 10              // that it reads at once
)

// Follow yields the last Limit lines that a query wants, oldest first, and then those that are appended, as they are written,
// until ctx ends or the loop is left: then it ends without an error. With a Limit of 0 it begins with what is new; Newest means
// nothing. Segments may be turned, compressed and forgotten meanwhile, and the archive may be closed and opened again.
//
// What cannot be read is yielded as a *LineError, and it goes on. Segments that were forgotten before they were read are
// yielded as an error that says so.
func Follow(ctx context.Context, dir string, q store.LogQuery) iter.Seq2[muster.LogLine, error] {
	return func(yield func(muster.LogLine, error) bool) {
		if err := q.Check(); err != nil {
			yield(muster.LogLine{}, err)
			return
		}
		last := q.Limit
		q.Limit, q.Newest = 0, false
		f := &follower{dir: dir, filter: newFilter(q), yield: yield}
		defer f.close()
		if err := f.begin(ctx, last); err != nil {
			yield(muster.LogLine{}, fmt.Errorf("follow syslog archive: %w", err))
			return
		}
		for !f.enough && ctx.Err() == nil && f.more(ctx) {
		}
	}
}

// follower is one range over a Follow.
type follower struct {
	dir     string
	filter  *filter
	yield   func(muster.LogLine, error) bool
	enough  bool // the loop was left
	scratch scratch
	dec     *zstd.Decoder

	number uint64 // of the segment that is read or was read last; 0: none
	text   *text  // nil: it was read to its end
	offset int64  // in a plain text: what is before it was read

	listed  time.Time // when the directory was read
	changed time.Time // and what it said of its last change
}

func (f *follower) close() {
	if f.text != nil {
		f.text.close()
	}
	if f.dec != nil {
		f.dec.Close()
	}
}

// begin finds the end of what is written, and yields the last lines before it.
func (f *follower) begin(ctx context.Context, last int) error {
	segments, err := readables(f.dir)
	if err != nil || len(segments) == 0 {
		return err
	}
	newest := segments[len(segments)-1]
	t, err := openText(newest)
	if err != nil {
		return err
	}
	if err := t.wholeLines(); err != nil {
		t.close()
		return err
	}
	f.number, f.text, f.offset = newest.number, t, t.end
	if last > 0 {
		f.history(ctx, segments, last)
	}
	if t.packed {
		f.leave()
	}
	return nil
}

// history yields the last lines before those that are new.
func (f *follower) history(ctx context.Context, segments []*entry, last int) {
	q := f.filter.query
	q.Newest, q.Limit = true, last
	s := newSearch(q)
	defer s.close()
	s.newest = f.text
	var hits []hit
	s.run(ctx, segments, func(l muster.LogLine, err error) bool {
		hits = append(hits, hit{l, err})
		return true
	})
	if ctx.Err() != nil {
		return
	}
	slices.Reverse(hits)
	f.hand(hits)
}

func (f *follower) hand(hits []hit) {
	for _, h := range hits {
		if f.enough = f.enough || !f.yield(h.line, h.err); f.enough {
			return
		}
	}
}

// leave ends a segment that was read to its end.
func (f *follower) leave() {
	f.text.close()
	f.text = nil
}

// more reads what is new. It waits where there is nothing, and tells whether it may be asked again.
func (f *follower) more(ctx context.Context) bool {
	if f.text != nil && f.readSome() {
		return true
	}
	next, err := f.next()
	if err != nil {
		f.hand([]hit{{err: fmt.Errorf("follow syslog archive: %w", err)}})
		return false
	}
	if next == nil {
		pause(ctx, followEvery)
		return true
	}
	if f.text != nil { // what was written before it was closed
		for !f.enough && f.readSome() {
		}
		f.leave()
	}
	f.enter(next)
	return true
}

// readSome reads lines of a plain segment. It tells whether there were any.
func (f *follower) readSome() bool {
	f.scratch.plain = sized(f.scratch.plain, followBytes)
	for {
		n, err := f.text.file.ReadAt(f.scratch.plain, f.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			f.hand([]hit{{err: &LineError{File: f.text.name, Offset: f.offset, Err: err}}})
			return false
		}
		lines := f.scratch.plain[:n]
		end := bytes.LastIndexByte(lines, '\n') + 1
		if end == 0 && n == len(f.scratch.plain) { // a longer line
			f.scratch.plain = make([]byte, 2*n)
			continue
		}
		f.hand(f.filter.hits(f.text, lines[:end], f.offset, &f.scratch, 0))
		f.offset += int64(end)
		return end > 0
	}
}

// next returns the segment after the one that was read; nil: there is none yet. Numbers that begin anew, because all segments
// were forgotten while nobody had the archive open, are followed from the first one.
func (f *follower) next() (*entry, error) {
	info, err := os.Stat(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it may come back
	}
	if err != nil {
		return nil, err
	}
	// A directory that changed a moment before it was read may have changed since, at a time that looks the same.
	if info.ModTime().Equal(f.changed) && f.listed.Sub(f.changed) > time.Second {
		return nil, nil
	}
	f.listed, f.changed = time.Now(), info.ModTime()
	segments, err := readables(f.dir)
	if err != nil || len(segments) == 0 {
		return nil, err
	}
	if segments[len(segments)-1].number < f.number {
		f.number = 0
	}
	for _, e := range segments {
		if e.number > f.number {
			return e, nil
		}
	}
	return nil, nil
}

// enter begins to read a segment. A compressed one is read at once.
func (f *follower) enter(e *entry) {
	if f.number != 0 && e.number > f.number+1 {
		f.hand([]hit{{err: fmt.Errorf("follow syslog archive: %d segments were forgotten before they were read", e.number-f.number-1)}})
	}
	f.listed = time.Time{} // there may be another one after it
	t, err := openText(e)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	f.number = e.number
	if err != nil {
		f.hand([]hit{{err: &LineError{File: e.name(), Offset: -1, Err: err}}})
		return
	}
	f.text, f.offset = t, 0
	if !t.packed {
		return
	}
	if f.dec == nil {
		f.dec = newDecoder(1)
	}
	for _, b := range t.blocks() {
		lines, offset, err := b.load(&f.scratch, f.dec)
		if err != nil {
			f.hand([]hit{{err: &LineError{File: t.name, Offset: offset, Err: err}}})
			continue
		}
		if f.hand(f.filter.hits(t, lines, offset, &f.scratch, 0)); f.enough {
			break
		}
	}
	f.leave()
}
