package scan

import (
	"math/bits"
	"net/netip"
	"strings"
)

// Set is a set of addresses among Targets. It costs a bit for each target. It is not safe for concurrent use.
type Set struct {
	targets Targets
	words   []uint64
	n       int
}

// NewSet returns an empty set of addresses among t.
func NewSet(t Targets) *Set { return &Set{targets: t, words: make([]uint64, (t.Len()+63)/64)} }

// Add adds an address. One that is no target is not added.
func (s *Set) Add(a netip.Addr) {
	i, ok := s.targets.Index(a)
	if !ok || s.bit(i) {
		return
	}
	s.words[i/64] |= 1 << (i % 64)
	s.n++
}

// Has tells whether an address was added.
func (s *Set) Has(a netip.Addr) bool {
	i, ok := s.targets.Index(a)
	return ok && s.bit(i)
}

func (s *Set) bit(i int) bool { return s.words[i/64]>>(i%64)&1 != 0 }

// Len is the number of addresses that were added.
func (s *Set) Len() int { return s.n }

// String is the addresses as Targets.String has them. ParseSet reads it.
func (s *Set) String() string {
	var text []byte
	for from := s.next(0, true); from < s.targets.n; {
		first, i := s.targets.at(from)
		to := min(s.next(from, false), s.targets.end(i)) // two spans never touch
		text = appendBlock(text, block{first, plus(first, uint64(to-from-1))})
		from = s.next(to, true)
	}
	return string(text)
}

// next is the first index from i on whose bit is as wanted, or that of no target.
func (s *Set) next(i int, wanted bool) int {
	for w := i / 64; w < len(s.words); w++ {
		word := s.words[w]
		if !wanted {
			word = ^word
		}
		if w == i/64 {
			word &^= 1<<(i%64) - 1
		}
		if word != 0 {
			return min(w*64+bits.TrailingZeros64(word), s.targets.n)
		}
	}
	return s.targets.n
}

// ParseSet reads what the String of a Set or of Targets gives. It takes no names, bounds the set by nothing but what IPv4
// has of addresses, and notes nothing.
func ParseSet(text string) (Targets, error) {
	if text == "" {
		return Targets{}, nil
	}
	blocks := make([]block, 0, strings.Count(text, ",")+1)
	for part := range strings.SplitSeq(text, ",") {
		b, err := readBlock(strings.TrimPrefix(part, " "))
		if err != nil {
			return Targets{}, err
		}
		blocks = append(blocks, b)
	}
	merged := merge(blocks)
	if n := sizeOf(merged); n > mostEver {
		return Targets{}, refuse("a set of %s is more than can be kept", plural(n, "address"))
	}
	return newTargets(merged), nil
}

// readBlock reads one block as its String has it.
func readBlock(text string) (block, error) {
	t, err := readTerm(text)
	if err != nil {
		return block{}, err
	}
	switch t.kind {
	case kindName:
		return block{}, refuse("%s is no address, range or prefix", shown(text))
	case kindNetwork:
		return single(t.block.first), nil
	}
	return t.block, nil
}
