package logfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/musternet/muster"
)

// decode reads a line as encoding/json does. That costs a sixth of it for a line as the archive's writers write it; any other
// line is left to encoding/json.
func decode(line []byte) (l muster.LogLine, err error) {
	r := reader{line: line}
	if r.object(&l) {
		return l, nil
	}
	l = muster.LogLine{}
	err = json.Unmarshal(line, &l)
	return l, err
}

// reader reads a flat object: no spaces between its parts, each member once and of the kind it should be.
type reader struct {
	line []byte
	text string // the line once more: the texts of a LogLine are parts of it
	at   int
	seen uint32 // bits of the members that came
	bad  bool   // it is something else
}

func (r *reader) object(l *muster.LogLine) bool {
	if !isPlainText(r.line) {
		return false
	}
	r.text = string(r.line)
	r.take('{')
	for !r.bad {
		name := r.name()
		r.take(':')
		r.value(l, name)
		if r.at < len(r.line) && r.line[r.at] == ',' {
			r.at++
			continue
		}
		break
	}
	r.take('}')
	return !r.bad && r.at == len(r.line)
}

// isPlainText tells whether a line is UTF-8 without control characters: then no part of it has to be looked at for that.
func isPlainText(line []byte) bool {
	const ones = 0x0101010101010101
	rest := line
	for ; len(rest) >= 8; rest = rest[8:] {
		x := binary.LittleEndian.Uint64(rest)
		if (x-' '*ones)&^x&(0x80*ones) != 0 { // a byte below the space, in any of eight
			return false
		}
	}
	for _, c := range rest {
		if c < ' ' {
			return false
		}
	}
	return utf8.Valid(line)
}

// take reads one character.
func (r *reader) take(c byte) {
	if r.bad || r.at >= len(r.line) || r.line[r.at] != c {
		r.bad = true
		return
	}
	r.at++
}

// quoted finds a text.
func (r *reader) quoted() (from, to int, escaped bool) {
	r.take('"')
	if r.bad {
		return 0, 0, false
	}
	n, escaped := textEnd(r.line[r.at:])
	if n < 0 {
		r.bad = true
		return 0, 0, false
	}
	from = r.at
	r.at += n + 1
	return from, from + n, escaped
}

func (r *reader) name() string {
	from, to, escaped := r.quoted()
	r.bad = r.bad || escaped
	return r.text[from:to]
}

func (r *reader) string() string {
	from, to, escaped := r.quoted()
	if !escaped {
		return r.text[from:to]
	}
	text, ok := unescape(make([]byte, 0, to-from), r.line[from:to])
	r.bad = r.bad || !ok
	return string(text)
}

func (r *reader) number(bits int) uint64 {
	from := r.at
	for r.at < len(r.line) && '0' <= r.line[r.at] && r.line[r.at] <= '9' {
		r.at++
	}
	n, err := strconv.ParseUint(r.text[from:r.at], 10, bits)
	if err != nil || r.line[from] == '0' && r.at > from+1 {
		r.bad = true
	}
	return n
}

func (r *reader) time() (t time.Time) {
	from, to, escaped := r.quoted()
	if escaped || t.UnmarshalText(r.line[from:to]) != nil {
		r.bad = true
	}
	return t
}

func (r *reader) addr() (a netip.Addr) {
	from, to, escaped := r.quoted()
	if escaped || a.UnmarshalText(r.line[from:to]) != nil {
		r.bad = true
	}
	return a
}

func (r *reader) strings() (all []string) {
	r.take('[')
	for !r.bad {
		all = append(all, r.string())
		if r.at < len(r.line) && r.line[r.at] == ',' {
			r.at++
			continue
		}
		break
	}
	r.take(']')
	return all
}

// value reads the value of a member. A member that came before is left to encoding/json, and so are bytes, which are rare.
func (r *reader) value(l *muster.LogLine, name string) {
	if r.bad {
		return
	}
	bit := uint32(0)
	switch name {
	case "received":
		bit, l.Received = 1<<0, r.time()
	case "source":
		bit, l.Source = 1<<1, r.addr()
	case "transport":
		bit, l.Transport = 1<<2, r.string()
	case "device":
		bit, l.Device = 1<<3, r.string()
	case "flags":
		bit, l.Flags = 1<<4, r.strings()
	case "host":
		bit, l.Host = 1<<5, r.string()
	case "relay":
		bit, l.Relay = 1<<6, r.string()
	case "time":
		bit, l.Time = 1<<7, r.time()
	case "time_quality":
		bit, l.TimeQuality = 1<<8, r.string()
	case "facility":
		bit, l.Facility = 1<<9, r.string()
	case "severity":
		bit, l.Severity = 1<<10, r.string()
	case "app":
		bit, l.App = 1<<11, r.string()
	case "procid":
		bit, l.ProcID = 1<<12, r.string()
	case "mnemonic":
		bit, l.Mnemonic = 1<<13, r.string()
	case "counter":
		bit, l.Counter = 1<<14, r.number(64)
	case "sequence":
		bit, l.Sequence = 1<<15, r.number(64)
	case "noise":
		bit, l.Noise = 1<<16, r.string()
	case "missing":
		bit, l.Missing = 1<<17, int(r.number(strconv.IntSize-1))
	case "message":
		bit, l.Message = 1<<18, r.string()
	case "raw":
		bit, l.Raw = 1<<19, r.string()
	case "peer":
		bit, l.Peer = 1<<21, r.string()
	case "format":
		bit, l.Format = 1<<20, r.string()
	}
	r.bad = r.bad || bit == 0 || r.seen&bit != 0
	r.seen |= bit
}

// unescape appends a text that JSON escapes to dst. It fails where encoding/json would fail or would put something in the place
// of what cannot be: half a pair of surrogates.
func unescape(dst, text []byte) (out []byte, ok bool) {
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(dst, text...), true
		}
		dst = append(dst, text[:i]...)
		text = text[i+1:]
		if len(text) == 0 {
			return dst, false
		}
		c := text[0]
		text = text[1:]
		if c == 'u' {
			if dst, text, ok = unescapeRune(dst, text); !ok {
				return dst, false
			}
			continue
		}
		n := bytes.IndexByte([]byte(`"\/bfnrt`), c)
		if n < 0 {
			return dst, false
		}
		dst = append(dst, "\"\\/\b\f\n\r\t"[n])
	}
	return dst, true
}

func unescapeRune(dst, text []byte) (out, rest []byte, ok bool) {
	r, ok := hex4(text)
	if !ok {
		return dst, text, false
	}
	text = text[4:]
	if utf16.IsSurrogate(r) {
		if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
			return dst, text, false
		}
		second, ok := hex4(text[2:])
		if r = utf16.DecodeRune(r, second); !ok || r == utf8.RuneError {
			return dst, text, false
		}
		text = text[6:]
	}
	return utf8.AppendRune(dst, r), text, true
}

func hex4(text []byte) (r rune, ok bool) {
	if len(text) < 4 {
		return 0, false
	}
	for _, c := range text[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
