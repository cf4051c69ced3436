package logfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/task"
)

// ahead is how many blocks are read, decompressed and searched at once.
const ahead = 4

// Search yields the lines of an archive that a query wants, in the order in which they were appended, or the last one first. It
// sees what was written when it began. Nobody needs to have the archive open, and who writes it is not disturbed.
//
// What cannot be read is yielded as a *LineError in its place, and the search goes on. When ctx ends first, the last thing that
// is yielded is an error with its cause, so that a part is never taken for the whole. Other errors end it, too: a query that is
// wrong, a directory that is not there.
func Search(ctx context.Context, dir string, q store.LogQuery) iter.Seq2[muster.LogLine, error] {
	return func(yield func(muster.LogLine, error) bool) {
		if err := q.Check(); err != nil {
			yield(muster.LogLine{}, err)
			return
		}
		segments, err := readables(dir)
		if err != nil {
			yield(muster.LogLine{}, fmt.Errorf("search syslog archive: %w", err))
			return
		}
		s := newSearch(q)
		defer s.close()
		s.run(ctx, segments, yield)
	}
}

// search is one range over a Search.
type search struct {
	filter *filter
	dec    *zstd.Decoder
	memory chan *scratch      // for as many blocks as are searched at once
	opened map[*text]struct{} // to be closed
	newest *text              // the last segment where its reader has opened it before, as far as it is to be searched; else nil
	left   int                // so many lines are still wanted, where there is a limit
}

func newSearch(q store.LogQuery) *search {
	s := &search{
		filter: newFilter(q), dec: newDecoder(ahead), memory: make(chan *scratch, ahead), opened: make(map[*text]struct{}), left: q.Limit,
	}
	for range ahead {
		s.memory <- new(scratch)
	}
	return s
}

// close closes what is still open. All blocks have been joined.
func (s *search) close() {
	for t := range s.opened {
		t.close()
	}
	s.dec.Close()
}

// pending is a block that is being searched.
type pending struct {
	block block
	task  *task.Task[[]hit]
}

// run searches the segments. Blocks are searched at the same time and yielded in their order.
func (s *search) run(ctx context.Context, segments []*entry, yield func(muster.LogLine, error) bool) {
	enough := false
	err := task.Scope(ctx, "log search", func(ctx context.Context, g *task.Group) error {
		defer g.Cancel(task.ErrStopped)
		var started []pending
		next := func() bool {
			hits, err := started[0].task.Wait(ctx)
			if err != nil {
				return false
			}
			s.release(started[0].block.text)
			started = started[1:]
			enough = !s.deliver(hits, yield)
			return !enough
		}
		for b := range s.blocks(segments) {
			if started = append(started, s.start(g, b)); len(started) == ahead && !next() {
				return context.Cause(ctx)
			}
		}
		for len(started) > 0 && next() {
		}
		return context.Cause(ctx)
	})
	if err != nil && !enough {
		yield(muster.LogLine{}, fmt.Errorf("search syslog archive: %w", err))
	}
}

func (s *search) start(g *task.Group, b block) pending {
	return pending{b, task.Start(g, b.text.name, func(ctx context.Context) ([]hit, error) { return s.find(ctx, b), nil })}
}

// find searches one block.
func (s *search) find(ctx context.Context, b block) []hit {
	if ctx.Err() != nil {
		return nil
	}
	memory := <-s.memory
	defer func() { s.memory <- memory }()
	lines, offset, err := b.load(memory, s.dec)
	if err != nil {
		return []hit{{err: &LineError{File: b.text.name, Offset: offset, Err: err}}}
	}
	return s.filter.hits(b.text, lines, offset, memory, s.filter.query.Limit)
}

// deliver yields hits. It tells whether more are wanted.
func (s *search) deliver(hits []hit, yield func(muster.LogLine, error) bool) bool {
	for _, h := range hits {
		if !yield(h.line, h.err) {
			return false
		}
		if h.err != nil || s.filter.query.Limit == 0 {
			continue
		}
		if s.left--; s.left == 0 {
			return false
		}
	}
	return true
}

// blocks yields what is to be searched, in the order in which it is wanted.
func (s *search) blocks(segments []*entry) iter.Seq[block] {
	newestFirst := s.filter.query.Newest
	return func(yield func(block) bool) {
		for i := range segments {
			at := i
			if newestFirst {
				at = len(segments) - 1 - i
			}
			for _, b := range s.blocksOf(segments[at], at == len(segments)-1) {
				if !yield(b) {
					return
				}
			}
		}
	}
}

// blocksOf opens a segment that may have lines which are wanted. It is open until the last of its blocks was searched.
func (s *search) blocksOf(e *entry, last bool) []block {
	if s.filter.skips(readIndex(e)) {
		return nil
	}
	t, err := s.open(e, last)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was forgotten meanwhile
	}
	if err != nil {
		return []block{{text: &text{name: e.name()}, offset: -1, err: err}}
	}
	all := t.blocks()
	if t.users = len(all); t.users == 0 {
		s.done(t)
	}
	if s.filter.query.Newest {
		slices.Reverse(all)
	}
	return all
}

func (s *search) open(e *entry, last bool) (*text, error) {
	if last && s.newest != nil {
		return s.newest, nil
	}
	t, err := openText(e)
	if err != nil {
		return nil, err
	}
	s.opened[t] = struct{}{}
	if last {
		err = t.wholeLines()
	}
	return t, err
}

func (s *search) release(t *text) {
	if t.users--; t.users == 0 {
		s.done(t)
	}
}

// done closes a segment that was opened for this search.
func (s *search) done(t *text) {
	if _, ok := s.opened[t]; ok {
		delete(s.opened, t)
		t.close()
	}
}
