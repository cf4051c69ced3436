package ise

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
)

// DriftError says that a list changed so much while it was read, and again when it was read anew, that it cannot be shown to
// be complete. It is yielded after all that was found.
type DriftError struct {
	Resource string
	Walks    int // how often the list was read
	Found    int // objects that were yielded
	Total    int // what ISE counted in the end
}

func (e *DriftError) Error() string {
	return fmt.Sprintf("list %s: it changed each of the %d times it was read: %d found, ISE now counts %d", e.Resource, e.Walks, e.Found, e.Total)
}

// mostWalks is how often a list that changes is read.
const mostWalks = 3

// walker reads a list whose pages shift while it is read, because ISE keeps no snapshot: an object that is made pushes another
// one onto the next page, where it is met again, and one that is deleted pulls another one back onto a page that has been
// read, where it is missed.
type walker[T any] struct {
	resource string
	ahead    int // pages read before they are wanted
	fetch    func(ctx context.Context, number int) (page[T], error)
	total    func(ctx context.Context) (int, error)
	id       func(*T) *string
	log      *slog.Logger
}

// all yields every object once, in the order of the pages. When a walk shows signs of drift the list is read again, and what was
// not met before is yielded too. The last walk reads one page after the other: then what is made cannot hide anything, because it
// only pushes objects towards the pages that are still to come.
func (w *walker[T]) all(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		found := ids(nil)
		for n := 1; ; n++ {
			k := walk[T]{walker: w, found: found, yield: yield, window: w.ahead}
			if n == mostWalks {
				k.window = 1
			}
			err := k.run(ctx)
			if k.broken || err == nil && k.exact() {
				return
			}
			if err != nil {
				yield(zero, err)
				return
			}
			found = k.found
			w.log.Warn("the list changed while it was read", "resource", w.resource, "walk", n, "at_first", k.first, "met", len(k.met), "at_last", k.last)
			if n == mostWalks {
				if !k.grown() {
					yield(zero, &DriftError{Resource: w.resource, Walks: n, Found: len(found), Total: k.last})
				}
				return
			}
		}
	}
}

// walk is one time through the pages.
type walk[T any] struct {
	*walker[T]
	window int // pages read before they are wanted, in this walk
	yield  func(T, error) bool
	broken bool // the loop was left
	found  ids  // yielded, by this walk and those before; nil at the beginning of the first one
	met    ids  // in this walk; in the first one it is found itself
	anew   bool // it is not the first walk

	first, last int  // totals, before and after
	least, most int  // of the pages, which were counted in no order: a change before the last one was answered shows in one
	pages       int  // used
	stop        int  // the page to stop before
	again       bool // an object was met again
	stale       int  // pages in a row that held nothing but such
	endless     bool
}

// mostStale is how many pages without anything new end a walk: a server that links from each page to the next one for ever would
// keep it busy otherwise. A list that grows makes a few of them.
const mostStale = 100

func (k *walk[T]) run(ctx context.Context) error {
	p, err := k.fetch(ctx, 1)
	if err != nil {
		return err
	}
	if k.first = p.total; p.total < 0 {
		if k.first, err = k.total(ctx); err != nil {
			return err
		}
	}
	k.last, k.least, k.most, k.met = k.first, k.first, k.first, newIDs(k.first)
	if k.anew = k.found != nil; !k.anew {
		k.found = k.met
	}
	single := p.total >= 0 && p.total <= len(p.items) && p.next == 0 // a snapshot, for once
	if !k.use(p) || p.end || len(p.items) == 0 || single {
		return nil
	}
	k.stop = max(k.stop, 2+(k.first-1)/len(p.items))
	for from := 2; from < k.stop && !k.broken && !k.endless; {
		numbers := k.numbers(from)
		from = k.stop
		if err := inOrder(ctx, "list "+k.resource, k.window, numbers, k.fetch, k.use); err != nil {
			return err
		}
	}
	if k.broken {
		return nil
	}
	if k.endless {
		return fmt.Errorf("list %s: %w: it has no end: %d pages in a row held nothing new", k.resource, ErrUnexpected, mostStale)
	}
	if p.total < 0 {
		k.last, err = k.total(ctx)
	}
	return err
}

// numbers yields page numbers up to where the end is by then known to be.
func (k *walk[T]) numbers(from int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := from; n < k.stop && yield(n); n++ {
		}
	}
}

// use takes a page. It reports false when no more are wanted.
func (k *walk[T]) use(p page[T]) bool {
	k.pages++
	if p.total >= 0 && !p.end {
		k.last, k.least, k.most = p.total, min(k.least, p.total), max(k.most, p.total)
	}
	if p.next >= k.stop {
		k.stop = p.next + 1 // the list grew, or its end is not known
	}
	if p.end {
		k.stop = min(k.stop, k.pages)
	}
	before := len(k.met)
	for i := range p.items {
		if !k.item(p.items[i]) {
			k.broken = true
			return false
		}
	}
	if k.stale++; len(k.met) > before {
		k.stale = 0
	}
	k.endless = k.stale >= mostStale
	return !k.endless
}

// item yields an object that was not met before.
func (k *walk[T]) item(v T) bool {
	id := *k.id(&v)
	if !k.met.add(id) {
		k.again = true
		return true
	}
	if k.anew && !k.found.add(id) {
		return true
	}
	return k.yield(v, nil)
}

// exact says that nothing hints at a change: as many objects as ISE counted before, after and in between, each met once.
func (k *walk[T]) exact() bool {
	return !k.again && k.least == k.most && k.first == k.last && len(k.met) == k.last
}

// grown says that the list only grew: nothing was pulled back onto a page that had been read, and all that was there when
// the walk began has been met.
func (k *walk[T]) grown() bool {
	return k.least >= k.first && k.most <= k.last && len(k.met) >= k.first
}
