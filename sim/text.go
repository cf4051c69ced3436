package sim

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// A text is what a device prints, cut at the places that differ from device to device or from fetch to fetch.
type text []part

type part struct {
	kind  partKind
	where where
	text  string // of a literal; of anything else what was recorded there
}

// where says whether a part is seen by who asks the device, by who reads the stored configuration, or by both.
type where uint8

const (
	served where = 1 << iota
	stored
	both = served | stored
)

// of says that of all parts of a text.
func (w where) of(t text) text {
	for i := range t {
		t[i].where = w
	}
	return t
}

type partKind uint8

const (
	literal  partKind = iota
	host              // the device's name
	address           // the device's own address
	clock             // hh:mm:ss, another at each fetch
	counter           // a number of as many digits, another at each fetch
	salt              // letters and digits, others at each fetch
	phrase            // a description, which changes may replace
	inserted          // nothing, or what changes and growth put here
	number            // of an inserted section or line
	network           // the first three octets of a network, of an inserted section or line
)

// renderer writes the text of one device at one moment.
type renderer struct {
	device *device
	edits  *edits
	fetch  uint64
	where  where
	n      int // of the inserted section or line
}

func (r renderer) append(dst []byte, t text) []byte {
	for i := range t {
		p := &t[i]
		if p.where&r.where == 0 {
			continue
		}
		if p.kind == literal {
			dst = append(dst, p.text...)
			continue
		}
		dst = r.part(dst, p)
	}
	return dst
}

func (r renderer) part(dst []byte, p *part) []byte {
	d := r.device
	switch p.kind {
	case host:
		return append(dst, d.name...)
	case address:
		return fmt.Appendf(dst, "10.%d.%d.%d", d.index/254/256%256, d.index/254%256, d.index%254+1)
	case clock:
		s := (mix(d.seed+uint64(d.index)) + 61*r.fetch) % 86400
		return fmt.Appendf(dst, "%02d:%02d:%02d", s/3600, s/60%60, s%60)
	case counter:
		return appendCounter(dst, len(p.text), mix(d.seed+uint64(d.index))+7*r.fetch)
	case salt:
		return appendSalt(dst, p.text, mix(d.seed+uint64(d.index))+r.fetch)
	case phrase:
		return appendPhrase(dst, p.text, r.edits.described)
	case number:
		return strconv.AppendInt(dst, int64(r.n), 10)
	case network:
		dst = append(dst, "10."...)
		dst = strconv.AppendInt(dst, int64(16+(d.index+r.n/256)%200), 10)
		dst = append(dst, '.')
		return strconv.AppendInt(dst, int64(r.n%256), 10)
	default:
		return r.inserted(dst)
	}
}

// inserted writes the lines that changes have added and the sections that growth has.
func (r renderer) inserted(dst []byte) []byte {
	syntax := r.device.script.syntax
	for _, r.n = range r.edits.lines {
		dst = r.append(dst, syntax.line)
	}
	for r.n = firstSection; r.n < firstSection+r.device.grown; r.n++ {
		dst = r.append(dst, syntax.section)
	}
	return dst
}

// appendCounter writes a number of so many digits that another n makes another one.
func appendCounter(dst []byte, digits int, n uint64) []byte {
	digits = min(digits, 18)
	low := uint64(1)
	for range digits - 1 {
		low *= 10
	}
	return strconv.AppendUint(dst, low+n%(9*low), 10)
}

// appendSalt writes a value as long as the recorded one, with other letters and digits.
func appendSalt(dst []byte, recorded string, n uint64) []byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for i := range len(recorded) {
		c := recorded[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			c = letters[mix(n+uint64(i)<<32)%uint64(len(letters))]
		}
		dst = append(dst, c)
	}
	return dst
}

// appendPhrase writes the n-th text of a description. Where the recorded one is a single word it stays one.
func appendPhrase(dst []byte, recorded string, n int) []byte {
	if n == 0 {
		return append(dst, recorded...)
	}
	phrases := [...]string{"uplink to core", "moved to panel", "reserved for site", "patched in rack"}
	phrase := phrases[n%len(phrases)] + " " + strconv.Itoa(n)
	if !strings.Contains(recorded, " ") {
		phrase = strings.ReplaceAll(phrase, " ", "-")
	}
	return append(dst, phrase...)
}

// mix spreads a number over all 64 bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// appendCRLF appends text as a terminal gets it.
func appendCRLF(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), '\r', '\n')
		text = text[i+1:]
	}
}
