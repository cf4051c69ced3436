// Package linediff compares two texts line by line for package store, which counts, and package app, which shows: both
// must say the same of one change.
package linediff

import (
	"slices"
	"sort"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Edits returns what turns old into text: edits of whole lines, in order, none overlapping.
//
// Lines that stand exactly once in both texts are taken as fixed points first (patience diff), and only what lies between two
// of them is left to the library. It looks for the least difference up to a hundred lines and gives up beyond: without
// fixed points a configuration of 3,000 lines with 100 changed ones would come out as half new.
func Edits(old, text string) []udiff.Edit {
	d := &differ{a: split(old), b: split(text)}
	d.start = make([]int, len(d.a)+1)
	for i, line := range d.a {
		d.start[i+1] = d.start[i] + len(line)
	}
	d.between(0, len(d.a), 0, len(d.b))
	return d.edits
}

// Count returns how many lines the edits of old take out and put in.
func Count(old string, edits []udiff.Edit) (added, removed int) {
	for _, e := range edits {
		removed += len(split(old[e.Start:e.End]))
		added += len(split(e.New))
	}
	return added, removed
}

// split cuts a text into lines, each with its newline, a last one perhaps without.
func split(text string) []string { return slices.Collect(strings.Lines(text)) }

type differ struct {
	a, b  []string
	start []int // where each line of a begins in the text, and its end
	edits []udiff.Edit
}

// between compares the lines [a0, a1) with [b0, b1).
func (d *differ) between(a0, a1, b0, b1 int) {
	for a0 < a1 && b0 < b1 && d.a[a0] == d.b[b0] {
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && d.a[a1-1] == d.b[b1-1] {
		a1, b1 = a1-1, b1-1
	}
	switch {
	case a0 == a1 && b0 == b1:
		return
	case a0 == a1 || b0 == b1:
		d.edits = append(d.edits, udiff.Edit{Start: d.start[a0], End: d.start[a1], New: strings.Join(d.b[b0:b1], "")})
		return
	}
	fixed := d.fixedPoints(a0, a1, b0, b1)
	if len(fixed) == 0 {
		d.library(a0, a1, b0, b1)
		return
	}
	for _, p := range fixed {
		d.between(a0, p.a, b0, p.b)
		a0, b0 = p.a+1, p.b+1
	}
	d.between(a0, a1, b0, b1)
}

// library leaves a stretch without fixed points to the library.
func (d *differ) library(a0, a1, b0, b1 int) {
	for _, e := range udiff.Lines(strings.Join(d.a[a0:a1], ""), strings.Join(d.b[b0:b1], "")) {
		e.Start += d.start[a0]
		e.End += d.start[a0]
		d.edits = append(d.edits, e)
	}
}

// point is a line that both texts share.
type point struct{ a, b int }

// fixedPoints returns the lines that stand once on either side, as many as keep their order on both.
func (d *differ) fixedPoints(a0, a1, b0, b1 int) []point {
	type seen struct{ inA, inB, a, b int }
	lines := make(map[string]*seen, a1-a0)
	for i := a0; i < a1; i++ {
		s := lines[d.a[i]]
		if s == nil {
			s = &seen{}
			lines[d.a[i]] = s
		}
		s.inA, s.a = s.inA+1, i
	}
	for j := b0; j < b1; j++ {
		if s := lines[d.b[j]]; s != nil {
			s.inB, s.b = s.inB+1, j
		}
	}
	var shared []point
	for i := a0; i < a1; i++ {
		if s := lines[d.a[i]]; s.inA == 1 && s.inB == 1 {
			shared = append(shared, point{s.a, s.b})
		}
	}
	return ascending(shared)
}

// ascending returns a longest subsequence of points, sorted by a, whose b ascends too.
func ascending(points []point) []point {
	var tails []int // of each length, the index of the point with the least b that ends such a subsequence
	before := make([]int, len(points))
	for i, p := range points {
		n := sort.Search(len(tails), func(k int) bool { return points[tails[k]].b >= p.b })
		before[i] = -1
		if n > 0 {
			before[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	out := make([]point, 0, len(tails))
	for i := tails[len(tails)-1]; i >= 0; i = before[i] {
		out = append(out, points[i])
	}
	slices.Reverse(out)
	return out
}
