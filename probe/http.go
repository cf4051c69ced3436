package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/musternet/muster"
)

// HTTP says what http and https ask. The zero value gets "/" and takes any status from 200 to 399.
type HTTP struct {
	Path      string // path and query; empty: "/"
	Status    []int  // what is well; empty: 200 to 399
	Body      string // a regular expression that the first MaxBody bytes of the body must match; empty: any
	CAFile    string // PEM file of the authorities that sign the certificate, in the place of the system's
	Insecure  bool   // take any certificate
	Redirects int    // how many redirects to follow, each to a port of the same target; any other is the answer
}

// MaxBody is how much of a body is read, and only where HTTP.Body looks at it.
const MaxBody = 64 << 10

// maxHead bounds status line and headers.
const maxHead = 64 << 10

// web gets one page. It speaks HTTP/1.1 on a connection of its own: a transport of net/http would leave goroutines that
// end a little later. Its RTT is the time from the begin of the connection to the first byte of the answer. It is a
// GET, because many devices know no HEAD.
type web struct {
	base
	HTTP
	path *url.URL
	body *regexp.Regexp
	tls  *tls.Config
}

var _ Prober = (*web)(nil)

func openHTTP(b base, o Options) (Prober, error) {
	w := &web{base: b, HTTP: o.HTTP, tls: &tls.Config{InsecureSkipVerify: o.HTTP.Insecure, NextProtos: []string{"http/1.1"}}}
	if w.Path == "" {
		w.Path = "/"
	}
	path, err := url.ParseRequestURI(w.Path)
	if err != nil || !strings.HasPrefix(w.Path, "/") {
		return nil, fmt.Errorf("probe %s: path %q is none: it begins with /", b.kind.Name, w.Path)
	}
	w.path = path
	if w.body, err = regexp.Compile(w.Body); err != nil {
		return nil, fmt.Errorf("probe %s: body: %w", b.kind.Name, err)
	}
	if w.CAFile != "" {
		if w.tls.RootCAs, err = readAuthorities(w.CAFile); err != nil {
			return nil, fmt.Errorf("probe %s: ca file: %w", b.kind.Name, err)
		}
	}
	return w, nil
}

func readAuthorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}

func (p *web) Probe(ctx context.Context, t Target) muster.Outcome { return p.ask(ctx, t, p.probe) }

func (p *web) probe(ctx context.Context, t Target) (answer, error) {
	if t.Name == "" {
		t.Name = t.Addr.WithZone("").String() // a zone means nothing to the other side
	}
	began := time.Now()
	page := *p.path
	page.Scheme, page.Host = p.kind.Name, hostPort(p.kind.Name, t)
	for hop := 0; ; hop++ {
		a, next, err := p.get(ctx, t, &page, began)
		if err != nil || next == nil || hop == p.Redirects {
			return a, err
		}
		page, t.Port = *next, portOf(next)
	}
}

// hostPort is the Host of a request: the port is named unless it is the scheme's own.
func hostPort(scheme string, t Target) string {
	if u := (&url.URL{Scheme: scheme}); t.Port != portOf(u) {
		return net.JoinHostPort(t.Name, strconv.Itoa(t.Port))
	}
	return strings.TrimSuffix(net.JoinHostPort(t.Name, ""), ":")
}

// portOf is the port that a URL leads to.
func portOf(u *url.URL) int {
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return int(port)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}
