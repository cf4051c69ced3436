package syslog

import "iter"

// Pair is one name and its value in a Message's Data.
type Pair struct {
	ID    []byte // the SD-ID of its element of structured data; nil: of key=value pairs
	Name  []byte
	Value []byte // without quotation marks and escapes
}

// Pairs ranges over the structured data of RFC 5424, or the key=value pairs, in the order in which they came. The slices are parts
// of the Message, but for a value with escapes in it, which is unescaped into memory of its own. An element without parameters
// has no pair.
func (m *Message) Pairs() iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		if len(m.Data) > 0 && m.Data[0] == '[' {
			structuredPairs(m.Data, yield)
			return
		}
		plainPairs(m.Data, yield)
	}
}

func structuredPairs(b []byte, yield func(Pair) bool) {
	for i := 0; i < len(b) && b[i] == '['; {
		end := nameEnd(b, i+1)
		id := b[i+1 : end]
		for i = end; i < len(b) && b[i] == ' '; {
			equals := nameEnd(b, i+1)
			if equals == i+1 || equals+1 >= len(b) || b[equals] != '=' || b[equals+1] != '"' {
				return
			}
			last := valueEnd(b, equals+2)
			if last < 0 || !yield(Pair{id, b[i+1 : equals], unescape(b[equals+2 : last])}) {
				return
			}
			i = last + 1
		}
		i++ // the closing bracket
	}
}

// plainPairs ranges over name=value and name="value", with spaces or commas between them. What has no equals sign is skipped.
func plainPairs(b []byte, yield func(Pair) bool) {
	for i := 0; i < len(b); {
		p, quoted, next := plainPair(b, i)
		if quoted {
			p.Value = unescape(p.Value)
		}
		if p.Name != nil && !yield(p) {
			return
		}
		i = next
	}
}

// plainPair reads the pair at i; its Name is nil if there is none. A value in quotation marks may hold anything, and has its
// escapes still in it.
func plainPair(b []byte, i int) (p Pair, quoted bool, next int) {
	j := i
	for j < len(b) && b[j] != '=' && !betweenPairs(b[j]) {
		j++
	}
	if j == i || j == len(b) || b[j] != '=' {
		return p, false, j + 1
	}
	p.Name = b[i:j]
	j++
	if j < len(b) && b[j] == '"' {
		if end := valueEnd(b, j+1); end > 0 {
			p.Value = b[j+1 : end]
			return p, true, end + 1
		}
	}
	start := j
	for j < len(b) && !betweenPairs(b[j]) {
		j++
	}
	p.Value = b[start:j]
	return p, false, j + 1
}

// pairsBegin says that b begins with two pairs: one alone may be a word of a text.
func pairsBegin(b []byte) bool {
	for range 2 {
		equals := run(b, 0, inName)
		if equals == 0 || equals == len(b) || b[equals] != '=' {
			return false
		}
		_, _, next := plainPair(b, 0)
		for next < len(b) && betweenPairs(b[next]) {
			next++
		}
		b = b[min(next, len(b)):]
	}
	return true
}

func betweenPairs(c byte) bool { return c <= ' ' || c == ',' }

// unescape takes the backslash from in front of a quotation mark, a backslash and a closing bracket; any other is one that is meant
// (RFC 5424, 6.3.3).
func unescape(b []byte) []byte {
	i := escape(b, 0)
	if i < 0 {
		return b
	}
	plain := make([]byte, 0, len(b)-1)
	done := 0
	for ; i >= 0; i = escape(b, i+2) {
		plain = append(plain, b[done:i]...)
		done = i + 1
	}
	return append(plain, b[done:]...)
}

// escape is the place of the next backslash that escapes something: -1 if there is none.
func escape(b []byte, i int) int {
	for ; i+1 < len(b); i++ {
		if b[i] == '\\' && (b[i+1] == '"' || b[i+1] == '\\' || b[i+1] == ']') {
			return i
		}
	}
	return -1
}
