package logwatch

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/musternet/muster"
	"github.com/musternet/muster/syslog"
)

// about is what is known of a message beside what it says.
type about struct {
	sender  *sender
	flags   []string
	noise   string
	missing int
}

// lineOf is a message as people and the archive have it.
func lineOf(m *syslog.Message, a about) muster.LogLine {
	l := muster.LogLine{
		Received: m.Received, Source: plain(m.Source.Addr()), Transport: string(m.Transport), Peer: text(m.Peer), Device: a.sender.name(),
		Flags: a.flags, Host: text(m.Host), Relay: text(m.Relay), Time: m.Time, TimeQuality: m.Quality.String(),
		Facility: m.Facility.String(), Severity: m.Severity.String(), App: text(m.App), ProcID: text(m.ProcID),
		Mnemonic: text(mnemonic(m)), Counter: m.Counter, Sequence: m.Sequence, Noise: a.noise, Missing: a.missing,
		Message: text(m.Text), Raw: text(m.Raw), Format: string(m.Format),
	}
	if !utf8.Valid(m.Raw) {
		l.RawBytes = []byte(string(m.Raw))
	}
	return l
}

// text makes bytes UTF-8, as package json does: each byte that is none is U+FFFD.
func text[T []byte | string](b T) string {
	s := string(b)
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// mnemonic is the word for the kind of a message.
func mnemonic(m *syslog.Message) []byte {
	if len(m.Mnemonic) > 0 {
		return m.Mnemonic
	}
	return m.MsgID
}

// encoder writes messages as lines of JSON: what package json makes of their LogLine, at a tenth of its cost.
type encoder struct {
	received, sent stamp
}

// append appends the line of a message. It is ASCII and printable text, and nothing that moves a cursor: what else the message
// has is escaped.
func (e *encoder) append(b []byte, m *syslog.Message, a about) []byte {
	b = append(b, `{"received":"`...)
	b = e.received.append(b, m.Received)
	b = append(b, '"')
	b = append(b, a.sender.source...)
	b = optional(b, `,"transport":`, m.Transport)
	b = optional(b, `,"peer":`, m.Peer)
	b = append(b, a.sender.deviceKey...)
	if len(a.flags) > 0 {
		b = append(b, `,"flags":["`...)
		for i, f := range a.flags {
			if i > 0 {
				b = append(b, `","`...)
			}
			b = append(b, f...)
		}
		b = append(b, `"]`...)
	}
	b = quote(append(b, `,"host":`...), m.Host)
	b = optional(b, `,"relay":`, m.Relay)
	if !m.Time.IsZero() {
		b = append(b, `,"time":"`...)
		b = e.sent.append(b, m.Time)
		b = append(b, '"')
	}
	b = append(b, `,"time_quality":"`...)
	b = m.Quality.AppendTo(b)
	b = append(append(b, `","facility":"`...), m.Facility.String()...)
	b = append(append(b, `","severity":"`...), m.Severity.String()...)
	b = quote(append(b, `","app":`...), m.App)
	b = optional(b, `,"procid":`, m.ProcID)
	b = quote(append(b, `,"mnemonic":`...), mnemonic(m))
	b = number(b, `,"counter":`, m.Counter)
	b = number(b, `,"sequence":`, m.Sequence)
	b = optional(b, `,"noise":`, a.noise)
	b = number(b, `,"missing":`, uint64(a.missing))
	b = quote(append(b, `,"message":`...), m.Text)
	b = quote(append(b, `,"raw":`...), m.Raw)
	if !isASCII(m.Raw) && !utf8.Valid(m.Raw) {
		b = append(b, `,"raw_bytes":"`...)
		b = base64.StdEncoding.AppendEncode(b, m.Raw)
		b = append(b, '"')
	}
	b = append(append(b, `,"format":"`...), m.Format...)
	return append(b, "\"}\n"...)
}

// optional appends a text that is left out when it is empty.
func optional[T ~string | ~[]byte](b []byte, key string, value T) []byte {
	if len(value) == 0 {
		return b
	}
	return quote(append(b, key...), value)
}

// number appends a number that is left out when it is 0.
func number(b []byte, key string, n uint64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendUint(append(b, key...), n, 10)
}

// quote appends a text in quotation marks.
func quote[T ~string | ~[]byte](b []byte, s T) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		n := plainLen(s)
		b = append(b, s[:n]...)
		if s = s[n:]; len(s) == 0 {
			break
		}
		r, size := decodeRune(s)
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == utf8.RuneError:
			b = append(b, `\ufffd`...)
		case unicode.IsPrint(r):
			b = append(b, s[:size]...)
		default:
			b = appendEscape(b, r)
		}
		s = s[size:]
	}
	return append(b, '"')
}

// decodeRune reads one character; what is none, and what stands for one that is none, is utf8.RuneError.
func decodeRune[T ~string | ~[]byte](s T) (rune, int) {
	var first [utf8.UTFMax]byte
	return utf8.DecodeRune(first[:copy(first[:], s)])
}

func appendEscape(b []byte, r rune) []byte {
	if r > 0xFFFF {
		high, low := (r-0x10000)>>10+0xD800, (r-0x10000)&0x3FF+0xDC00
		return appendEscape(appendEscape(b, high), low)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

const (
	each   = 0x0101010101010101
	topBit = 0x8080808080808080
)

// plainLen is how many bytes at the beginning of s stand for themselves: printable ASCII but for " and \. It looks at eight
// bytes at a time, and counts at most up to the first of eight among which one does not.
func plainLen[T ~string | ~[]byte](s T) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := load(s[i : i+8])
		quoted, slashed, del := w^(each*'"'), w^(each*'\\'), w^(each*0x7f)
		odd := w | (w - each*0x20) | (quoted - each) | (slashed - each) | (del - each)
		// A byte that is not odd can look so because of a borrow from the one before it, which is odd then: the first is right.
		if odd &= topBit; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

func load[T ~string | ~[]byte](s T) uint64 {
	var w [8]byte
	copy(w[:], s)
	return binary.LittleEndian.Uint64(w[:])
}

// isASCII tells whether there is no byte above 0x7f.
func isASCII(b []byte) bool {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&topBit != 0 {
			return false
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// stamp writes times, most of which are in the second of the one before.
type stamp struct {
	second int64
	text   []byte // 2026-11-29T04:08:48
}

func (s *stamp) append(b []byte, t time.Time) []byte {
	if second := t.Unix(); second != s.second || len(s.text) == 0 {
		s.second = second
		s.text = t.UTC().AppendFormat(s.text[:0], "2006-01-02T15:04:05")
	}
	b = append(b, s.text...)
	if ns := t.Nanosecond(); ns > 0 {
		b = append(b, '.')
		for digit := 100_000_000; ns > 0; digit /= 10 {
			b = append(b, byte('0'+ns/digit))
			ns %= digit
		}
	}
	return append(b, 'Z')
}
