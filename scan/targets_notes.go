package scan

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// mostNotes is how many notes of one kind there are.
const mostNotes = 4

// notes is what a person should know of the targets. Before exclusions they were the wanted ones.
func (p *parser) notes(t Targets, wanted []block) (all []string) {
	return slices.Concat(
		few(p.meanings()), p.leftOut(), few(p.edges(t)), p.everyAddress(t),
		overlapNote("", p.terms, "each address is asked once"),
		overlapNote("exclusion ", p.excluded, "each address is left out once"),
		p.inVain(wanted),
	)
}

// few are the first of many notes.
func few(notes []string) []string {
	if len(notes) <= mostNotes {
		return notes
	}
	return append(notes[:mostNotes:mostNotes], fmt.Sprintf("so it is with %s more", thousands(uint64(len(notes)-mostNotes))))
}

// meanings says what terms mean that do not say it themselves.
func (p *parser) meanings() (notes []string) {
	for _, t := range slices.Concat(p.terms, p.excluded) {
		switch {
		case t.kind == kindName:
			notes = append(notes, fmt.Sprintf("%s is %s", t.label, listed(t.addrs, netip.Addr.String)))
		case t.kind == kindNetwork:
			notes = append(notes, fmt.Sprintf("%s means %s: write %s/32 for that address alone", shown(t.text), t.label, t.block.first))
		case t.within:
			notes = append(notes, fmt.Sprintf("%s is an address within %s: the whole prefix is meant", shown(t.text), t.label))
		}
	}
	return notes
}

// leftOut says which addresses of prefixes and ranges are no host's.
func (p *parser) leftOut() (notes []string) {
	for _, n := range never {
		c := n.block.common(p.named)
		which := fmt.Sprintf("%s of %s are", plural(c, "address"), n.block)
		switch {
		case c == 0:
			continue
		case n.block.first == n.block.last:
			which = n.block.first.String() + " is"
		case c == 1:
			which = fmt.Sprintf("1 address of %s is", n.block)
		}
		notes = append(notes, fmt.Sprintf("%s left out: %s is never asked", which, n.what))
	}
	return notes
}

// edges says which links' network and broadcast addresses are named but not asked.
func (p *parser) edges(t Targets) (notes []string) {
	for _, l := range p.links {
		out := func(a netip.Addr) bool { return touches(p.named, single(a)) && !t.Contains(a) }
		network, broadcast := out(l.network), out(l.broadcast)
		switch {
		case network && broadcast:
			notes = append(notes, fmt.Sprintf("%s is on this link: its network and broadcast address are not asked", l.prefix))
		case network:
			notes = append(notes, fmt.Sprintf("%s is on this link: its network address is not asked", l.prefix))
		case broadcast:
			notes = append(notes, fmt.Sprintf("%s is on this link: its broadcast address is not asked", l.prefix))
		}
	}
	return notes
}

// everyAddress says of which prefixes the first and the last address are asked like any other.
func (p *parser) everyAddress(t Targets) []string {
	var whole []*term
	for _, each := range p.terms {
		if p.routed(each) && t.Contains(each.block.first) && t.Contains(each.block.last) {
			whole = append(whole, each)
		}
	}
	var but string
	blocks := merge(blocksOf(whole))
	if slices.ContainsFunc(p.excluded, func(e *term) bool { return touches(blocks, e.block) }) {
		but = " that is not excluded"
	}
	switch len(whole) {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("every address of %s%s is asked, %s included", whole[0].label, but, ends(whole[0].block))}
	}
	return []string{fmt.Sprintf("every address of %s%s is asked, first and last included", listed(whole, labelOf), but)}
}

// routed tells whether a term is an IPv4 prefix of which nothing was withheld, though it has a network and a broadcast
// address where it is on a link.
func (p *parser) routed(t *term) bool {
	prefix := t.kind == kindPrefix || t.kind == kindNetwork
	return prefix && t.block.first.Is4() && t.size() > 2 && t.block.common(p.withheld) == 0
}

// ends names the first and the last address of a prefix; in a /24 and smaller by their last number.
func ends(b block) string {
	if b.size() > 256 {
		return fmt.Sprintf("%s and %s", b.first, b.last)
	}
	return fmt.Sprintf(".%d and .%d", b.first.As4()[3], b.last.As4()[3])
}

// inVain says which exclusions exclude nothing.
func (p *parser) inVain(wanted []block) []string {
	hit := slices.Clone(wanted)
	for _, s := range p.singles {
		hit = append(hit, single(s.first.WithZone(""))) // which an exclusion without a zone excludes too
	}
	hit = merge(hit)
	var vain []*term
	for _, e := range p.excluded {
		if len(touching(hit, e.block)) == 0 {
			vain = append(vain, e)
		}
	}
	switch len(vain) {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("exclusion %s touches no target", labelOf(vain[0]))}
	}
	return []string{fmt.Sprintf("exclusions %s touch no target", listed(vain, labelOf))}
}

func labelOf(t *term) string { return t.label }

// overlapNote says which terms name the same addresses.
func overlapNote(what string, terms []*term, so string) []string {
	first, more := overlaps(terms)
	if first == nil {
		return nil
	}
	outer, inner := what+first[0].label, what+first[1].label
	text := fmt.Sprintf("%s and %s overlap", outer, inner)
	switch {
	case outer == inner:
		text = outer + " is named twice"
	case within(first[0], first[1]):
		text = fmt.Sprintf("%s lies within %s", inner, outer)
	}
	if more > 0 {
		text += fmt.Sprintf(", and there are %s more such pairs", thousands(uint64(more)))
	}
	return []string{text + ": " + so}
}

// overlaps returns the first two terms that have addresses in common, and how many more terms have some in common with an
// earlier one.
func overlaps(terms []*term) (first []*term, more int) {
	type piece struct {
		block
		of *term
	}
	var pieces []piece
	for _, t := range terms {
		for _, b := range t.blocks() {
			pieces = append(pieces, piece{b, t})
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int {
		if c := compareBlocks(a.block, b.block); c != 0 {
			return c
		}
		return compare(b.last, a.last) // the bigger one first
	})
	for i := 1; i < len(pieces); i++ {
		far, next := &pieces[i-1], &pieces[i]
		if compare(far.last, next.first) >= 0 {
			if first == nil {
				first = []*term{far.of, next.of}
			} else {
				more++
			}
			if compare(far.last, next.last) > 0 {
				next.block.last, next.of = far.last, far.of // it goes on reaching farthest
			}
		}
	}
	return first, more
}

// within tells whether all of inner is in outer.
func within(outer, inner *term) bool {
	return outer.kind != kindName && !slices.ContainsFunc(inner.blocks(), func(b block) bool { return b.common([]block{outer.block}) != b.size() })
}

// label is the terms in a few words.
func (p *parser) label() string {
	if len(p.terms) <= 3 {
		if text := listed(p.terms, labelOf); len(text) <= longestShown {
			return text
		}
	}
	var kinds []string
	for kind, what := range []string{kindPrefix: "prefix", kindRange: "range", kindAddress: "address", kindName: "host name"} {
		n := uint64(0)
		for _, t := range p.terms {
			if int(t.kind) == kind || t.kind == kindNetwork && kind == int(kindPrefix) {
				n++
			}
		}
		if n > 0 {
			kinds = append(kinds, plural(n, what))
		}
	}
	return joined(kinds)
}

// listed names the first few of many.
func listed[T any](all []T, name func(T) string) string {
	var names []string
	for i, one := range all {
		if i == mostNotes-1 && len(all) > mostNotes {
			names = append(names, thousands(uint64(len(all)-i))+" more")
			break
		}
		names = append(names, name(one))
	}
	return joined(names)
}

// joined is "a, b and c".
func joined(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// sizeText says how many addresses a big block has.
func sizeText(b block) string {
	if p, ok := b.prefix(); ok && b.size() == math.MaxUint64 {
		return fmt.Sprintf("2^%d addresses", b.first.BitLen()-p.Bits())
	}
	if b.size() == math.MaxUint64 {
		return "more than 2^64 addresses"
	}
	return plural(b.size(), "address")
}

// plural is a number of things.
func plural(n uint64, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s") || strings.HasSuffix(what, "x"):
		return thousands(n) + " " + what + "es"
	}
	return thousands(n) + " " + what + "s"
}

// thousands is a number with a comma after each thousand.
func thousands(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
