package syslog

import "bytes"

// framer cuts a stream into messages. How each is framed is found out for each (RFC 6587): a count of octets in front of it, or
// a line that ends with LF, CRLF or NUL. Digits count octets only when a space and <PRI> follow, or a text on a connection
// that has counted before; a line may begin with digits too.
//
// A count is believed when what follows the message can be the beginning of another. If not, it was wrong: then the message
// ends where a line ends or where the next count is, so that one wrong count spoils one message and no more.
type framer struct {
	max     int  // bytes of a message
	counted bool // there was a count that was right
	skip    int  // octets of a counted message that was too long
	over    bool // what comes is the rest of a line that was too long
	bad     uint64
}

// state says why there is no more data than there is.
type streamState int

const (
	more  streamState = iota // more may come any moment
	stale                    // nothing came for long: who counted more octets than that has counted wrong
	ended                    // nothing comes any more
)

// mostDigits is how many a count may have.
const mostDigits = 9

// frame is what a framer found at the beginning of some data: a message from there to there, and how much of the data is done
// with. No n: the message goes on in what is still to come. No message: n bytes are none, but the end of a line or the rest of
// what was cut off.
type frame struct {
	from, to int
	n        int
	cut      bool // the message is the beginning of a longer one
}

// next finds the first message in data.
func (f *framer) next(data []byte, s streamState) frame {
	switch {
	case len(data) == 0:
		return frame{}
	case f.skip > 0:
		n := min(f.skip, len(data))
		f.skip -= n
		return frame{n: n}
	case f.over:
		end := lineEnd(data)
		if f.over = end < 0; f.over {
			end = len(data) - 1
		}
		return frame{n: end + 1}
	case isEnd(data[0]):
		return frame{n: len(data) - len(bytes.TrimLeft(data, "\r\n\x00"))}
	}
	start, count, found := f.count(data, s)
	switch found {
	case undecided:
		return frame{}
	case none:
		return f.line(data, 0, s, false)
	}
	return f.octets(data, start, count, s)
}

// counting is whether there is a count.
type counting int

const (
	none counting = iota
	undecided
	given
)

// count reads the count in front of a message.
func (f *framer) count(data []byte, s streamState) (start, count int, found counting) {
	i := 0
	for ; i < len(data) && i < mostDigits && '0' <= data[i] && data[i] <= '9'; i++ {
		count = count*10 + int(data[i]-'0')
	}
	switch {
	case i == 0 || data[0] == '0':
		return 0, 0, none
	case s != ended && (i == len(data) || data[i] == ' ' && i+1 == len(data)):
		return 0, 0, undecided
	case i+1 >= len(data) || data[i] != ' ' || data[i+1] != '<' && !f.counted:
		return 0, 0, none
	}
	return i + 1, count, given
}

// octets takes a counted message.
func (f *framer) octets(data []byte, start, count int, s streamState) frame {
	size := min(count, f.max)
	end := start + size
	switch {
	case len(data) < end && s == more:
		return frame{}
	case len(data) < end:
		return f.wrong(data, start, s)
	case count > size:
		if count > 16*f.max || hidesMessage(data[start:end]) {
			return f.wrong(data, start, s)
		}
		f.skip = count - size
		return frame{start, end, end, true}
	case !f.begins(data[end:]):
		return f.wrong(data, start, s)
	}
	f.counted = true
	return frame{from: start, to: end, n: end}
}

// wrong takes a message whose count was wrong.
func (f *framer) wrong(data []byte, start int, s streamState) frame {
	found := f.line(data, start, s, true)
	if found.n > 0 {
		f.bad++
	}
	return found
}

// line takes a message that ends with its line; with counts also where a count comes.
func (f *framer) line(data []byte, start int, s streamState, counts bool) frame {
	rest := data[start:]
	end := lineEnd(rest)
	n := end + 1
	if counts {
		within := rest
		if end >= 0 {
			within = rest[:end]
		}
		if i := nextCount(within); i > 0 {
			end, n = i, i
		}
	}
	switch {
	case end > f.max, end < 0 && len(rest) > f.max:
		f.over = true // up to the end of the line, which may be here already
		return frame{start, start + f.max, start + f.max, true}
	case end >= 0:
		return frame{from: start, to: start + end, n: start + n}
	case s == ended:
		return frame{from: start, to: len(data), n: len(data)}
	}
	return frame{}
}

func isEnd(c byte) bool { return c == '\n' || c == '\r' || c == 0 }

// lineEnd is where a line ends, or -1. A CR in front of that is cut off with other trailing bytes when the message is read.
func lineEnd(data []byte) int {
	end := bytes.IndexByte(data, '\n')
	if end >= 0 {
		data = data[:end]
	}
	if nul := bytes.IndexByte(data, 0); nul >= 0 {
		return nul
	}
	return end
}

// begins tells whether data can be the beginning of a message, or the end of the line of the one before. So can nothing.
func (f *framer) begins(data []byte) bool {
	if len(data) == 0 || isEnd(data[0]) || data[0] == '<' {
		return true
	}
	i := 0
	for i < len(data) && i < mostDigits && '0' <= data[i] && data[i] <= '9' {
		i++
	}
	if i == 0 || data[0] == '0' {
		return false
	}
	return i == len(data) || data[i] == ' ' && (i+1 == len(data) || data[i+1] == '<' || f.counted)
}

// nextCount is where a count and a <PRI> come after the beginning of data, or -1.
func nextCount(data []byte) int {
	for from := 1; ; {
		i := bytes.Index(data[min(from, len(data)):], []byte(" <"))
		if i < 0 {
			return -1
		}
		at := from + i
		from = at + 1
		first := at
		for first > 1 && '0' <= data[first-1] && data[first-1] <= '9' {
			first--
		}
		if first < at && data[first] != '0' && at-first <= mostDigits && isPriority(data[at+1:]) {
			return first
		}
	}
}

// isPriority tells whether data begins with <PRI>.
func isPriority(data []byte) bool {
	for i := 1; i < len(data) && i < 5; i++ {
		if data[i] == '>' {
			return i > 1
		}
		if data[i] < '0' || data[i] > '9' {
			return false
		}
	}
	return false
}

// hidesMessage tells whether a line of data begins like a message of its own.
func hidesMessage(data []byte) bool {
	for {
		i := lineEnd(data)
		if i < 0 {
			return false
		}
		if data = data[i+1:]; len(data) > 0 && data[0] == '<' && isPriority(data) {
			return true
		}
	}
}
