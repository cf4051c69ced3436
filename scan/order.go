package scan

import (
	"iter"
	"math/bits"
	"net/netip"
)

// Shuffled yields every address once, in an order that the seed decides and that spreads over the subnets: two that follow
// each other are neighbours no more often than chance has it. The order is computed on the way; nothing is held.
func (t Targets) Shuffled(seed uint64) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		p := newPermutation(t.n, seed)
		for i := range p.domain() {
			index := p.of(i)
			if index >= uint64(t.n) {
				continue // the domain is the next power of two, less than twice as many
			}
			if a, _ := t.at(int(index)); !yield(a) {
				return
			}
		}
	}
}

// rounds is how often each half of a number is mixed into the other. Four make a Feistel network look random.
const rounds = 4

// permutation orders the numbers of a power of two anew: a Feistel network, whose halves may differ by a bit. Each round
// changes one half by what the other one is, and could be undone, so that no two numbers become the same.
type permutation struct {
	left, right int // bits
	keys        [2 * rounds]uint64
}

func newPermutation(n int, seed uint64) permutation {
	width := bits.Len(uint(max(n, 1) - 1))
	p := permutation{left: width / 2, right: width - width/2}
	for i := range p.keys {
		seed += 0x9e3779b97f4a7c15 // SplitMix64
		p.keys[i] = mix(seed)
	}
	return p
}

// domain is how many numbers there are.
func (p *permutation) domain() uint64 { return 1 << (p.left + p.right) }

// of is where a number goes.
func (p *permutation) of(n uint64) uint64 {
	l, r := n>>p.right, n&ones(p.right)
	for i := 0; i < len(p.keys); i += 2 {
		l ^= mix(r^p.keys[i]) & ones(p.left)
		r ^= mix(l^p.keys[i+1]) & ones(p.right)
	}
	return l<<p.right | r
}

// mix makes every bit of the result depend on every bit of n: the finalizer of SplitMix64.
func mix(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
