package scan

import (
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
)

// block is the addresses from first to last, both of one family. One with a zone is a single address.
type block struct{ first, last netip.Addr }

// single is the block of one address.
func single(a netip.Addr) block { return block{a, a} }

// prefixBlock is the addresses of a prefix.
func prefixBlock(p netip.Prefix) block {
	first := p.Masked().Addr()
	host := first.BitLen() - p.Bits()
	hi, lo := number(first)
	if host >= 64 {
		return block{first, address(first, hi|ones(host-64), math.MaxUint64)}
	}
	return block{first, address(first, hi, lo|ones(host))}
}

// ones is a number of n bits that are all set.
func ones(n int) uint64 { return 1<<n - 1 }

// number is an address as a number; the one of IPv4 is that of ::ffff:a.b.c.d.
func number(a netip.Addr) (hi, lo uint64) {
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

// address is the address of a number, of the family of like.
func address(like netip.Addr, hi, lo uint64) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	if like.Is4() {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.AddrFrom16(b)
}

// plus is the address n places after a.
func plus(a netip.Addr, n uint64) netip.Addr {
	if a.Is4() {
		b := a.As4()
		binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
		return netip.AddrFrom4(b)
	}
	if n == 0 {
		return a // keeps its zone
	}
	hi, lo := number(a)
	lo, carry := bits.Add64(lo, n, 0)
	return address(a, hi+carry, lo)
}

// size is the number of addresses; math.MaxUint64 stands for all that is more.
func (b block) size() uint64 {
	hi1, lo1 := number(b.first)
	hi2, lo2 := number(b.last)
	lo, borrow := bits.Sub64(lo2, lo1, 0)
	if hi2-hi1-borrow != 0 || lo == math.MaxUint64 {
		return math.MaxUint64
	}
	return lo + 1
}

// sizeOf is the number of addresses of disjoint blocks; math.MaxUint64 stands for all that is more.
func sizeOf(blocks []block) (n uint64) {
	for _, b := range blocks {
		n = sum(n, b.size())
	}
	return n
}

// sum adds, and stays at math.MaxUint64 once there.
func sum(a, b uint64) uint64 {
	n, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return n
}

// compare orders addresses as Targets have them: IPv4, IPv6, and then those with a zone, zone by zone.
func compare(a, b netip.Addr) int {
	if az, bz := a.Zone(), b.Zone(); az != bz {
		return strings.Compare(az, bz)
	}
	return a.Compare(b)
}

func compareBlocks(a, b block) int { return compare(a.first, b.first) }

// merge sorts blocks and joins those that touch, so that equal sets are equal. It uses the array of its argument.
func merge(blocks []block) []block {
	slices.SortFunc(blocks, compareBlocks)
	merged := blocks[:0]
	for _, b := range blocks {
		n := len(merged)
		switch {
		case n == 0 || !merged[n-1].reaches(b):
			merged = append(merged, b)
		case compare(merged[n-1].last, b.last) < 0:
			merged[n-1].last = b.last
		}
	}
	return merged
}

// reaches tells whether c, which begins no earlier, begins in b or right after it.
func (b block) reaches(c block) bool {
	return compare(b.last, c.first) >= 0 || c.first.Zone() == "" && b.last.Next() == c.first
}

// touching returns those of merged blocks that have addresses in common with b.
func touching(merged []block, b block) []block {
	from, _ := slices.BinarySearchFunc(merged, b.first, func(m block, a netip.Addr) int { return compare(m.last, a) })
	to, found := slices.BinarySearchFunc(merged, b.last, func(m block, a netip.Addr) int { return compare(m.first, a) })
	if found {
		to++
	}
	return merged[from:max(from, to)]
}

// touches tells whether a merged block has an address in common with b. A link-local address with a zone is also in a
// block without.
func touches(merged []block, b block) bool {
	return len(touching(merged, b)) > 0 || b.first.Zone() != "" && len(touching(merged, single(b.first.WithZone("")))) > 0
}

// subtract returns blocks without what is in merged ones.
func subtract(blocks, without []block) []block {
	if len(without) == 0 {
		return blocks
	}
	var left []block
	for _, b := range blocks {
		left = b.cut(left, without)
	}
	return left
}

// cut appends to left what of b is not in merged blocks.
func (b block) cut(left, without []block) []block {
	if b.first.Zone() != "" {
		if touches(without, b) {
			return left
		}
		return append(left, b)
	}
	for _, w := range touching(without, b) {
		if compare(w.first, b.first) > 0 {
			left = append(left, block{b.first, w.first.Prev()})
		}
		if compare(w.last, b.last) >= 0 {
			return left
		}
		b.first = w.last.Next()
	}
	return append(left, b)
}

// common is the number of addresses that b has in common with merged blocks.
func (b block) common(merged []block) (n uint64) {
	for _, m := range touching(merged, b) {
		c := b
		if compare(m.first, c.first) > 0 {
			c.first = m.first
		}
		if compare(m.last, c.last) < 0 {
			c.last = m.last
		}
		n = sum(n, c.size())
	}
	return n
}

// appendText appends the shortest of an address, a prefix and a range. An IPv4 address that ends in .0 is written as a
// prefix, because Parse takes the bare one for its network.
func (b block) appendText(text []byte) []byte {
	if b.first == b.last {
		text = b.first.AppendTo(text)
		if bareNetwork(b.first) {
			text = append(text, "/32"...)
		}
		return text
	}
	if p, ok := b.prefix(); ok {
		return p.AppendTo(text)
	}
	text = append(b.first.AppendTo(text), '-')
	return b.last.AppendTo(text)
}

func (b block) String() string { return string(b.appendText(nil)) }

// prefix is the prefix that has exactly the block's addresses, if there is one.
func (b block) prefix() (netip.Prefix, bool) {
	hi1, lo1 := number(b.first)
	hi2, lo2 := number(b.last)
	host := bits.Len64(lo1 ^ lo2)
	if hi1 != hi2 {
		host = 64 + bits.Len64(hi1^hi2)
	}
	p := netip.PrefixFrom(b.first, b.first.BitLen()-host)
	return p, p.IsValid() && prefixBlock(p) == b
}

// bareNetwork tells whether an address on its own means its /24.
func bareNetwork(a netip.Addr) bool { return a.Is4() && a.As4()[3] == 0 && !a.IsUnspecified() }
