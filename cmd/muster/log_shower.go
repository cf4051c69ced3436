package main

import (
	"bytes"
	"context"
	"sync/atomic"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

// waitingRows is how many messages wait at most for a terminal.
const waitingRows = 10_000

// shower shows messages while they are received. Who only looks on must not hold up what is received: what a terminal, or
// anybody where the messages are archived, is too slow for is counted and not shown. What a program reads that is the only one
// to get the messages is held up instead, so that it gets all that the kernel has not dropped.
type shower struct {
	p       *program
	out     *logOutput
	rows    chan shownRow // nil: messages are shown at once
	skipped atomic.Uint64
	failed  atomic.Pointer[error]
}

// shownRow is a message to show, in one of two forms.
type shownRow struct {
	line []byte
	row  muster.LogLine
}

func newShower(p *program, archived bool) *shower {
	s := &shower{p: p, out: newLogOutput(p)}
	if archived || p.format == formatTable || p.format == formatList {
		s.rows = make(chan shownRow, waitingRows)
	}
	return s
}

// during shows what message gets while body runs, and then what waits.
func (s *shower) during(ctx context.Context, body func(context.Context) error) error {
	if s.rows == nil {
		return body(ctx)
	}
	var err error
	_ = task.Scope(context.WithoutCancel(ctx), "listen", func(_ context.Context, g *task.Group) error {
		g.Go("show", func(context.Context) error {
			s.show()
			return nil
		})
		defer close(s.rows)
		err = body(ctx)
		return nil
	})
	return err
}

// show prints rows until there are no more.
func (s *shower) show() {
	for r := range s.rows {
		if s.failed.Load() != nil {
			continue
		}
		if err := s.print(r); err != nil {
			s.failed.Store(&err)
		}
	}
}

func (s *shower) print(r shownRow) error {
	if r.line != nil {
		return s.out.line(r.line)
	}
	return s.out.row(&r.row)
}

// asLine tells whether messages are shown as the lines of JSON that they come as.
func (s *shower) asLine() bool { return s.p.format == formatNDJSON || s.p.format == formatJSON }

// message shows a message now or soon. Its error may be that of an earlier one.
func (s *shower) message(line []byte, row func() muster.LogLine) error {
	if failed := s.failed.Load(); failed != nil {
		return *failed
	}
	switch {
	case s.rows == nil && s.asLine():
		return s.out.line(line)
	case s.rows == nil:
		return s.print(shownRow{row: row()})
	case len(s.rows) == cap(s.rows): // nobody else puts rows there
		s.skipped.Add(1)
	case s.asLine():
		s.rows <- shownRow{line: bytes.Clone(line)}
	default:
		s.rows <- shownRow{row: row()}
	}
	return nil
}
