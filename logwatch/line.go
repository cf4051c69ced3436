package logwatch

import (
	"bytes"
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
	b = optional(b, `,"transport":`, []byte(m.Transport))
	b = optional(b, `,"peer":`, []byte(m.Peer))
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
	b = optional(b, `,"noise":`, []byte(a.noise))
	b = number(b, `,"missing":`, uint64(a.missing))
	b = appendTexts(b, m)
	b = append(append(b, `,"format":"`...), m.Format...)
	return append(b, "\"}\n"...)
}

// appendTexts appends what the message says, and all of it as it came. Of that, what it says is most, and is escaped only once.
func appendTexts(b []byte, m *syslog.Message) []byte {
	b = append(b, `,"message":"`...)
	from := len(b)
	b = escape(b, m.Text)
	to := len(b)
	b = append(b, `","raw":"`...)
	raw := len(b)
	if before, after, ok := around(m.Raw, m.Text); ok {
		b = escape(b, before)
		b = append(b, b[from:to]...)
		b = escape(b, after)
	} else {
		b = escape(b, m.Raw)
	}
	// A byte that is no UTF-8 becomes six.
	same := len(b)-raw == len(m.Raw)
	b = append(b, '"')
	if !same && !utf8.Valid(m.Raw) {
		b = append(b, `,"raw_bytes":"`...)
		b = base64.StdEncoding.AppendEncode(b, m.Raw)
		b = append(b, '"')
	}
	return b
}

// around returns what is before and after a part of a text, if the part lies in the memory of the text and can be escaped apart
// from what is around it.
func around(text, part []byte) (before, after []byte, ok bool) {
	at := cap(text) - cap(part)
	if len(part) == 0 || at < 0 || at+len(part) > len(text) || &text[at] != &part[0] {
		return nil, nil, false
	}
	before, after = text[:at], text[at+len(part):]
	return before, after, utf8.RuneStart(part[0]) && (len(after) == 0 || utf8.RuneStart(after[0]))
}

// optional appends a text that is left out when it is empty.
func optional(b []byte, key string, value []byte) []byte {
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
func quote(b, s []byte) []byte { return append(escape(append(b, '"'), s), '"') }

// escape appends a text as it stands between quotation marks.
func escape(b, s []byte) []byte {
	for len(s) > 0 {
		n := plainLen(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			break
		}
		s = s[n:]
		r, size := utf8.DecodeRune(s)
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == utf8.RuneError: // what is no character, and what stands for one
			b = append(b, `\ufffd`...)
		case unicode.IsPrint(r):
			b = append(b, s[:size]...)
		default:
			b = appendEscape(b, r)
		}
		s = s[size:]
	}
	return b
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
// bytes at a time.
func plainLen(s []byte) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		// The top bit of a byte says that it is not plain. It can be wrong because of a carry or borrow of the byte before, which is
		// not plain then: the first is right.
		odd := (w | (w - each*0x20) | (w + each) | (w ^ each*'"' - each) | (w ^ each*'\\' - each)) & topBit
		if odd != 0 {
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
	if ns := uint32(t.Nanosecond()); ns > 0 {
		fraction := [10]byte{'.'}
		for i, part := range [...]uint32{ns / 1e6, ns / 1e3 % 1e3, ns % 1e3} {
			fraction[3*i+1], fraction[3*i+2], fraction[3*i+3] = '0'+byte(part/100), '0'+byte(part/10%10), '0'+byte(part%10)
		}
		b = append(b, bytes.TrimRight(fraction[:], "0")...)
	}
	return append(b, 'Z')
}
