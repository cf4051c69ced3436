package probe_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
)

// webServer answers with a text whatever comes.
func webServer(text string) server {
	return func(_ string, conn net.Conn) {
		if _, err := conn.Read(make([]byte, 4096)); err == nil {
			conn.Write([]byte(text))
		}
	}
}

// certificate signs itself, for the address and the name of the targets. It holds on the clock of a bubble, too.
var certificate = sync.OnceValue(func() tls.Certificate { return newCertificate(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)) })

func newCertificate(until time.Time) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: until,
		IPAddresses: []net.IP{addr.AsSlice(), net.IPv4(127, 0, 0, 1), net.ParseIP("fe80::1")}, DNSNames: []string{"www.example.org"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// authority is a file with that certificate.
func authority(t testing.TB) string { return authorityOf(t, certificate()) }

func authorityOf(t testing.TB, c tls.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// secure puts a server behind TLS.
func secure(serve server) server { return secureBy(serve, certificate) }

func secureBy(serve server, c func() tls.Certificate) server {
	return func(network string, conn net.Conn) {
		serve(network, tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{c()}}))
	}
}

func TestThePageThatIsAskedForIsTheOneGiven(t *testing.T) {
	t.Parallel()
	var got *http.Request
	serve := func(_ string, conn net.Conn) {
		got, _ = http.ReadRequest(bufio.NewReader(conn))
		conn.Write([]byte("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"))
	}
	for _, c := range []struct {
		target probe.Target
		host   string
	}{
		{probe.Target{Addr: addr}, "198.18.0.1"},
		{probe.Target{Addr: addr, Port: 8080}, "198.18.0.1:8080"},
		{probe.Target{Addr: netip.MustParseAddr("fe80::1%eth0")}, "[fe80::1]"},
		{probe.Target{Addr: netip.MustParseAddr("2001:db8::1"), Port: 81}, "[2001:db8::1]:81"},
		{probe.Target{Addr: addr, Port: 443, Name: "www.example.org"}, "www.example.org:443"},
	} {
		o, _ := inBubble(t, "http", probe.Options{Dial: wire(0, serve), HTTP: probe.HTTP{Path: "/health?deep=1"}}, c.target, whole)
		if !o.Up || got == nil || got.Method != "GET" || got.RequestURI != "/health?deep=1" || got.Host != c.host || got.UserAgent() != "muster" || !got.Close {
			t.Errorf("%+v: %+v", o, got)
		}
	}
}

func TestStatusAndBodyAreJudgedAsAsked(t *testing.T) {
	t.Parallel()
	page := "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall is ok"
	for _, c := range []struct {
		name, answer string
		ask          probe.HTTP
		up           bool
		words        string
	}{
		{"a redirect is well", "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example.org/\r\n\r\n", probe.HTTP{Redirects: 3}, true, ""},
		{"a 401 is not", "HTTP/1.1 401 Unauthorized\r\n\r\n", probe.HTTP{}, false, `it answered "401 Unauthorized"`},
		{"a 401 that is expected is well", "HTTP/1.1 401 Unauthorized\r\n\r\n", probe.HTTP{Status: []int{200, 401}}, true, ""},
		{"a 200 is not where a 401 is expected", page, probe.HTTP{Status: []int{401}}, false, `it answered "200 OK"`},
		{"a body that matches is well", page, probe.HTTP{Body: "is (ok|fine)$"}, true, ""},
		{"a body that does not match is not", page, probe.HTTP{Body: "^ok"}, false, `the first 9 bytes of the body do not match "^ok"`},
		{"a match beyond the bound is none", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("a", probe.MaxBody) + "ok", probe.HTTP{Body: "ok"}, false, "the first 65536 bytes"},
		{"a body that is cut off is not", "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nshort", probe.HTTP{Body: "long"}, false, "read the body"},
		{"another protocol is said", "220 ftp ready\r\n", probe.HTTP{}, false, `does not speak HTTP: it said "220 ftp ready\r\n"`},
		{"a status that is no number is not", "HTTP/1.1 okay\r\n\r\n", probe.HTTP{}, false, "malformed"},
		{"an answer that ends in its headers is not", "HTTP/1.1 200 OK\r\nServer: x\r\n", probe.HTTP{}, false, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, _ := inBubble(t, "http", probe.Options{Dial: wire(0, webServer(c.answer)), HTTP: c.ask}, target, whole)
			if o.Up != c.up || !o.Up && !strings.Contains(o.Failure.Err.Error(), c.words) {
				t.Errorf("up is %t: %v", o.Up, o.Failure)
			}
		})
	}
}

func TestHeadersWithoutEndAreCut(t *testing.T) {
	t.Parallel()
	sent := 0
	serve := func(_ string, conn net.Conn) {
		http.ReadRequest(bufio.NewReader(conn))
		line := "HTTP/1.1 200 OK\r\n"
		for sent < 16<<20 {
			n, err := conn.Write([]byte(line))
			if sent += n; err != nil {
				return
			}
			line = "X-Header: " + strings.Repeat("a", 1000) + "\r\n"
		}
	}
	o, _ := inBubble(t, "http", probe.Options{Dial: wire(0, serve)}, target, whole)
	if want(t, o, muster.StageCommand, "wrong-answer"); sent > 256<<10 || !strings.Contains(o.Failure.Err.Error(), "headers without end") {
		t.Errorf("%d bytes were read: %v", sent, o.Failure)
	}
}

func TestAZoneIsNoPartOfAName(t *testing.T) {
	t.Parallel()
	o, _ := inBubble(t, "https", probe.Options{Dial: wire(0, secure(webServer("HTTP/1.1 200 OK\r\n\r\n"))), HTTP: probe.HTTP{CAFile: authority(t)}},
		probe.Target{Addr: netip.MustParseAddr("fe80::1%eth0")}, whole)
	if !o.Up {
		t.Error(o.Failure)
	}
}

func TestABodyThatNeverEndsEndsNoProbe(t *testing.T) {
	t.Parallel()
	serve := func(_ string, conn net.Conn) {
		http.ReadRequest(bufio.NewReader(conn))
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\nevents:\n")
		drain(conn)
	}
	o, took := inBubble(t, "http", probe.Options{Dial: wire(0, serve)}, target, whole)
	if !o.Up || took != 0 {
		t.Errorf("%+v after %s", o, took)
	}
	o, took = inBubble(t, "http", probe.Options{Dial: wire(0, serve), HTTP: probe.HTTP{Body: "none"}}, target, whole)
	if want(t, o, muster.StageCommand, "timeout"); took != target.Timeout {
		t.Errorf("after %s: %v", took, o.Failure)
	}
}

func TestRedirectsAreFollowedOnTheTargetAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, location string
		redirects      int
		detail, dialed string
	}{
		{"not unless asked", "/b", 0, "HTTP/1.1 301 Moved", "80"},
		{"to another page", "/b", 1, "HTTP/1.1 200 OK", "80 80"},
		{"to TLS on the same name", "https://www.example.org/b", 1, "HTTP/1.1 200 OK", "80 443"},
		{"to another port", "http://www.example.org:8080/b", 1, "HTTP/1.1 200 OK", "80 8080"},
		{"not to another name", "http://example.org/b", 1, "HTTP/1.1 301 Moved", "80"},
		{"not to another protocol", "ftp://www.example.org/b", 1, "HTTP/1.1 301 Moved", "80"},
		{"not round and round", "/a", 2, "HTTP/1.1 301 Moved", "80 80 80"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var dialed []string
			page := func(_ string, conn net.Conn) {
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				answer := "HTTP/1.1 301 Moved\r\nLocation: " + c.location + "\r\n\r\n"
				if req.URL.Path == "/b" {
					answer = "HTTP/1.1 200 OK\r\n\r\n"
				}
				conn.Write([]byte(answer))
			}
			dial := func(ctx context.Context, network, to string) (net.Conn, error) {
				_, port, _ := net.SplitHostPort(to)
				dialed = append(dialed, port)
				if port == "443" {
					return wire(0, secure(page))(ctx, network, to)
				}
				return wire(0, page)(ctx, network, to)
			}
			o, _ := inBubble(t, "http", probe.Options{Dial: dial, HTTP: probe.HTTP{Redirects: c.redirects, CAFile: authority(t)}},
				probe.Target{Addr: addr, Name: "www.example.org"}, whole)
			if !o.Up || o.Detail != c.detail || strings.Join(dialed, " ") != c.dialed {
				t.Errorf("%+v (%v), dialed %s", o, o.Failure, dialed)
			}
		})
	}
}

func TestACertificateIsVerifiedUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	expired := newCertificate(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC))
	well := webServer("HTTP/1.1 200 OK\r\n\r\n")
	for _, c := range []struct {
		name   string
		serve  server
		ask    probe.HTTP
		called string
		words  string // empty: up
	}{
		{"by the file of authorities", secure(well), probe.HTTP{CAFile: authority(t)}, "www.example.org", ""},
		{"for another name it is wrong", secure(well), probe.HTTP{CAFile: authority(t)}, "mail.example.org", "valid for www.example.org, not mail.example.org"},
		{"of an unknown authority it is wrong", secure(well), probe.HTTP{}, "www.example.org", "unknown authority|certificate"},
		{"an expired one is wrong", secureBy(well, func() tls.Certificate { return expired }), probe.HTTP{CAFile: authorityOf(t, expired)}, "www.example.org", "expired"},
		{"none is looked at where that is asked", secure(well), probe.HTTP{Insecure: true}, "mail.example.org", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			port, stop := listen(t, "tcp", c.serve)
			defer stop()
			o := prober(t, "https", probe.Options{HTTP: c.ask}).Probe(t.Context(), probe.Target{Addr: loopback, Port: port, Name: c.called, Timeout: time.Minute})
			check(t, "https", o)
			if c.words == "" && o.Up {
				return
			}
			want(t, o, muster.StageHandshake, "wrong-answer")
			if !regexp.MustCompile(c.words).MatchString(o.Failure.Err.Error()) || c.words == "" {
				t.Errorf("got %v", o.Failure)
			}
		})
	}
}
