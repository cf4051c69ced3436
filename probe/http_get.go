package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/musternet/muster"
)

// get asks for one page on a connection of its own. next is where a redirect leads that may be followed.
func (p *web) get(ctx context.Context, t Target, page *url.URL, began time.Time) (a answer, next *url.URL, err error) {
	conn, release, rtt, err := p.connect(ctx, "tcp", t)
	if err != nil {
		return answer{rtt: rtt}, nil, err
	}
	defer release()
	if page.Scheme == "https" {
		if conn, err = p.secure(ctx, conn, t.Name); err != nil {
			return answer{rtt: rtt}, nil, err
		}
	}
	in, err := request(ctx, conn, page)
	if err != nil {
		return answer{rtt: rtt}, nil, err
	}
	a.rtt = time.Since(began)
	res, err := readResponse(ctx, in, page.Host)
	if err != nil {
		return a, nil, err
	}
	a.detail = res.Proto + " " + res.Status
	if next = redirect(res, page); next != nil && p.Redirects > 0 {
		return a, next, nil
	}
	return a, nil, p.judge(ctx, res)
}

// secure puts TLS on a connection. It is never closed as such: the connection below is, and no goodbye is waited for.
func (p *web) secure(ctx context.Context, conn net.Conn, name string) (net.Conn, error) {
	c := p.tls.Clone()
	c.ServerName = name
	secured := tls.Client(conn, c)
	err := secured.Handshake()
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case err == nil:
		return secured, nil
	case plain:
		return nil, failf(muster.StageHandshake, "wrong-answer", "what answers does not speak TLS")
	case codeOf(ctx, err) != "", isEnd(err):
		return nil, talkError(ctx, muster.StageHandshake, err, "TLS with "+name)
	}
	return nil, fail(muster.StageHandshake, "wrong-answer", err)
}

// isEnd tells the end of a connection from what was said on it.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

// inbox is what comes on a connection, up to a bound.
type inbox struct {
	*bufio.Reader
	left *io.LimitedReader
}

// request asks for a page and waits for the first byte of the answer.
func request(ctx context.Context, conn net.Conn, page *url.URL) (*inbox, error) {
	var text bytes.Buffer
	ask := &http.Request{Method: http.MethodGet, URL: page, Close: true, Header: http.Header{"User-Agent": {"muster"}, "Accept": {"*/*"}}}
	if err := ask.Write(&text); err != nil {
		return nil, fail(muster.StageResolve, "unknown-host", err) // a Name that is none
	}
	if _, err := conn.Write(text.Bytes()); err != nil {
		return nil, talkError(ctx, muster.StageCommand, err, "get "+page.String())
	}
	left := &io.LimitedReader{R: conn, N: maxHead + MaxBody}
	in := &inbox{bufio.NewReader(left), left}
	if _, err := in.Peek(1); err != nil {
		return nil, talkError(ctx, muster.StageCommand, err, "get "+page.String())
	}
	return in, nil
}

// readResponse reads up to the body. Interim answers (1xx) are passed over.
func readResponse(ctx context.Context, in *inbox, host string) (*http.Response, error) {
	said, _ := in.Peek(min(in.Buffered(), maxQuote))
	if n := min(len(said), len("HTTP/")); string(said[:n]) != "HTTP/"[:n] {
		return nil, failf(muster.StageCommand, "wrong-answer", "what answers does not speak HTTP: it said %s", quote(string(said)))
	}
	for {
		res, err := http.ReadResponse(in.Reader, nil)
		switch {
		case err == nil && (res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols):
			return res, nil
		case err == nil:
		case in.left.N == 0:
			return nil, failf(muster.StageCommand, "wrong-answer", "%s sends headers without end", host)
		case codeOf(ctx, err) != "", isEnd(err):
			return nil, talkError(ctx, muster.StageCommand, err, "read the answer of "+host)
		default:
			return nil, fail(muster.StageCommand, "wrong-answer", err)
		}
	}
}

// redirect is where an answer leads on the same target; nil: nowhere, or elsewhere.
func redirect(res *http.Response, page *url.URL) *url.URL {
	where := res.Header.Get("Location")
	if res.StatusCode < 300 || res.StatusCode > 399 || where == "" {
		return nil
	}
	next, err := page.Parse(where)
	if err != nil || next.Hostname() != page.Hostname() || next.Scheme != "http" && next.Scheme != "https" {
		return nil
	}
	return next
}

// judge tells whether an answer is as it should be.
func (p *web) judge(ctx context.Context, res *http.Response) error {
	well := slices.Contains(p.Status, res.StatusCode)
	if len(p.Status) == 0 {
		well = res.StatusCode >= 200 && res.StatusCode <= 399
	}
	if !well {
		return failf(muster.StageCommand, "wrong-answer", "it answered %s", quote(res.Status))
	}
	if p.Body == "" {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBody))
	switch {
	case p.body.Match(body):
		return nil
	case err != nil:
		return talkError(ctx, muster.StageCommand, err, "read the body")
	}
	return failf(muster.StageCommand, "wrong-answer", "the first %d bytes of the body do not match %s", len(body), quote(p.Body))
}
