package tsdb

import (
	"fmt"
	"hash/maphash"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/musternet/muster"
)

const (
	maxCached  = 1 << 20          // series; those beyond are looked up by their labels each time
	sweepEvery = 10 * time.Minute // a series that was not written for one to two of them leaves the cache
)

// cache knows the engine's reference of the series that are written, so that a sample costs neither sorting its labels
// nor a look-up by them.
type cache struct {
	seed    maphash.Seed
	entries map[uint64]*entry
	epoch   uint32
	swept   time.Time
	last    *entry // the one found or added before
	builder labels.ScratchBuilder
}

type entry struct {
	ref    storage.SeriesRef
	labels labels.Labels
	epoch  uint32 // when it was last used
	next   *entry // the one that followed it last time: batches come in about the same order, and hashing costs more than looking
}

func newCache() *cache {
	return &cache{
		seed: maphash.MakeSeed(), entries: make(map[uint64]*entry), swept: time.Now(), builder: labels.NewScratchBuilder(8),
	}
}

// key does not depend on the order of the labels: they come from a map.
func (c *cache) key(s *muster.Sample) uint64 {
	sum := maphash.String(c.seed, s.Name)
	for name, value := range s.Labels {
		pair := maphash.String(c.seed, name)*0x9e3779b97f4a7c15 ^ maphash.String(c.seed, value)
		sum += (pair ^ pair>>32) * 0xff51afd7ed558ccd
	}
	return sum
}

// find returns the entry of a sample's series, nil if there is none.
func (c *cache) find(s *muster.Sample) *entry {
	var e *entry
	if c.last != nil && c.last.next != nil && same(c.last.next.labels, s) {
		e = c.last.next
	} else if e = c.entries[c.key(s)]; e == nil || !same(e.labels, s) {
		return nil
	}
	c.follow(e)
	return e
}

// follow remembers that e came after the last one.
func (c *cache) follow(e *entry) {
	e.epoch = c.epoch
	if c.last != nil {
		c.last.next = e
	}
	c.last = e
}

// same tells whether the labels are those of the sample, as build makes them.
func same(l labels.Labels, s *muster.Sample) bool {
	found, equal := 0, true
	l.Range(func(l labels.Label) {
		if l.Name == model.MetricNameLabel {
			equal = equal && l.Value == s.Name
			return
		}
		found++
		equal = equal && s.Labels[l.Name] == l.Value
	})
	return equal && found == len(s.Labels)
}

// build returns the labels of a sample's series. A label without a value is the same as none.
func (c *cache) build(s *muster.Sample) (labels.Labels, error) {
	if s.Name == "" {
		return labels.EmptyLabels(), fmt.Errorf("a sample of %v has no name", s.Labels)
	}
	c.builder.Reset()
	c.builder.Add(model.MetricNameLabel, s.Name)
	for name, value := range s.Labels {
		if value != "" && name != model.MetricNameLabel {
			c.builder.Add(name, value)
		}
	}
	c.builder.Sort()
	l := c.builder.Labels()
	if !l.IsValid(model.UTF8Validation) {
		return l, fmt.Errorf("a label of %q is no UTF-8, or has no name", s.Name)
	}
	return l, nil
}

// add keeps an entry for the next time, if there is room.
func (c *cache) add(s *muster.Sample, ref storage.SeriesRef, l labels.Labels) {
	key := c.key(s)
	if _, taken := c.entries[key]; taken || len(c.entries) < maxCached {
		e := &entry{ref: ref, labels: l}
		c.entries[key] = e
		c.follow(e)
	}
}

// sweep forgets the series that are no longer written, and whatever leads to them.
func (c *cache) sweep(now time.Time) {
	if now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept, c.last = now, nil
	for key, e := range c.entries {
		if e.epoch != c.epoch {
			delete(c.entries, key)
		}
		if e.next != nil && e.next.epoch != c.epoch {
			e.next = nil
		}
	}
	c.epoch++
}
