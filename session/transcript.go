package session

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// words are the secrets of a session: whatever is shown of it leaves them out. They are shared by the login, which
// adds them, and the transcript.
type words struct {
	mu   sync.Mutex
	list []string
	mask func([]byte) []byte
}

// masked stands where a secret was.
const masked = "***"

// add keeps a secret; very short ones would mask half of every text and protect nothing.
func (w *words) add(secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(secret) >= 3 && !slices.Contains(w.list, secret) {
		w.list = append(w.list, secret)
		slices.SortFunc(w.list, func(a, b string) int { return len(b) - len(a) })
	}
}

// hide replaces secrets in text, then applies the caller's mask.
func (w *words) hide(text []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, secret := range w.list {
		text = bytes.ReplaceAll(text, []byte(secret), []byte(masked))
	}
	if w.mask != nil {
		text = w.mask(text)
	}
	return text
}

// quote shows a piece of what a device sent inside an error.
func (w *words) quote(line []byte) string {
	return quote(string(w.hide(bytes.Clone(line))))
}

// transcript keeps the end of a conversation.
type transcript struct {
	words *words
	buf   []byte
	parts []part // of buf, alternating
	cut   bool   // the beginning is gone
}

type part struct {
	bytes int
	sent  bool
}

// maxTranscript is how much is kept.
const maxTranscript = 16 << 10

func (t *transcript) received(b []byte) { t.note(b, false) }

func (t *transcript) sent(text string, hidden bool) {
	if hidden {
		t.words.add(strings.TrimRight(text, "\r\n"))
		text = masked
	}
	t.note([]byte(text), true)
}

func (t *transcript) note(b []byte, sent bool) {
	if len(b) > maxTranscript {
		b, t.cut = b[len(b)-maxTranscript:], true
		t.buf, t.parts = t.buf[:0], t.parts[:0]
	}
	if over := len(t.buf) + len(b) - maxTranscript; over > 0 {
		t.drop(over)
	}
	if need := len(t.buf) + len(b); need > cap(t.buf) {
		t.buf = append(make([]byte, 0, min(max(need, 2*cap(t.buf)), maxTranscript)), t.buf...)
	}
	t.buf = append(t.buf, b...)
	if n := len(t.parts); n > 0 && t.parts[n-1].sent == sent && !sent {
		t.parts[n-1].bytes += len(b)
		return
	}
	t.parts = append(t.parts, part{len(b), sent})
}

func (t *transcript) drop(n int) {
	t.cut = true
	n = min(n, len(t.buf))
	t.buf = append(t.buf[:0], t.buf[n:]...)
	for n > 0 && len(t.parts) > 0 {
		if take := min(n, t.parts[0].bytes); take < t.parts[0].bytes {
			t.parts[0].bytes -= take
			return
		}
		n -= t.parts[0].bytes
		t.parts = append(t.parts[:0], t.parts[1:]...)
	}
}

// calm is called when all is well: what led there interests nobody in full any more, and a thousand sessions should
// not hold it.
func (t *transcript) calm() {
	if cap(t.buf) <= 2*keepTranscript {
		return
	}
	if over := len(t.buf) - keepTranscript; over > 0 {
		t.drop(over)
	}
	t.buf = bytes.Clone(t.buf)
	t.parts = slices.Clone(t.parts)
}

// keepTranscript is how much of it outlives a command that went well.
const keepTranscript = 2 << 10

// render returns the conversation as text for a terminal: what was sent stands on lines of its own behind ">>> ", no
// byte of it controls anything, and no secret is in it. A first line that was cut is left out: half of a secret could
// not be recognised.
func (t *transcript) render() []byte {
	var out strings.Builder
	rest := t.buf
	for _, p := range t.parts {
		text := string(rest[:p.bytes])
		rest = rest[p.bytes:]
		if p.sent {
			if out.Len() > 0 {
				out.WriteByte('\n')
			}
			text = ">>> " + strings.TrimRight(text, "\r\n") + "\n"
		}
		writeLines(&out, text)
	}
	text := out.String()
	if t.cut {
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			text = text[i+1:]
		}
		text = "...\n" + text
	}
	if text == "" {
		return nil
	}
	return t.words.hide([]byte(text))
}

func writeLines(out *strings.Builder, text string) {
	for line := range strings.Lines(text) {
		body := strings.TrimRight(line, "\r\n")
		out.WriteString(strings.ReplaceAll(printable(body, 4096), `\x09`, "\t"))
		if strings.HasSuffix(line, "\n") {
			out.WriteByte('\n')
		}
	}
}
