package session

import (
	"bytes"
	"strconv"
)

// screen undoes a terminal: it takes the bytes a device sends to one and keeps the text that a person would read,
// LF lines, every byte that is not terminal control as it came. Only the last line can still change, so it costs the
// same for each byte however long the output is.
//
// Two bytes that cannot be in the text mark cells of the last line: NUL and DEL, which terminals ignore.
type screen struct {
	buf   []byte
	start int  // of the last line
	pos   int  // the cursor, an index of buf on the last line
	dirty bool // the last line has marked cells
	alt   bool // taken over by a full-screen program, a pager perhaps
	reply []byte
	width int

	state  byte   // inside a control sequence: its introducer
	escape bool   // an ESC came inside of a string
	args   []byte // of the sequence
	pager  bool   // a pager stands there and was not wiped yet
	wiping bool   // a pager stood there and no text has come since
	wiped  []byte // its text, and all that stood before it on its line
	at     int    // where in that it began
}

// The marks. A pager's cells vanish; an erased cell is a blank if text follows it and nothing at the end of a line.
const (
	cellPager  = 0x00
	cellErased = 0x7f
)

// maxControl bounds a control sequence; what is longer was none.
const maxControl = 4096

// feed takes bytes and returns how many it used. With stop set it returns behind each end of a line.
func (s *screen) feed(b []byte, stop bool) int {
	for i := 0; i < len(b); {
		if s.state == 0 {
			if n := plainRun(b[i:]); n > 0 {
				s.put(b[i : i+n])
				i += n
				continue
			}
		}
		c := b[i]
		i++
		if c == '\r' && s.state == 0 && i < len(b) && b[i] == '\n' {
			continue // at the end of a line the carriage does not matter
		}
		if s.state != 0 {
			s.control(c)
			continue
		}
		s.special(c)
		if c == '\n' && stop {
			return i
		}
	}
	return len(b)
}

// special is a table: bytes that are neither plain text nor plain text of this terminal.
var specialByte = [256]bool{0: true, 0x07: true, 0x08: true, '\n': true, '\r': true, 0x1b: true, 0x7f: true}

func plainRun(b []byte) int {
	for i, c := range b {
		if specialByte[c] {
			return i
		}
	}
	return len(b)
}

func (s *screen) special(c byte) {
	switch c {
	case '\n':
		s.newline()
	case '\r':
		s.pos = s.start
	case 0x08:
		s.pager = false
		s.pos = max(s.pos-1, s.start)
	case 0x1b:
		s.state = 0x1b
		s.args = s.args[:0]
	}
}

// put writes text at the cursor.
func (s *screen) put(b []byte) {
	if s.wiping {
		b = s.putBlanks(b)
	}
	if s.pos == len(s.buf) {
		s.buf = append(s.buf, b...)
		s.pos = len(s.buf)
		return
	}
	s.pager = false
	for i, c := range b {
		if s.pos == len(s.buf) {
			s.put(b[i:])
			return
		}
		old := s.buf[s.pos]
		if c == ' ' && old != ' ' && old != cellErased {
			c = cellErased
			s.dirty = true
		}
		s.buf[s.pos] = c
		s.pos++
	}
}

// putBlanks writes the blanks with which a device wipes a pager, more of them perhaps than the pager was long, and
// returns the text behind them.
func (s *screen) putBlanks(b []byte) []byte {
	for i, c := range b {
		if c != ' ' {
			s.wiping = false
			return b[i:]
		}
		switch {
		case s.pos == len(s.buf):
			s.buf = append(s.buf, cellErased)
		case s.buf[s.pos] == cellErased:
			s.buf[s.pos] = ' '
		case s.buf[s.pos] == cellPager:
			s.pager = false
			s.buf[s.pos] = cellErased
		}
		s.pos++
		s.dirty = true
	}
	return nil
}

func (s *screen) newline() {
	if s.wiping && s.pager && len(bytes.TrimSpace(s.wiped[:s.at])) > 0 {
		copy(s.buf[s.start:], s.wiped) // behind text, and its line ends as any other: it was none
	}
	s.wiping = false
	if s.dirty {
		wiped := s.pager && len(bytes.Trim(s.buf[s.start:], "\x00 ")) == 0
		s.buf = append(s.buf[:s.start], tidy(s.buf[s.start:])...)
		s.dirty = false
		if wiped { // the device ended the pager's line instead of wiping it
			s.buf, s.pager = s.buf[:s.start], false
			s.begin()
			return
		}
	}
	s.pager = false
	s.buf = append(s.buf, '\n')
	s.begin()
}

func (s *screen) begin() {
	s.start = len(s.buf)
	s.pos = s.start
}

// tidy turns marked cells into what is read: in place, it only shrinks.
func tidy(line []byte) []byte {
	line = bytes.TrimRight(line, "\x00\x7f")
	out := line[:0]
	for _, c := range line {
		switch c {
		case cellPager:
		case cellErased:
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	return out
}

// last returns the last line as it is read now. It is valid until the next call of feed.
func (s *screen) last() []byte {
	line := s.buf[s.start:]
	if !s.dirty {
		return line
	}
	return tidy(bytes.Clone(line))
}

// settle turns the marked cells of the last line into what is read.
func (s *screen) settle() {
	if s.dirty {
		s.buf = append(s.buf[:s.start], tidy(s.buf[s.start:])...)
		s.pos, s.dirty = len(s.buf), false
	}
}

// wipe takes a pager off the last line, from the given byte on; what the device sends to erase it finds its cells.
func (s *screen) wipe(from int) {
	s.settle()
	s.wiped, s.at = append(s.wiped[:0], s.buf[s.start:]...), from
	for i := s.start + from; i < len(s.buf); i++ {
		s.buf[i] = cellPager
	}
	s.pos = len(s.buf)
	s.dirty, s.pager, s.wiping = true, true, true
}

// reset forgets all text and leaves line as the last one.
func (s *screen) reset(line []byte) {
	if cap(s.buf) > keepBuffer {
		s.buf = nil
	}
	s.buf = append(s.buf[:0], line...)
	s.start, s.pos, s.dirty, s.pager, s.wiping = 0, len(s.buf), false, false, false
}

// flush takes the finished lines from the given byte on out of the buffer.
func (s *screen) flush(from int) string {
	text := string(s.buf[from:s.start])
	n := copy(s.buf, s.buf[s.start:])
	s.buf = s.buf[:n]
	s.pos -= s.start
	s.start = 0
	return text
}

// keepBuffer is how much of a buffer survives a command: a thousand idle sessions should hold little.
const keepBuffer = 8 << 10

// control takes one byte of a control sequence.
func (s *screen) control(c byte) {
	if len(s.args) > maxControl {
		s.state = 0
		return
	}
	switch s.state {
	case 0x1b:
		s.escaped(c)
	case '[':
		s.csi(c)
	case '(':
		s.state = 0 // the one byte that names a character set
	default: // a string that ends with BEL or ESC \, or was none
		if c == '\n' {
			s.state = 0
			s.newline()
			return
		}
		s.args = append(s.args, 0)
		if c == 0x07 || s.escape && c == '\\' {
			s.state = 0
		}
		s.escape = c == 0x1b
	}
}

func (s *screen) escaped(c byte) {
	s.state = 0
	switch c {
	case '[':
		s.state = '['
	case ']', 'P', 'X', '^', '_':
		s.state, s.escape = ']', false
	case '(', ')', '*', '+', '#', '%', ' ':
		s.state = '('
	case 'E':
		s.newline()
	case 'Z':
		s.reply = append(s.reply, "\x1b[?1;0c"...)
	case 0x1b:
		s.state = 0x1b
	}
}

func (s *screen) csi(c byte) {
	if c >= 0x40 && c <= 0x7e {
		s.state = 0
		s.command(c)
		return
	}
	if c == 0x1b { // a sequence begun anew
		s.state, s.args = 0x1b, s.args[:0]
		return
	}
	if c >= 0x20 {
		s.args = append(s.args, c)
		return
	}
	if specialByte[c] { // terminals act on these even inside a sequence
		s.special(c)
	}
}

// arg returns the i-th number of a sequence.
func (s *screen) arg(i, fallback int) int {
	for n, f := range bytes.Split(s.args, []byte(";")) {
		if n == i {
			if v, err := strconv.Atoi(string(f)); err == nil && v > 0 {
				return min(v, s.width)
			}
		}
	}
	return fallback
}

// maxLine is how long a line may be for its cells to be moved about: a hostile device could make each of its bytes
// move megabytes.
const maxLine = 8 << 10

// command acts on what changes the text of the last line; colours, modes and the rest have no text.
func (s *screen) command(c byte) {
	if len(s.buf)-s.start > maxLine && c != 'n' && c != 'c' && c != 'h' && c != 'l' {
		return
	}
	switch c {
	case 'C', 'a':
		s.move(s.pos - s.start + s.arg(0, 1))
	case 'D':
		s.pager = false
		s.move(s.pos - s.start - s.arg(0, 1))
	case 'G', '`':
		s.move(s.arg(0, 1) - 1)
	case 'H', 'f':
		s.place()
	case 'E':
		s.newline()
	case 'J':
		s.clear()
	case 'K':
		s.erase()
	case 'P':
		s.delete(s.arg(0, 1))
	case 'X':
		s.blank(s.pos, s.pos+s.arg(0, 1))
	case '@':
		s.insert(s.arg(0, 1))
	case 'h', 'l':
		s.mode(c == 'h')
	case 'n':
		if string(s.args) == "6" {
			s.reply = append(s.reply, "\x1b[24;"+strconv.Itoa(s.width)+"R"...)
		}
	case 'c':
		if len(s.args) == 0 || string(s.args) == "0" {
			s.reply = append(s.reply, "\x1b[?1;0c"...)
		}
	}
}

// move puts the cursor on a column, over blanks where the line is shorter.
func (s *screen) move(col int) {
	col = min(max(col, 0), max(s.width, len(s.buf)-s.start))
	for len(s.buf) < s.start+col {
		s.buf = append(s.buf, cellErased)
		s.dirty = true
	}
	s.pos = s.start + col
}

// place is an absolute position. Rows mean nothing here; the top left corner begins a new screen.
func (s *screen) place() {
	if len(s.args) == 0 || string(s.args) == "1;1" || string(s.args) == ";" {
		if len(s.last()) > 0 && s.alt {
			s.newline()
		}
		s.pos = s.start
		return
	}
	s.move(s.arg(1, 1) - 1)
}

func (s *screen) clear() {
	if len(s.args) > 0 && s.args[0] != '0' {
		s.args = append(s.args[:0], '2')
	}
	s.erase()
}

func (s *screen) erase() {
	s.pager = false
	switch string(s.args) {
	case "", "0":
		s.buf = s.buf[:s.pos]
	case "1":
		s.blank(s.start, s.pos+1)
	case "2":
		s.blank(s.start, len(s.buf))
	}
}

func (s *screen) blank(from, to int) {
	for i := from; i < min(to, len(s.buf)); i++ {
		s.buf[i] = cellErased
		s.dirty = true
	}
}

func (s *screen) delete(n int) {
	n = min(n, len(s.buf)-s.pos)
	s.buf = append(s.buf[:s.pos], s.buf[s.pos+n:]...)
}

func (s *screen) insert(n int) {
	n = min(n, max(0, s.width-(len(s.buf)-s.start)))
	tail := bytes.Clone(s.buf[s.pos:])
	s.buf = s.buf[:s.pos]
	for range n {
		s.buf = append(s.buf, cellErased)
	}
	s.buf = append(s.buf, tail...)
	s.dirty = true
}

func (s *screen) mode(on bool) {
	switch string(s.args) {
	case "?1", "?47", "?1047", "?1049": // also the cursor keys' mode, all that less asks of a vt100
		s.alt = on
	}
}
