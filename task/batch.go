package task

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// batch runs f for the positions 0 to n-1 on at most limit goroutines: the engine of Gather and Settle.
//
// A goroutine takes one position after the other, and the first thing it does is to start the next goroutine. So as many
// come into being as the work needs: items that wait get one each, up to the limit, and items that do not wait are done by
// the few that the processors can run.
type batch struct {
	call
	n, limit int
	each     time.Duration
	ctx      context.Context
	f        func(ctx context.Context, i int) error
	failed   func(i int, err error, f fate) // may be called by several goroutines at once

	running sync.WaitGroup
	mu      sync.Mutex
	slots   []*slot

	_    [64]byte // next is written for every item: the fields above must not share its cache line
	next atomic.Int64
	_    [64]byte
}

// slot is one goroutine of a batch and, one after the other, the context of each item it runs.
type slot struct {
	context.Context
	batch  *batch
	item   atomic.Int64 // idle between items
	since  atomic.Int64 // nanoseconds after the batch began
	status atomic.Pointer[string]

	_ [80]byte // a slot is written for every item: it must not share a cache line with the next one
}

const idle = -1

func newBatch(ctx context.Context, kind string, n int, o options) *batch {
	b := &batch{n: n, limit: n, each: o.each}
	if o.limit > 0 {
		b.limit = min(n, o.limit)
	}
	b.open(ctx, kind, o.name, n)
	return b
}

// run returns when every item that was started has ended. No item is started once ctx has ended; the number of those that
// were is returned, and they are the first ones.
func (b *batch) run(ctx context.Context) (started int) {
	b.ctx = ctx
	live.add(b)
	defer live.remove(b)
	if b.n > 0 && ctx.Err() == nil {
		b.spawn(1)
		b.running.Wait()
	}
	return min(int(b.next.Load()), b.n)
}

// spawn starts goroutine number k.
func (b *batch) spawn(k int) {
	s := &slot{Context: b.ctx, batch: b}
	s.item.Store(idle)
	b.mu.Lock()
	b.slots = append(b.slots, s)
	b.mu.Unlock()
	b.running.Add(1)
	go s.work(k)
}

func (s *slot) work(k int) {
	b := s.batch
	returned := false
	defer func() {
		if !returned {
			err, f := caught(recover())
			b.failed(int(s.item.Load()), err, f)
		}
		s.item.Store(idle)
		if !returned {
			go s.work(b.limit) // in place of this goroutine, which may be on its way out
			return
		}
		b.running.Done()
	}()
	for b.ctx.Err() == nil {
		i := int(b.next.Add(1)) - 1
		if i >= b.n {
			break
		}
		if k < b.limit && i+1 < b.n {
			b.spawn(k + 1)
		}
		k = b.limit // the next one is started only once
		s.begin(i)
		if err := b.do(s, i); err != nil {
			b.failed(i, err, fateOf(s, err))
		}
	}
	returned = true
}

func (b *batch) do(ctx context.Context, i int) error {
	if b.each <= 0 {
		return b.f(ctx, i)
	}
	_, err := Timeout(ctx, b.each, func(ctx context.Context) (struct{}, error) { return struct{}{}, b.f(ctx, i) })
	return err
}

func (s *slot) begin(i int) {
	if s.status.Load() != nil {
		s.status.Store(nil)
	}
	s.since.Store(int64(time.Since(s.batch.began)))
	s.item.Store(int64(i))
}

// Value makes the slot the current task of the context that it is.
func (s *slot) Value(key any) any {
	if key == (rowKey{}) {
		return s
	}
	return s.Context.Value(key)
}

func (s *slot) ident() uint64 { return s.batch.id + 1 + uint64(s.item.Load()) }

func (s *slot) given() string {
	if i := s.item.Load(); i != idle {
		return s.batch.itemName(int(i))
	}
	return ""
}

func (s *slot) note(status string) { s.status.Store(&status) }

// info shows how far the batch is.
func (b *batch) info() Info {
	row := b.call.info()
	done := min(int(b.next.Load()), b.n) - len(b.tasks(nil))
	row.Status = fmt.Sprintf("%d of %d done", max(done, 0), b.n)
	return row
}

func (b *batch) tasks(rows []Info) []Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.slots {
		if row, ok := s.info(); ok {
			rows = append(rows, row)
		}
	}
	return rows
}

// info reads the slot until it belongs to one item from beginning to end.
func (s *slot) info() (Info, bool) {
	b := s.batch
	for {
		i := s.item.Load()
		if i == idle {
			return Info{}, false
		}
		row := Info{
			ID:     b.id + 1 + uint64(i),
			Parent: b.id,
			Name:   indexed(b.shown(), int(i)),
			Status: text(&s.status),
			Since:  b.began.Add(time.Duration(s.since.Load())),
		}
		if s.item.Load() == i {
			return row, true
		}
	}
}
