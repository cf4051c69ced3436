package logfile

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/musternet/muster"
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
	i := bytes.Index(line, name)
	if i < 0 {
		return nil, true
	}
	value = line[i+len(name):]
	end := bytes.IndexByte(value, '"')
	if end < 0 {
		return nil, false
	}
	value = value[:end]
	return value, bytes.IndexByte(value, '\\') < 0
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

// decode reads a whole line.
func decode(line []byte) (l muster.LogLine, err error) {
	err = json.Unmarshal(line, &l)
	return l, err
}
