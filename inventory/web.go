package inventory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/musternet/muster/secret"
)

const (
	// answerTime bounds one request, askTime all of a source.
	answerTime = time.Minute
	askTime    = 10 * time.Minute
	// maxAnswer bounds one answer; ten thousand devices of NetBox are about as much.
	maxAnswer = 32 << 20
	// maxPages bounds how often a server can say that there is more.
	maxPages = 10_000
)

// web asks one server, and no other.
type web struct {
	base   *url.URL
	client *http.Client
	wire   *http.Transport
	header http.Header
}

// parseURL reads the URL of a source. Its error does not quote it: it may hold a password.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("the URL cannot be read")
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, errors.New("the URL must begin with https:// or http:// and a host")
	case u.User != nil:
		return nil, errors.New("a user and a password do not stand in a URL: say token or headers, by reference")
	}
	return u, nil
}

// shown is a URL without what may be secret, for messages.
func shown(u *url.URL) string {
	s := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return printable(s.String())
}

func shownText(text string) string {
	u, err := parseURL(text)
	if err != nil {
		return "URL"
	}
	return shown(u)
}

// dialWeb makes what a source asks with; no request is sent yet. The secrets of the headers are read here.
func (e *Env) dialWeb(ctx context.Context, spec Spec, base *url.URL) (*web, error) {
	w := &web{base: base, header: http.Header{"Accept": {"application/json"}, "User-Agent": {"muster"}}}
	for name, refs := range spec.Headers {
		text, err := e.reveal(ctx, refs)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		w.header.Set(name, text)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: spec.Insecure}
	if spec.CAFile != "" {
		pool, err := readAuthorities(e.expand(spec.CAFile))
		if err != nil {
			return nil, err
		}
		conf.RootCAs = pool
	}
	w.wire = &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: answerTime, MaxResponseHeaderBytes: 256 << 10,
	}
	w.client = &http.Client{Transport: w.wire, CheckRedirect: w.redirect}
	if spec.Insecure && base.Scheme == "https" {
		e.note(shown(base), 0, "%s", insecureNote)
	}
	if base.Scheme == "http" && (len(spec.Token) > 0 || len(spec.Headers) > 0) && !loopback(base) {
		e.note(shown(base), 0, "the token or the headers go there in clear text: write https://")
	}
	return w, nil
}

const insecureNote = "its certificate is not verified (insecure: true): anybody on the way can read and change what is said"

// reveal reads the secret of references and makes sure that it can stand in a header.
func (e *Env) reveal(ctx context.Context, refs []secret.Ref) (string, error) {
	src, err := e.open(refs...)
	if err != nil {
		return "", err
	}
	s, err := src.Secret(ctx)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(s.Reveal())
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%s: it holds a line break or another control character", src)
	}
	return text, nil
}

func loopback(u *url.URL) bool {
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
}

// readAuthorities reads a PEM file of certificates.
func readAuthorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM form", file)
	}
	return pool, nil
}

// redirect follows to the same server alone: headers of our own would go along.
func (w *web) redirect(to *http.Request, via []*http.Request) error {
	if len(via) > 5 {
		return redirectError("it sends on and on")
	}
	if to.URL.Scheme != w.base.Scheme || !strings.EqualFold(to.URL.Host, w.base.Host) {
		return redirectError("it sends on to " + shown(to.URL) + ": if that is right, make it the url")
	}
	return nil
}

// redirectError says why it is not followed to where a server sends on.
type redirectError string

func (e redirectError) Error() string { return string(e) }

// next returns the URL of the next page. It must be on the same host; scheme and port stay those of the base, for behind a
// proxy a server often does not know its own.
func (w *web) next(at *url.URL, text string) (*url.URL, error) {
	u, err := at.Parse(text)
	if err != nil {
		return nil, errors.New("the URL of the next page cannot be read")
	}
	if !strings.EqualFold(u.Hostname(), w.base.Hostname()) {
		return nil, fmt.Errorf("the next page is on another host, %s: it is not asked", printable(u.Hostname()))
	}
	u.Scheme, u.Host, u.User, u.Fragment = w.base.Scheme, w.base.Host, nil, ""
	return u, nil
}

// get returns what is at a URL of the server. An error names the URL without its query, and quotes nothing that the server
// said: it may repeat a secret.
func (w *web) get(ctx context.Context, u *url.URL) ([]byte, error) {
	one, cancel := context.WithTimeoutCause(ctx, answerTime, fmt.Errorf("no answer within %v", answerTime))
	defer cancel()
	req, err := http.NewRequestWithContext(one, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: the URL cannot be asked", shown(u))
	}
	req.Header = w.header.Clone()
	data, err := w.read(req)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case one.Err() != nil:
		err = context.Cause(one)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown(u), err)
	}
	return data, nil
}

func (w *web) read(req *http.Request) ([]byte, error) {
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, unreached(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", unreached(err))
	}
	if len(data) > maxAnswer {
		return nil, fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)
	}
	return data, nil
}

// unreached says why there is no answer. Of the words of net/http only those of the network and of certificates are told:
// others quote what came, or the URL with its query.
func unreached(err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	var op *net.OpError
	var wrong *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var redirect redirectError
	switch {
	case errors.As(err, &op), errors.As(err, &wrong), errors.As(err, &record), errors.As(err, &redirect), errors.Is(err, http.ErrSchemeMismatch),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	return errors.New("the connection broke, or no web server answers there")
}

// statusError says what to do about a status.
func statusError(status int) error {
	text := fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s: the token or password is wrong, has expired, or may not read this", text)
	case http.StatusNotFound:
		return fmt.Errorf("%s: look at the url", text)
	}
	return errors.New(text)
}

// close leaves no connection behind.
func (w *web) close() { w.wire.CloseIdleConnections() }
