package sim

import (
	"errors"
	"strings"

	"github.com/musternet/muster/platform"
)

// unit is a line that is served, or several that are stored as one, and what is stored of it: nothing or a line.
type unit struct{ served, stored string }

// align finds the steps whose output is the configuration, and cuts it into units; what is stored of all of them, in
// order, is Want.Config. Of several ways it takes the one with the fewest steps and then the one that leaves out the
// fewest lines.
func align(r *platform.Recording) (map[int][]unit, error) {
	if r.Want.Config == "" {
		return nil, nil
	}
	a := aligner{want: strings.SplitAfter(r.Want.Config, "\n"), steps: r.Steps}
	if n := len(a.want); a.want[n-1] == "" {
		a.want = a.want[:n-1]
	}
	for size := 1; size <= min(len(r.Steps), 6) && a.best == nil; size++ {
		a.search(0, 0, size, nil, 0)
	}
	if a.best == nil {
		return nil, errors.New("the configuration that is wanted is not in its output, line by line")
	}
	return a.best, nil
}

type aligner struct {
	want     []string
	steps    []platform.Step
	best     map[int][]unit
	bestLeft int
}

// chunk is a step that is part of the configuration.
type chunk struct {
	step  int
	units []unit
}

// search takes size more steps, from step on, for the wanted lines from at on.
func (a *aligner) search(step, at, size int, chunks []chunk, left int) {
	if size == 0 {
		if at == len(a.want) && (a.best == nil || left < a.bestLeft) {
			a.best, a.bestLeft = make(map[int][]unit, len(chunks)), left
			for _, c := range chunks {
				a.best[c.step] = c.units
			}
		}
		return
	}
	for ; step < len(a.steps); step++ {
		units, n := a.match(a.steps[step].Output, at)
		if n == 0 {
			continue
		}
		rest := chunks[:len(chunks):len(chunks)]
		a.search(step+1, at+n, size-1, append(rest, chunk{step, units}), left+len(units)-n)
	}
}

// match finds the lines of output that are wanted lines from at on, in order, and returns how many there are.
func (a *aligner) match(output string, at int) (units []unit, n int) {
	lines := strings.SplitAfter(output, "\n")
	for len(lines) > 0 && lines[0] != "" {
		u := unit{served: lines[0]}
		lines = lines[1:]
		if at+n < len(a.want) {
			want := a.want[at+n]
			if more, ok := goesOn(u.served, lines, want); ok {
				u = unit{u.served + strings.Join(lines[:more], ""), want}
				lines = lines[more:]
				n++
			} else if sameLine(u.served, want) {
				u.stored = want
				n++
			}
		}
		units = append(units, u)
	}
	return units, n
}

// goesOn reports whether a line that ends with a backslash is, with so many of the lines after it, what is stored as one.
func goesOn(line string, after []string, stored string) (more int, ok bool) {
	stored = strings.TrimRight(stored, blanks)
	joined := strings.TrimRight(line, blanks)
	for _, next := range after {
		head, goes := strings.CutSuffix(joined, `\`)
		if !goes {
			break
		}
		joined = head + strings.Trim(next, blanks)
		more++
	}
	return more, more > 0 && joined == stored
}

// sameLine compares what is served with what is stored: blanks and remarks at the end of a line are not, and salted
// values are not as they were served.
func sameLine(served, stored string) bool {
	served, stored = strings.TrimRight(served, blanks), strings.TrimRight(stored, blanks)
	if strings.Contains(stored, salted) {
		_, ok := saltedIn(served, stored)
		return ok
	}
	return served == stored || stored != "" && strings.HasPrefix(served, stored+" ## ")
}

const (
	blanks = " \t\r\n"
	salted = "<salted>" // stored in place of what a device encrypts anew each time it is asked
)

// saltedIn returns where the salted values are in a line that is served, given what is stored of it.
func saltedIn(served, stored string) (spans []span, ok bool) {
	around := strings.Split(stored, salted)
	at := len(around[0])
	if !strings.HasPrefix(served, around[0]) {
		return nil, false
	}
	for i, after := range around[1:] {
		n := strings.Index(served[at:], after)
		if i == len(around)-2 {
			n = len(served) - at - len(after)
		}
		if n <= 0 || !strings.HasPrefix(served[at+n:], after) {
			return nil, false
		}
		spans = append(spans, span{at, at + n, salt})
		at += n + len(after)
	}
	return spans, true
}
