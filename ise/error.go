package ise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// What an *Error can be, for errors.Is.
var (
	ErrNotFound     = errors.New("not found")
	ErrExists       = errors.New("already exists")
	ErrUnauthorized = errors.New("ISE rejects the user name or the password, or ERS is not switched on for the account")
	ErrForbidden    = errors.New("the account's role does not allow this")
	ErrRateLimited  = errors.New("ISE asks to slow down")
	ErrReadOnly     = errors.New("the node is read-only: only the primary PAN takes changes")
	ErrInvalid      = errors.New("invalid request")
	ErrUnavailable  = errors.New("ISE could not answer")
	// ErrUnexpected is an answer that the request does not allow for: a redirect, a create that is not 201, HTML instead of
	// JSON.
	ErrUnexpected = errors.New("unexpected answer")
	// ErrUncertain says that the answer to a change was lost, and that it could not be found out whether it was made.
	ErrUncertain = errors.New("the answer was lost, and whether the change was made is not known")
)

// Error is a request that failed. Its text is one bounded line, and holds neither credentials nor a body.
type Error struct {
	Op       string // "list", "get", "create" and so on
	Resource string // as ERS names it: "endpoint"
	Name     string // the object, where there is one: its id, name or MAC address
	Status   int    // of HTTP; 0 when there was no answer
	Code     string // of ERS: "Resource not found exception"
	Title    string // what ISE says, made one printable line
	Attempts int
	Err      error // one of the errors above, or why there was no answer

	left        time.Time     // when the request left
	sent        bool          // ISE may have got it
	unconnected bool          // no connection came about, for a reason that may pass
	again       bool          // it may have done what it was asked for at an earlier attempt
	html        bool          // the body was no JSON
	retryAfter  time.Duration // as the answer asked for
}

// Error says what was being done, what happened, and what ISE says to it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	for _, word := range []string{e.Resource, e.Name} {
		if word != "" {
			b.WriteString(" " + word)
		}
	}
	b.WriteString(": ")
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "after %d attempts: ", e.Attempts)
	}
	b.WriteString(e.Err.Error())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (%s)", strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))))
	}
	if said := e.said(); said != "" {
		b.WriteString(": " + said)
	}
	return b.String()
}

func (e *Error) said() string {
	if e.Title == "" {
		return e.Code
	}
	return e.Title
}

// Unwrap gives one of this package's errors, or why there was no answer.
func (e *Error) Unwrap() error { return e.Err }

// Lengths of what is shown of a server's words.
const (
	titleLength = 200
	codeLength  = 80
)

// said is what an error body says.
type said struct{ title, code string }

// readSaid finds the words in an error body: ERS's messages, OpenAPI's message, or the title of an HTML page.
func readSaid(body []byte, secrets []string) said {
	s := saidByJSON(body)
	if s == (said{}) {
		s.title = saidByHTML(body)
	}
	return said{title: clip(scrub(s.title, secrets), titleLength), code: clip(scrub(s.code, secrets), codeLength)}
}

func saidByJSON(body []byte) said {
	var e struct {
		ERSResponse struct {
			Messages []struct{ Title, Code, Type string }
		}
		Message string
		Error   json.RawMessage
	}
	if json.Unmarshal(body, &e) != nil && len(e.ERSResponse.Messages) == 0 {
		return said{}
	}
	for _, m := range e.ERSResponse.Messages {
		if m.Title != "" || m.Code != "" {
			return said{m.Title, m.Code}
		}
	}
	var inner struct{ Message string }
	if e.Message == "" && json.Unmarshal(e.Error, &inner) == nil {
		e.Message = inner.Message
	}
	return said{title: e.Message}
}

var (
	htmlTitle   = regexp.MustCompile(`(?is)<title[^>]*>(.{0,400}?)</title`)
	alreadyHere = regexp.MustCompile(`(?i)already exist|is not unique|duplicate`)
	pastTheEnd  = regexp.MustCompile(`(?i)page not exist`)
	readOnly    = regexp.MustCompile(`(?i)read.?only|secondary|not (the )?primary|only (on|allowed on|supported on) (the )?primary`)
)

func saidByHTML(body []byte) string {
	if m := htmlTitle.FindSubmatch(body); m != nil {
		return html.UnescapeString(string(m[1]))
	}
	return ""
}

// isHTML tells HTML, which answers of a gateway and of a wrong password are, from JSON.
func isHTML(h http.Header, body []byte) bool {
	return strings.Contains(h.Get("Content-Type"), "html") || strings.HasPrefix(strings.TrimSpace(string(body[:min(len(body), 64)])), "<")
}

var errRedirect = fmt.Errorf("%w: a redirect, which is not followed", ErrUnexpected)

// meaning says what a status that is no success means, together with what was said.
func meaning(method string, status int, s said) error {
	text := s.title + " " + s.code
	write := method != http.MethodGet
	switch {
	case (status == http.StatusBadRequest || status == http.StatusConflict || status == http.StatusInternalServerError) && write && alreadyHere.MatchString(text):
		return ErrExists
	case status == http.StatusMethodNotAllowed && write,
		status == http.StatusForbidden && write && readOnly.MatchString(text):
		return ErrReadOnly
	case status == http.StatusUnauthorized:
		return ErrUnauthorized
	case status == http.StatusForbidden:
		return ErrForbidden
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status >= 500:
		return ErrUnavailable
	case status >= 400:
		return ErrInvalid
	case status >= 300:
		return errRedirect
	default:
		return ErrUnexpected
	}
}

// ended is the error of what ctx cut short. It matches ctx.Err and the cause of ctx.
func ended(ctx context.Context) error {
	if err, cause := ctx.Err(), context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return context.Cause(ctx)
}
