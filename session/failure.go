package session

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The stages of a session, the words of Error.Stage.
const (
	stageResolve   = "resolve"
	stageConnect   = "connect"
	stageBanner    = "banner" // reported as handshake: a table needs no more words, only an own limit
	stageHandshake = "handshake"
	stageHostKey   = "hostkey"
	stageAuth      = "auth"
	stagePrompt    = "prompt"
	stageCommand   = "command"
	stageCanceled  = "canceled"
)

// Error is how a session fails: the stage it was in, a stable code, the cause in words. Stage and Code are the words
// of the product's failure table.
type Error struct {
	Stage      string
	Code       string
	Err        error
	Hint       string // what to try where the code's own advice is not enough
	Transcript []byte // the end of the conversation, masked
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Stage, e.Code, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func failf(stage, code, format string, args ...any) *Error {
	return &Error{Stage: stage, Code: code, Err: fmt.Errorf(format, args...)}
}

func (e *Error) hint(text string) *Error {
	e.Hint = text
	return e
}

// asError returns err as the *Error it is, or as one with the given stage and code.
func asError(err error, stage, code string) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Stage: stage, Code: code, Err: err}
}

// maxQuote bounds what an error repeats of a device's words.
const maxQuote = 200

// printable makes what a device sent fit for one line of a terminal, a log or an error: control bytes and broken UTF-8
// are shown as escapes, long text is cut.
func printable(s string, limit int) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if b.Len() >= limit {
			b.WriteString("...")
			break
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if bad := r == utf8.RuneError && n == 1; bad || r < 0x20 || r >= 0x7f && r < 0xa0 || hidesText(r) {
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// hidesText reports the runes that reorder or hide what stands beside them.
func hidesText(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff
}

// quote is printable in quotation marks, without the blanks around.
func quote(s string) string { return `"` + printable(strings.TrimSpace(s), maxQuote) + `"` }
