package session

import (
	"bytes"
	"fmt"
	"strings"
)

// fail ends the session with an error, which gets the transcript.
func (s *shell) fail(t *talk, e *Error) error {
	s.watch.kill(e)
	return s.withScript(s.watch.err())
}

func (s *shell) withScript(e *Error) error {
	c := *e
	if c.Transcript == nil {
		c.Transcript = s.script.render()
	}
	return &c
}

// lost explains why nothing comes any more.
func (s *shell) lost(t *talk) error {
	if why := s.watch.err(); why != nil {
		return s.explain(t, why)
	}
	if s.ended != nil {
		if e := s.ended(s.screen.buf); e != nil {
			return s.withScript(e)
		}
	}
	e := failf(t.stage, "connection-lost", "the device ended the session%s after %d bytes", ofCommand(t.cmd), t.got)
	if last := strings.TrimSpace(string(s.screen.last())); last != "" {
		e = failf(t.stage, "connection-lost", "the device ended the session%s after %d bytes, at: %s", ofCommand(t.cmd), t.got, s.words.quote(s.screen.last()))
	}
	if t.stage == stagePrompt {
		if said := s.screen.buf; refusedForLoad.Match(said) {
			e = failf(t.stage, "login-refused", "the device ended the session at once: %s", s.words.quote(lastLines(said)))
		}
	}
	return s.fail(t, e)
}

// explain adds to a timeout what the device said last, without which nobody can tell a wrong prompt from a hang.
func (s *shell) explain(t *talk, why *Error) error {
	e := *why
	if e.Code == "timeout" {
		last := s.screen.last()
		switch {
		case t.got == 0:
			e.Err = fmt.Errorf("%w%s; the device sent nothing", e.Err, ofCommand(t.cmd))
		default:
			e.Err = fmt.Errorf("%w%s; the last line is %s", e.Err, ofCommand(t.cmd), s.words.quote(last))
			if t.stage == stagePrompt && e.Stage == stagePrompt {
				e.Code = "no-prompt"
			}
		}
	}
	return s.withScript(&e)
}

func ofCommand(cmd string) string {
	if cmd == "" {
		return ""
	}
	return " in " + quote(cmd)
}

// lastLines returns the end of a text, for an error.
func lastLines(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return text[max(0, len(text)-maxQuote):]
}
