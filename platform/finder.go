package platform

import "regexp"

// finder holds many patterns and finds those that may match a line: an Aho-Corasick automaton looks for a literal
// that each pattern cannot do without, and only on a hit is the regular expression itself tried. A configuration of
// 1,000 lines against 40 patterns costs one pass over its bytes instead of 40,000 regexp runs.
type finder struct {
	patterns []*regexp.Regexp
	class    [256]uint8 // byte -> column of next; letters of either case share one
	columns  int
	next     []uint16   // while it is built: state*columns + class -> state
	found    [][]uint16 // state -> patterns whose literal ends there
	always   []uint16   // patterns without a literal
	jump     []uint32   // row + class -> row; the row of a state is its number times columns
	silent   uint32     // rows below it are of states where nothing was found
}

func newFinder(sources []string) *finder {
	f := &finder{patterns: compileAll(sources), columns: 1}
	literals := make([][]string, len(sources))
	for i, source := range sources {
		literals[i] = requiredLiterals(source)
		if len(literals[i]) == 0 {
			f.always = append(f.always, uint16(i))
		}
		for _, l := range literals[i] {
			f.addClasses(l)
		}
	}
	f.addState()
	for i, list := range literals {
		for _, l := range list {
			f.add(l, uint16(i))
		}
	}
	f.link()
	f.pack()
	return f
}

// addClasses gives each byte of a lower-case literal a column; the bytes of no literal share column 0.
func (f *finder) addClasses(literal string) {
	for _, b := range []byte(literal) {
		if f.class[b] == 0 {
			f.class[b] = uint8(f.columns)
			f.columns++
			if 'a' <= b && b <= 'z' {
				f.class[b-'a'+'A'] = f.class[b]
			}
		}
	}
}

func (f *finder) addState() uint16 {
	f.next = append(f.next, make([]uint16, f.columns)...)
	f.found = append(f.found, nil)
	return uint16(len(f.found) - 1)
}

func (f *finder) add(literal string, pattern uint16) {
	state := uint16(0)
	for _, b := range []byte(literal) {
		cell := int(state)*f.columns + int(f.class[b])
		if f.next[cell] == 0 {
			to := f.addState()
			f.next[cell] = to
		}
		state = f.next[cell]
	}
	f.found[state] = append(f.found[state], pattern)
}

// link turns the tree into an automaton: where a state has no edge it gets the edge of its longest proper suffix.
func (f *finder) link() {
	suffix := make([]uint16, len(f.found))
	queue := make([]uint16, 0, len(f.found))
	for _, to := range f.next[:f.columns] {
		if to != 0 {
			queue = append(queue, to)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		f.found[state] = append(f.found[state], f.found[suffix[state]]...)
		row, of := f.row(state), f.row(suffix[state])
		for c, to := range row {
			if to == 0 {
				row[c] = of[c]
				continue
			}
			suffix[to] = of[c]
			queue = append(queue, to)
		}
	}
}

// pack renumbers the states, silent ones first, so that the loop over the bytes of a text asks one comparison a byte.
func (f *finder) pack() {
	order := make([]int, 0, len(f.found))
	for _, silent := range []bool{true, false} {
		for state, found := range f.found {
			if (len(found) == 0) == silent {
				order = append(order, state)
			}
		}
		if silent {
			f.silent = uint32(len(order) * f.columns)
		}
	}
	rows := make([]uint32, len(order))
	for i, state := range order {
		rows[state] = uint32(i * f.columns)
	}
	found := make([][]uint16, len(order))
	f.jump = make([]uint32, 0, len(f.next))
	for i, state := range order {
		found[i] = f.found[state]
		for _, to := range f.row(uint16(state)) {
			f.jump = append(f.jump, rows[to])
		}
	}
	f.found, f.next = found, nil
}

func (f *finder) row(state uint16) []uint16 {
	return f.next[int(state)*f.columns:][:f.columns]
}

// candidates appends to list, in no particular order and each once, the patterns that may match line.
func (f *finder) candidates(line []byte, list []uint16) []uint16 {
	if len(f.patterns) > len(f.always) {
		row := uint32(0)
		for _, b := range line {
			if row = f.jump[row+uint32(f.class[b])]; row < f.silent {
				continue
			}
			for _, p := range f.found[row/uint32(f.columns)] {
				list = appendNew(list, p)
			}
		}
	}
	return append(list, f.always...)
}

func appendNew(list []uint16, p uint16) []uint16 {
	for _, have := range list {
		if have == p {
			return list
		}
	}
	return append(list, p)
}

// matches reports whether any pattern matches line. The list is scratch space.
func (f *finder) matches(line []byte, list []uint16) (bool, []uint16) {
	list = f.candidates(line, list[:0])
	for _, p := range list {
		if f.patterns[p].Match(line) {
			return true, list
		}
	}
	return false, list
}
