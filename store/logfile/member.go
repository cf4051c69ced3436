package logfile

import (
	"bytes"
	"time"
)

// The members of a line that are looked at before it is decoded. A line is a flat object without spaces between its parts, and
// within a text a quotation mark is escaped: so a comma, a name in quotation marks and a colon are always a member.
var (
	memberReceived = []byte(`"received":"`) // the first one
	memberSource   = []byte(`,"source":"`)
	memberDevice   = []byte(`,"device":"`)
	memberSeverity = []byte(`,"severity":"`)
	memberApp      = []byte(`,"app":"`)
	memberMnemonic = []byte(`,"mnemonic":"`)
	memberRaw      = []byte(`,"raw":"`)
)

// member returns the text of a member as it stands in the line. It is not known where the text is escaped, and empty where
// there is no such member.
func member(line, name []byte) (value []byte, known bool) {
	value, escaped, ok := find(line, name)
	return value, ok && !escaped
}

// memberInto is member for a text that is often escaped: where it is, it is written out to buf.
func memberInto(buf *[]byte, line, name []byte) (value []byte, known bool) {
	value, escaped, ok := find(line, name)
	if !ok || !escaped {
		return value, ok
	}
	*buf, ok = unescape((*buf)[:0], value)
	return *buf, ok
}

func find(line, name []byte) (value []byte, escaped, ok bool) {
	i := bytes.Index(line, name)
	if i < 0 {
		return nil, false, true
	}
	value = line[i+len(name):]
	end, escaped := textEnd(value)
	if end < 0 {
		return nil, false, false
	}
	return value[:end], escaped, true
}

// textEnd returns where the quotation mark is that ends a text, -1 where there is none, and whether anything before it is escaped.
func textEnd(rest []byte) (end int, escaped bool) {
	for {
		n := bytes.IndexByte(rest[end:], '"')
		if n < 0 {
			return -1, false
		}
		end += n
		slashes := 0
		for slashes < end && rest[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return end, bytes.IndexByte(rest[:end], '\\') >= 0
		}
		end++
	}
}

// receivedOf returns when a line was received.
func receivedOf(line []byte) (received time.Time, known bool) {
	value, known := member(line, memberReceived)
	if !known {
		return received, false
	}
	err := received.UnmarshalText(value)
	return received, err == nil
}

// isShaped tells whether bytes, without a line feed, look like a line of the archive.
func isShaped(line []byte) bool {
	return len(line) > 2 && line[len(line)-1] == '}' && line[0] == '{' && bytes.HasPrefix(line[1:], memberReceived)
}
