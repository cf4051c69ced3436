package scan

import (
	"errors"
	"iter"
	"math"
	"net/netip"
	"slices"
	"sort"
)

// DefaultMax is how many addresses a scan takes unless it is told otherwise.
const DefaultMax = 1 << 20

// mostEver bounds ParseOptions.Max: as many addresses as IPv4 has.
const mostEver = min(1<<32, math.MaxInt)

// ErrTargets is matched by every error of Parse and ParseSet that is about what the targets or exclusions say. Its text is
// one sentence for a person.
var ErrTargets = errors.New("no targets of a scan")

// ErrNothingLeft is matched, beside ErrTargets, by the error of targets of which the exclusions leave none.
var ErrNothingLeft = errors.New("nothing left")

// refusal is an error that matches ErrTargets and reads as one sentence.
type refusal struct {
	text  string
	cause error // nil, or what else it matches
}

func (r *refusal) Error() string { return r.text }

func (r *refusal) Unwrap() []error {
	if r.cause == nil {
		return []error{ErrTargets}
	}
	return []error{ErrTargets, r.cause}
}

// Targets is a set of addresses, kept as ranges: the zero value is empty, a /12 costs as little as one address. It is not
// changed once made, so that any number of goroutines may read it.
//
// Its order is ascending, IPv4 before IPv6; link-local addresses with a zone come last, zone by zone.
type Targets struct {
	spans []span
	n     int
	label string
	notes []string
}

// span is the addresses from first on, up to where the next span begins in the order of the targets.
type span struct {
	first  netip.Addr
	before int // how many addresses come before it
}

// newTargets makes Targets of merged blocks, which are mostEver addresses at most.
func newTargets(merged []block) Targets {
	t := Targets{spans: make([]span, len(merged))}
	for i, b := range merged {
		t.spans[i] = span{b.first, t.n}
		t.n += int(b.size())
	}
	return t
}

// Len is the number of addresses.
func (t Targets) Len() int { return t.n }

// All yields every address in order.
func (t Targets) All() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for i, s := range t.spans {
			a := s.first
			for range t.length(i) {
				if !yield(a) {
					return
				}
				a = a.Next()
			}
		}
	}
}

// length is the number of addresses in span i.
func (t Targets) length(i int) int { return t.end(i) - t.spans[i].before }

// end is how many addresses there are up to the end of span i.
func (t Targets) end(i int) int {
	if i+1 < len(t.spans) {
		return t.spans[i+1].before
	}
	return t.n
}

// at is the address of an index, and the span it is in.
func (t Targets) at(index int) (netip.Addr, int) {
	i := sort.Search(len(t.spans), func(i int) bool { return t.spans[i].before > index }) - 1
	s := t.spans[i]
	return plus(s.first, uint64(index-s.before)), i
}

// Index is the place of an address in the order, from 0, if it is one of them. An IPv4 address may be given as
// ::ffff:a.b.c.d.
func (t Targets) Index(a netip.Addr) (int, bool) {
	if !a.IsValid() {
		return 0, false
	}
	a = a.Unmap()
	i, found := slices.BinarySearchFunc(t.spans, a, func(s span, a netip.Addr) int { return compare(s.first, a) })
	if !found {
		i--
	}
	if i < 0 {
		return 0, false
	}
	s := t.spans[i]
	if a.BitLen() != s.first.BitLen() || a.Zone() != s.first.Zone() {
		return 0, false
	}
	offset := block{s.first, a}.size() - 1
	if offset >= uint64(t.length(i)) {
		return 0, false
	}
	return s.before + int(offset), true
}

// Contains tells whether an address is one of them.
func (t Targets) Contains(a netip.Addr) bool {
	_, ok := t.Index(a)
	return ok
}

// block is span i with its last address.
func (t Targets) block(i int) block {
	s := t.spans[i]
	return block{s.first, plus(s.first, uint64(t.length(i)-1))}
}

// String is the set as prefixes, ranges and addresses in order, separated by ", ": as few as there can be of them, and
// the same for equal sets. Parse and ParseSet read it. It is as long as the set is scattered.
func (t Targets) String() string {
	var text []byte
	for i := range t.spans {
		text = appendBlock(text, t.block(i))
	}
	return string(text)
}

// appendBlock appends one more block to a list of them.
func appendBlock(text []byte, b block) []byte {
	if len(text) > 0 {
		text = append(text, ", "...)
	}
	return b.appendText(text)
}

// Label says for people what was asked for, in a few words: the terms while they are few, then how many there are of each
// kind.
func (t Targets) Label() string { return t.label }

// Notes are what a person should know of how the terms were understood, a sentence each and no more than a screen of them.
func (t Targets) Notes() []string { return slices.Clone(t.notes) }
