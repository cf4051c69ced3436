package syslog

import (
	"unicode"
	"unicode/utf8"
)

// What a byte can be part of.
const (
	inWord     = 1 << iota // printable ASCII but for the space: no control byte gets into a field of the header
	inTag                  // a program: a word without a colon and a bracket
	inHost                 // a name or an address; ASA writes the context behind a slash, IPv6 the zone behind a percent sign
	inMnemonic             // FAC-SEV-MNEM
	inTopic                // RouterOS's topics
	inName                 // the name of a key=value pair, or of a Huawei's message
	inAlnum
	inUpper // capitals and digits
)

var class = func() (table [256]uint8) {
	set := func(bits uint8, first, last byte) {
		for c := int(first); c <= int(last); c++ {
			table[c] |= bits
		}
	}
	each := func(bits uint8, of string) {
		for _, c := range []byte(of) {
			table[c] |= bits
		}
	}
	set(inWord|inTag, '!', '~')
	table[':'] &^= inTag
	table['['] &^= inTag
	const alnum = inHost | inMnemonic | inName | inAlnum
	set(alnum|inUpper|inTopic, '0', '9')
	set(alnum|inUpper, 'A', 'Z')
	set(alnum|inTopic, 'a', 'z')
	each(inHost, "-._:/%@+~")
	each(inMnemonic, "-._/")
	each(inTopic, "-")
	each(inName, "-._")
	return table
}()

// run is where the bytes of a class end that begin at i.
func run(b []byte, i int, of uint8) int {
	for i < len(b) && class[b[i]]&of != 0 {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isUpper(c byte) bool { return c-'A' <= 'Z'-'A' }

func isAlnum(c byte) bool { return class[c]&inAlnum != 0 }

func skipSpaces(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}

// number reads decimal digits; end is i if there are none, or more than a uint64 holds.
func number(b []byte, i int) (n uint64, end int) {
	end = i
	for end < len(b) && isDigit(b[end]) {
		if end-i == 19 {
			return 0, i
		}
		n = n*10 + uint64(b[end]-'0')
		end++
	}
	return n, end
}

// digits is the number that all of b is: -1 if not all are digits.
func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// two is the number of two digits at i: 100 or more if they are none.
func two(b []byte, i int) uint {
	high, low := uint(b[i]-'0'), uint(b[i+1]-'0')
	if high > 9 || low > 9 {
		return 100
	}
	return high*10 + low
}

// trimEnd cuts off line ends and NULs, which are of the transport.
func trimEnd(b []byte) []byte {
	for len(b) > 0 {
		switch b[len(b)-1] {
		case '\n', '\r', 0:
			b = b[:len(b)-1]
		default:
			return b
		}
	}
	return b
}

// trimMark cuts off a byte order mark.
func trimMark(b []byte) []byte {
	if len(b) >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf {
		return b[3:]
	}
	return b
}

// printable says that b is UTF-8 of which every character leaves a mark: a name that is not may be meant for a terminal.
func printable(b []byte) bool {
	i := run(b, 0, inWord)
	for i < len(b) {
		c, size := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError || !unicode.IsGraphic(c) || unicode.IsSpace(c) {
			return false
		}
		i += size
	}
	return true
}
