package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

// How often the progress is said again.
const (
	redraw   = 100 * time.Millisecond // on a terminal, in place
	nextLine = 10 * time.Second       // elsewhere, a line of its own
)

// progress counts what a run over many devices has done so far.
type progress struct {
	total                 int
	began                 time.Time
	started, done, failed atomic.Int64
}

// start hears each device as it gets its place; it may be called from many tasks.
func (p *progress) start(muster.Device) { p.started.Add(1) }

// finish hears each result.
func (p *progress) finish(failed bool) {
	p.done.Add(1)
	if failed {
		p.failed.Add(1)
	}
}

// line is the state as one line: done of total, running, failed, rate, time to go.
func (p *progress) line(now time.Time) string {
	done, failed := p.done.Load(), p.failed.Load()
	elapsed := now.Sub(p.began)
	line := fmt.Sprintf(" %d/%d  %d running  %d failed", done, p.total, max(p.started.Load()-done, 0), failed)
	if done == 0 || elapsed <= 0 {
		return line
	}
	rate := float64(done) / elapsed.Seconds()
	left := time.Duration(float64(p.total-int(done)) / rate * float64(time.Second))
	return line + fmt.Sprintf("  %.1f/s  ETA %s", rate, shortDuration(left.Round(time.Second)))
}

// watched calls body and meanwhile shows its progress on standard error, unless -q forbids it.
func (p *program) watched(ctx context.Context, total int, body func(context.Context, *progress) error) error {
	pr := &progress{total: total, began: time.Now()}
	return p.showing(ctx, pr.line, func(ctx context.Context) error { return body(ctx, pr) })
}

// showing calls body and meanwhile shows a line on standard error again and again, unless -q forbids it.
func (p *program) showing(ctx context.Context, line func(now time.Time) string, body func(context.Context) error) error {
	if p.quiet || (p.stdoutTerminal && p.format == formatNDJSON) {
		return body(ctx)
	}
	var err error
	scopeErr := task.Scope(ctx, "", func(inner context.Context, g *task.Group) error {
		g.Go("progress", func(ctx context.Context) error {
			p.showProgress(ctx, line)
			return nil
		})
		err = body(inner)
		g.Cancel(nil)
		return nil
	})
	if err == nil && ctx.Err() == nil {
		err = scopeErr
	}
	return err
}

func (p *program) showProgress(ctx context.Context, line func(now time.Time) string) {
	every, show := nextLine, func(line string) { p.stderr.say(line) }
	if p.stderr.terminal {
		every, show = redraw, p.stderr.setStatus
		defer p.stderr.setStatus("")
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			show(line(now))
		}
	}
}
