package logwatch

import "slices"

// Bounds of an automaton.
const (
	mostLiteral = 32       // bytes of a literal: what is longer is cut, and found a little too often
	mostTable   = 16 << 20 // bytes of the table of all transitions; where there are too many, literals are cut to less
)

// automaton finds some literals in a text, ASCII letters in upper and lower case, and looks at each byte once however many
// they are (Aho and Corasick, 1975). It is a table with a row for each state and a column for each class of bytes: bytes
// that no literal holds are one class. It is never changed, so that any number of goroutines may use it.
type automaton struct {
	class   [256]uint8
	columns uint32
	next    []uint32 // a state is the place where its row begins
	final   uint32   // states from here on have found something
	found   []finding
	cut     int // the literals were cut to so many bytes
}

// finding is what a state has found: the owners of a literal that ends in it, and the state, or 0, for a shorter literal that
// ends here too.
type finding struct {
	owners []int
	also   uint32
}

// literal is a text to be found for its owner.
type literal struct {
	text  string // in lower case
	owner int
}

// newAutomaton makes an automaton of literals, none of them empty, of each so many bytes, or less if they are too many; nil, if
// there is none.
func newAutomaton(all []literal, cut int) *automaton {
	if len(all) == 0 {
		return nil
	}
	for ; ; cut /= 2 { // literals of one byte are never too many
		t := newTrie(all, cut)
		if !t.large() {
			return t.automaton()
		}
	}
}

// trie is an automaton that is being made, its states in the order in which they came up.
type trie struct {
	cut     int
	class   [256]uint8
	columns uint32
	rows    []uint32 // columns for each state: the number of the next one; 0: there is none yet
	owners  [][]int  // of the literals that end in the state
	order   []uint32 // the states by their depth
	fail    []uint32 // the state of the longest end of what was read that begins a literal
	also    []uint32 // the nearest state on the way of fail that has found something; 0: there is none
}

// newTrie makes a trie of the first bytes of each literal, or of some if they are too many.
func newTrie(all []literal, cut int) *trie {
	t := &trie{cut: cut, columns: 1}
	for _, l := range all {
		for _, c := range []byte(l.text[:min(cut, len(l.text))]) {
			if t.class[c] == 0 {
				t.class[c] = uint8(t.columns)
				t.columns++
			}
		}
	}
	t.state()
	for _, l := range all {
		if t.add(l.text[:min(cut, len(l.text))], l.owner); t.large() {
			break
		}
	}
	return t
}

func (t *trie) large() bool { return len(t.rows)*4 > mostTable }

// state adds one, and returns its number.
func (t *trie) state() uint32 {
	t.rows = append(t.rows, make([]uint32, t.columns)...)
	t.owners = append(t.owners, nil)
	return uint32(len(t.owners) - 1)
}

// add adds a literal. Those of one owner come one after another.
func (t *trie) add(text string, owner int) {
	s := uint32(0)
	for _, c := range []byte(text) {
		at := s*t.columns + uint32(t.class[c])
		if t.rows[at] == 0 {
			n := t.state() // which may move the rows
			t.rows[at] = n
		}
		s = t.rows[at]
	}
	if n := len(t.owners[s]); n == 0 || t.owners[s][n-1] != owner {
		t.owners[s] = append(t.owners[s], owner)
	}
}

// link fills what is missing in the rows: where no literal goes on with a byte, a state goes where the longest end of what was
// read goes.
func (t *trie) link() {
	t.fail, t.also = make([]uint32, len(t.owners)), make([]uint32, len(t.owners))
	t.order = append(t.order, 0)
	for i := 0; i < len(t.order); i++ {
		s := t.order[i]
		for c := range t.columns {
			back := uint32(0)
			if s != 0 {
				back = t.rows[t.fail[s]*t.columns+c]
			}
			next := &t.rows[s*t.columns+c]
			if *next == 0 {
				*next = back
				continue
			}
			t.fail[*next], t.also[*next] = back, back
			if len(t.owners[back]) == 0 {
				t.also[*next] = t.also[back]
			}
			t.order = append(t.order, *next)
		}
	}
}

// places says where the row of each state goes: those that have found something last, from final on.
func (t *trie) places() (place []uint32, final uint32) {
	place = make([]uint32, len(t.owners))
	n := uint32(0)
	for _, finds := range []bool{false, true} {
		if finds {
			final = n
		}
		for _, s := range t.order {
			if finds == (len(t.owners[s]) > 0 || t.also[s] != 0) {
				place[s] = n
				n += t.columns
			}
		}
	}
	return place, final
}

func (t *trie) automaton() *automaton {
	t.link()
	place, final := t.places()
	a := &automaton{class: t.class, columns: t.columns, final: final, cut: t.cut, next: make([]uint32, len(t.rows))}
	for c := byte('A'); c <= 'Z'; c++ {
		a.class[c] = a.class[lower(c)]
	}
	a.found = make([]finding, (uint32(len(t.rows))-final)/t.columns)
	for s, at := range place {
		for c := range t.columns {
			a.next[at+c] = place[t.rows[uint32(s)*t.columns+c]]
		}
		if at >= final {
			a.found[(at-final)/t.columns] = finding{t.owners[s], place[t.also[s]]}
		}
	}
	return a
}

// scan appends the states in which a text found something, those of a text that repeats itself about once.
func (a *automaton) scan(states []uint32, text []byte) []uint32 {
	s := uint32(0)
	for _, c := range text {
		s = a.next[s+uint32(a.class[c])]
		if s >= a.final {
			states = note(states, s)
		}
	}
	return states
}

// note appends a state. Before states has to grow, it is rid of what is in it twice.
func note(states []uint32, s uint32) []uint32 {
	if n := len(states); n > 0 && states[n-1] == s {
		return states
	}
	if len(states) == cap(states) {
		slices.Sort(states)
		if states = slices.Compact(states); len(states) > cap(states)/2 {
			states = slices.Grow(states, cap(states))
		}
	}
	return append(states, s)
}

// owners appends the owners of the literals that a state has found.
func (a *automaton) owners(dst []int, s uint32) []int {
	for s != 0 {
		f := &a.found[(s-a.final)/a.columns]
		dst = append(dst, f.owners...)
		s = f.also
	}
	return dst
}

// in tells whether a text holds one of the literals, if none was cut.
func (a *automaton) in(text []byte) bool {
	s := uint32(0)
	for _, c := range text {
		if s = a.next[s+uint32(a.class[c])]; s >= a.final {
			return true
		}
	}
	return false
}
