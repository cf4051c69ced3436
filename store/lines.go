package store

import "bytes"

// maxEdits bounds the work of countLines: texts that differ in more lines are counted without regard to their order.
const maxEdits = 2000

// countLines returns how many lines the shortest edit from old to new adds and removes: what a minimal diff shows.
func countLines(old, text []byte) (added, removed int) {
	old, text = unequal(old, text)
	if len(old) == 0 || len(text) == 0 {
		return lineCount(text), lineCount(old)
	}
	a, b := numberLines(old, text)
	edits, ok := editDistance(a, b)
	if !ok {
		return countUnordered(a, b)
	}
	added = (edits + len(b) - len(a)) / 2
	return added, edits - added
}

// lineCount counts the lines of a text, a last one without its newline too.
func lineCount(text []byte) int {
	n := bytes.Count(text, []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}

// firstNew returns the number, from 1, of the first line of text that old does not have where they differ; 0 where there is
// none: lines only went, or only moved.
func firstNew(old, text []byte) int {
	gone, come := unequal(old, text)
	had := map[string]bool{}
	for line := range bytes.Lines(gone) {
		had[string(line)] = true
	}
	line := 1 + bytes.Count(text[:start(old, text)], []byte("\n"))
	for l := range bytes.Lines(come) {
		if !had[string(l)] {
			return line
		}
		line++
	}
	return 0
}

// start is where the first line begins that two texts do not share.
func start(a, b []byte) int {
	n, same := 0, min(len(a), len(b))
	for n < same && a[n] == b[n] {
		n++
	}
	if n < len(a) || n < len(b) {
		n = bytes.LastIndexByte(a[:n], '\n') + 1
	}
	return n
}

// unequal cuts off the lines that both texts begin and end with: mostly that leaves little.
func unequal(a, b []byte) ([]byte, []byte) {
	n := start(a, b)
	a, b = a[n:], b[n:]
	n, same := 0, min(len(a), len(b))
	for n < same && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	tail := a[len(a)-n:]
	if n < len(a) || n < len(b) { // the line in which they differ ends within the equal bytes
		end := bytes.IndexByte(tail, '\n')
		if end < 0 {
			end = len(tail) - 1
		}
		tail = tail[end+1:]
	}
	return a[:len(a)-len(tail)], b[:len(b)-len(tail)]
}

// numberLines gives equal lines of both texts equal numbers.
func numberLines(old, text []byte) (a, b []int) {
	numbers := make(map[string]int)
	number := func(text []byte) []int {
		out := make([]int, 0, bytes.Count(text, []byte("\n"))+1)
		for line := range bytes.Lines(text) {
			n, ok := numbers[string(line)]
			if !ok {
				n = len(numbers)
				numbers[string(line)] = n
			}
			out = append(out, n)
		}
		return out
	}
	return number(old), number(text)
}

// editDistance is the forward half of Myers' O(ND) algorithm: the number of edits is all that is wanted, so no path is
// kept. It gives up beyond maxEdits.
func editDistance(a, b []int) (int, bool) {
	limit := min(len(a)+len(b), maxEdits)
	reach := make([]int, 2*limit+3) // furthest x on diagonal k, at k+limit+1
	for d := 0; d <= limit; d++ {
		for k := -d; k <= d; k += 2 {
			at := k + limit + 1
			x := reach[at-1] + 1
			if k == -d || k != d && reach[at-1] < reach[at+1] {
				x = reach[at+1]
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			reach[at] = x
			if x >= len(a) && x-k >= len(b) {
				return d, true
			}
		}
	}
	return 0, false
}

func countUnordered(a, b []int) (added, removed int) {
	left := make(map[int]int)
	for _, n := range a {
		left[n]++
	}
	for _, n := range b {
		if left[n] == 0 {
			added++
			continue
		}
		left[n]--
	}
	return added, len(a) - (len(b) - added)
}
