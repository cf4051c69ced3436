package ise

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// answer is a success.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	secrets []string // of the request
}

// Bounds of what is read.
const (
	bodyLimit  = 16 << 20
	errorLimit = 64 << 10
	valueLimit = 1 << 18 // of a list of nothing, {},{},{}, each takes a hundred times as much in memory
)

// read reads a success, which is JSON as a whole or has been cut off on the way. A page of HTML is a gateway's, which did not pass on the
// request; what a create is told besides its status does not matter.
func (r *request) read(resp *http.Response, secrets []string) (answer, *Error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	failed := r.fail(nil)
	failed.Status, failed.sent = resp.StatusCode, true
	switch {
	case err != nil:
		failed.Err = fmt.Errorf("%w: %w", errTruncated, quoting(err, secrets))
	case len(body) > bodyLimit:
		failed.Err = fmt.Errorf("%w: it is longer than %d MB", ErrUnexpected, bodyLimit>>20)
	case r.method != http.MethodPost && bytes.Count(body, []byte(",")) >= valueLimit:
		failed.Err = fmt.Errorf("%w: it holds more than %d values", ErrUnexpected, valueLimit)
	case r.method == http.MethodPost, r.method != http.MethodGet && len(body) == 0, json.Valid(body):
		return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
	case isHTML(resp.Header, body):
		failed.Err = fmt.Errorf("%w: HTML or XML where JSON is due", ErrUnexpected)
	case cutOff(body):
		failed.Err = errTruncated
	default:
		failed.Err = fmt.Errorf("%w: it is no JSON", ErrUnexpected)
	}
	return answer{}, failed
}

// cutOff says whether JSON stops in the middle, which another attempt may mend. What is wrong before its end stays wrong.
func cutOff(body []byte) bool {
	syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(body, new(json.RawMessage)))
	return ok && syntax.Offset >= int64(len(body))
}

// errTruncated is an answer that stopped in the middle.
var errTruncated = errors.New("the answer was cut off")

// refused makes the error of an answer that is no success.
func (r *request) refused(resp *http.Response, secrets []string) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, errorLimit)) // what came of it is enough
	said := readSaid(body, secrets)
	e := r.fail(meaning(r.method, resp.StatusCode, said))
	e.Status, e.Title, e.Code = resp.StatusCode, said.title, said.code
	e.sent, e.html = true, isHTML(resp.Header, body)
	e.retryAfter = retryAfter(resp.Header)
	return e
}

// longestAfter bounds what a Retry-After can make us wait.
const longestAfter = 30 * time.Second

// retryAfter reads a Retry-After, in seconds or as a date, which is told by the clock of who sent it. ISE itself sends none.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if at, err := http.ParseTime(value); err == nil {
		now, err := http.ParseTime(h.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		return min(max(at.Sub(now), 0), longestAfter)
	}
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // of what is out of range it gives the most
		return 0
	}
	return time.Duration(min(seconds, uint64(longestAfter/time.Second))) * time.Second
}

// lost takes away what net/http puts around an error, and tells what never reached ISE.
func lost(err error, secrets []string) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	err = quoting(err, secrets)
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect") {
		return &unreachable{err}
	}
	return explainTLS(err)
}

// quoted is an error of net/http or crypto/tls, which quote the server: a line that is no header, the names in a certificate.
type quoted struct {
	text string // bounded, printable and without secrets
	err  error
}

func quoting(err error, secrets []string) error {
	text := userinfo.ReplaceAllString(scrub(err.Error(), secrets), "//"+masked+"@")
	return &quoted{clip(text, titleLength), err}
}

// userinfo is where a URL holds credentials, as that of a proxy does.
var userinfo = regexp.MustCompile(`//[^/\s]*@`)

func (q *quoted) Error() string { return q.text }
func (q *quoted) Unwrap() error { return q.err }

// unreachable is a connection that did not come about: nothing was sent.
type unreachable struct{ err error }

func (u *unreachable) Error() string { return "ISE cannot be reached: " + u.err.Error() }
func (u *unreachable) Unwrap() error { return u.err }
