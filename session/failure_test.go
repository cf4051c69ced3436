package session_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/musternet/muster/session"
)

// wantFailure checks stage and code of an error, and that it is fit to be printed.
func wantFailure(t *testing.T, err error, stage, code string) *session.Error {
	t.Helper()
	var e *session.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v (%T), want a *session.Error %s/%s", err, err, stage, code)
	}
	if e.Stage != stage || e.Code != code {
		t.Fatalf("got %v, want %s/%s", err, stage, code)
	}
	text := e.Error()
	if strings.ContainsFunc(text, unicode.IsControl) || len(text) > 2000 {
		t.Fatalf("not fit to print: %q", text)
	}
	if i := strings.IndexFunc(string(e.Transcript), func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }); i >= 0 {
		t.Fatalf("transcript has control bytes: %q", e.Transcript)
	}
	return e
}
