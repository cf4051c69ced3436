package logwatch

import (
	"container/list"
	"iter"
)

// hearing is one rule that hears one sender.
type hearing struct {
	rule int
	key  string
}

// lru keeps something for each of a bounded number of hearings. Whose was not used for longest gives way.
type lru[V any] struct {
	byUse list.List // of *held[V], the one that was used last in front
	all   map[hearing]*list.Element
}

type held[V any] struct {
	hearing
	value V
}

// use returns what is kept for a hearing, nil if there is nothing, and makes it the one that was used last.
func (r *lru[V]) use(h hearing) *V {
	e := r.all[h]
	if e == nil {
		return nil
	}
	r.byUse.MoveToFront(e)
	return &e.Value.(*held[V]).value
}

// add keeps something for a hearing for which nothing is kept.
func (r *lru[V]) add(h hearing, value V) *V {
	if r.all == nil {
		r.all = map[hearing]*list.Element{}
	}
	kept := &held[V]{h, value}
	r.all[h] = r.byUse.PushFront(kept)
	return &kept.value
}

func (r *lru[V]) drop(h hearing) {
	if e := r.all[h]; e != nil {
		r.byUse.Remove(e)
		delete(r.all, h)
	}
}

// last is what was not used for longest. Something has to be kept.
func (r *lru[V]) last() *held[V] { return r.byUse.Back().Value.(*held[V]) }

func (r *lru[V]) len() int { return len(r.all) }

func (r *lru[V]) has(h hearing) bool { return r.all[h] != nil }

// each goes over all that is kept, the one that was used last first. What it is at may be dropped.
func (r *lru[V]) each() iter.Seq2[hearing, *V] {
	return func(yield func(hearing, *V) bool) {
		for e := r.byUse.Front(); e != nil; {
			kept, next := e.Value.(*held[V]), e.Next()
			if !yield(kept.hearing, &kept.value) {
				return
			}
			e = next
		}
	}
}
