package logfile

import (
	"encoding/binary"
	"regexp"
	"regexp/syntax"
	"strings"
)

// literalOf returns a text, in small letters, that every line which a query wants has in it as it stands in the file; empty: there
// is none. It is the longest that can be found.
func literalOf(text string, match *regexp.Regexp) string {
	best := plainRun(text, false)
	if match == nil {
		return best
	}
	re, err := syntax.Parse(match.String(), syntax.Perl)
	if err != nil {
		return best
	}
	if l := required(re.Simplify()); len(l) > len(best) {
		return l
	}
	return best
}

// required returns the longest plain text that all matches of an expression have in them.
func required(re *syntax.Regexp) (best string) {
	switch re.Op {
	case syntax.OpLiteral:
		return plainRun(string(re.Rune), re.Flags&syntax.FoldCase != 0)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if l := required(sub); len(l) > len(best) {
				best = l
			}
		}
	}
	return best
}

// plainRun returns the longest part of a text that JSON writes as it is, in small letters. What may be escaped ends a part; where
// case is folded so do k and s, which there are of outside of ASCII, too.
func plainRun(text string, folded bool) (best string) {
	isPlain := func(r rune) bool {
		if folded && strings.ContainsRune("kKsS", r) {
			return false
		}
		return ' ' <= r && r <= '~' && !strings.ContainsRune(`"\<>&`, r)
	}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return !isPlain(r) }) {
		if len(part) > len(best) {
			best = part
		}
	}
	return strings.ToLower(best)
}

// hasLetters tells whether a text could be written in another case.
func hasLetters(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return 'a' <= r && r <= 'z' })
}

// toLower writes src in small letters to dst, which is as long: only A to Z change. It takes eight bytes at a time.
func toLower(dst, src []byte) {
	const ones = 0x0101010101010101
	i := 0
	for ; i+8 <= len(src); i += 8 {
		x := binary.LittleEndian.Uint64(src[i:])
		low := x &^ (0x80 * ones)
		fromA := low + (0x80-'A')*ones
		beyondZ := low + (0x80-'Z'-1)*ones
		capital := (fromA ^ beyondZ) & (0x80 * ones) &^ x
		binary.LittleEndian.PutUint64(dst[i:], x|capital>>2)
	}
	for ; i < len(src); i++ {
		c := src[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst[i] = c
	}
}
