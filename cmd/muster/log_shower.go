package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

// How much waits at most to be shown: rows for people, bytes of lines for programs.
const (
	waitingRows  = 10_000
	waitingBytes = 8 << 20
)

// patience is how long a reader who stands still is waited for when all is over.
const patience = 2 * time.Second

var errStandsStill = errors.New("nobody reads what is shown")

// shower shows messages while they are received. Who only looks on must not hold up what is received: what a terminal, or
// anybody where the messages are archived, is too slow for is counted and not shown. What a program reads that is the only one
// to get the messages is held up instead, so that it gets all that the kernel has not dropped.
type shower struct {
	p       *program
	out     *logOutput
	apart   bool // messages are shown beside being received
	skipped atomic.Uint64
	failed  atomic.Pointer[error]
	wake    chan struct{} // something waits
	over    chan struct{} // closed when no more messages come

	mu   sync.Mutex
	wait waitingLog
}

// waitingLog is what waits to be shown.
type waitingLog struct {
	lines []byte
	rows  []muster.LogLine
}

func newShower(p *program, archived bool) *shower {
	people := p.format == formatTable || p.format == formatList
	s := &shower{p: p, apart: archived || people, wake: make(chan struct{}, 1), over: make(chan struct{})}
	s.out = newLogOutput(p, patient(p.stdout, s.over))
	return s
}

// during shows what message gets while body runs, and then what waits. Where nobody reads that any more it is counted.
func (s *shower) during(ctx context.Context, body func(context.Context) error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.out.out.broken = func(err error) { // a reader who has left ends it, whether or not another message comes
		s.failed.CompareAndSwap(nil, &err)
		cancel()
	}
	if !s.apart {
		defer close(s.over)
		return body(ctx)
	}
	_ = task.Scope(context.WithoutCancel(ctx), "listen", func(_ context.Context, g *task.Group) error {
		defer close(s.over)
		g.Go("show", func(context.Context) error {
			s.show()
			return nil
		})
		err = body(ctx)
		return nil
	})
	return err
}

// show shows what waits, again and again, and once more when it is over.
func (s *shower) show() {
	var now waitingLog
	for last := false; !last; {
		select {
		case <-s.wake:
		case <-s.over:
			last = true
		}
		s.mu.Lock()
		now.lines, now.rows = now.lines[:0], now.rows[:0]
		now, s.wait = s.wait, now
		s.mu.Unlock()
		if err := s.showAll(now); err != nil {
			s.failed.Store(&err)
			return
		}
	}
}

func (s *shower) showAll(now waitingLog) error {
	if len(now.lines) > 0 {
		return s.out.write(now.lines)
	}
	for i := range now.rows {
		if err := s.out.row(&now.rows[i]); err != nil {
			s.skipped.Add(uint64(len(now.rows) - i))
			return err
		}
	}
	return nil
}

// message shows a message now or soon. Its error may be that of an earlier one.
func (s *shower) message(line []byte, row func() muster.LogLine) error {
	if failed := s.failed.Load(); failed != nil {
		return *failed
	}
	asLine := s.p.format == formatNDJSON || s.p.format == formatJSON && !s.apart
	switch {
	case !s.apart && asLine:
		return s.out.line(line)
	case !s.apart:
		l := row()
		return s.out.row(&l)
	}
	s.mu.Lock()
	switch {
	case len(s.wait.rows) >= waitingRows || len(s.wait.lines) >= waitingBytes:
		s.skipped.Add(1)
	case asLine:
		s.wait.lines = append(s.wait.lines, line...)
	default:
		s.wait.rows = append(s.wait.rows, row())
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}
