//go:build e2e && linux

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/task"
)

// `muster syslog listen` with many connections at a time, over TCP and TLS.

const (
	manyConns   = 1000
	eachConn    = 200 // messages
	connMessage = "<30>Nov 29 04:08:48 host1 app[4711]: connection %d has said %d"
)

// stream is all that one connection says: counted octets in half of them, lines in the others, of which some end without their end.
func stream(conn int) []byte {
	var b []byte
	for n := range eachConn {
		text := fmt.Sprintf(connMessage, conn, n)
		if conn%2 == 0 {
			b = fmt.Appendf(b, "%d %s", len(text), text)
		} else {
			b = append(b, text+"\n"...)
		}
	}
	if conn%3 == 1 && conn%2 == 1 {
		b = b[:len(b)-1]
	}
	return b
}

// say writes what a connection says in pieces that end anywhere, and closes it.
func say(conn net.Conn, i int) error {
	size := 1 + (i*37)%1461
	for b := stream(i); len(b) > 0; {
		n, err := conn.Write(b[:min(size, len(b))])
		if err != nil {
			return err
		}
		b = b[n:]
		size = 1 + (size*31)%1461
	}
	return conn.Close()
}

// sayAll opens all connections, and then lets all of them speak.
func sayAll(t *testing.T, dial func(ctx context.Context) (net.Conn, error)) {
	t.Helper()
	numbers := make([]int, manyConns)
	for i := range numbers {
		numbers[i] = i
	}
	conns, err := task.Gather(t.Context(), numbers, func(ctx context.Context, _ int) (net.Conn, error) { return dial(ctx) }, task.Limit(64))
	if err != nil {
		t.Fatal(err)
	}
	_, err = task.Gather(t.Context(), numbers, func(_ context.Context, i int) (struct{}, error) { return struct{}{}, say(conns[i], i) }, task.Limit(manyConns))
	if err != nil {
		t.Fatal(err)
	}
}

// saidAll ends muster and compares the archive with what the connections said: all of it, each in its order.
func saidAll(t *testing.T, h *hearing, archive string) {
	t.Helper()
	const all = manyConns * eachConn
	h.await(t, time.Minute, fmt.Sprintf("all %d are received", all), func(c heard) bool { return c.Received >= all })
	if c := h.end(t); c.Received != all || c.Archived != all || c.Lost+c.BadFrames+c.Truncated+c.Gaps != 0 {
		t.Errorf("%d sent: %+v", all, c)
	}
	var next [manyConns]int
	archived(t, archive, func(line []byte) {
		conn, err := numberIn(line, `"message":"connection `)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := numberIn(line, " has said "); err != nil || n != next[conn] {
			t.Fatalf("of connection %d, message %d is the next one: %s", conn, next[conn], line)
		}
		next[conn]++
	})
	for conn, n := range next {
		if n != eachConn {
			t.Errorf("of connection %d, %d messages are there", conn, n)
		}
	}
}

func TestSyslogOf1000ConnectionsLosesNothing(t *testing.T) {
	s := newSite(t)
	archive := filepath.Join(s.dir, "log")
	h := s.hear(t, nil, nil, "--tcp", "127.0.0.1:0", "--archive", archive)
	sayAll(t, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", h.at["tcp"])
	})
	saidAll(t, h, archive)
}

func TestSyslogOverEveryTransportAtOnce(t *testing.T) {
	t.Parallel()
	s, a := newSite(t), newAuthority(t)
	archive, socket := filepath.Join(s.dir, "log"), filepath.Join(s.dir, "socket")
	h := s.listenTLS(t, a, "--udp", "127.0.0.1:0", "--udp", "[::1]:0", "--tcp", "[::1]:0", "--unix", socket, "--archive", archive)
	secured := tls.Dialer{Config: a.client(t, a, "switch7", time.Hour)}
	six := regexp.MustCompile(`udp (\[::1\]:\d+)`).FindStringSubmatch(h.stderr.String())
	if six == nil {
		t.Fatal(h.stderr)
	}
	want := map[string]string{}
	for _, c := range []struct{ network, address, source, transport string }{
		{"udp", h.at["udp"], "127.0.0.1", "udp"}, {"udp", six[1], "::1", "udp"}, {"tcp", h.at["tcp"], "::1", "tcp"},
		{"tls", h.at["tls"], "127.0.0.1", "tls"}, {"unixgram", socket, "", "unix"},
	} {
		dial := new(net.Dialer).DialContext
		if c.network == "tls" {
			c.network, dial = "tcp", secured.DialContext
		}
		conn, err := dial(t.Context(), c.network, c.address)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("said over %s to %s", c.transport, c.address)
		want[text] = c.source + " " + c.transport
		if _, err := fmt.Fprintf(conn, "<30>Nov 29 04:08:48 host1 app[1]: %s", text); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	h.await(t, 10*time.Second, "all are received", func(c heard) bool { return c.Received >= len(want) })
	h.end(t)
	got := map[string]string{}
	for _, m := range lines[struct{ Message, Source, Transport string }](t, s.ok(t, "syslog", "search", "--archive", archive, "-o", "ndjson")) {
		got[m.Message] = m.Source + " " + m.Transport
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// listenTLS starts a listener that wants clients to show a certificate of the authority.
func (s *site) listenTLS(t *testing.T, a *authority, more ...string) *hearing {
	t.Helper()
	cert, key := a.issue(t, "collector", time.Hour)
	return s.hear(t, nil, nil, append([]string{"--tls", "127.0.0.1:0", "--tls-cert", s.write(t, "cert.pem", cert), "--tls-key", s.write(t, "key.pem", key),
		"--tls-client-ca", s.write(t, "ca.pem", a.pem)}, more...)...)
}

func TestSyslogOf1000ConnectionsOverTLSLosesNothing(t *testing.T) {
	s, a := newSite(t), newAuthority(t)
	archive := filepath.Join(s.dir, "log")
	h := s.listenTLS(t, a, "--archive", archive)
	client := a.client(t, a, "switch7", time.Hour)
	sayAll(t, func(ctx context.Context) (net.Conn, error) {
		return (&tls.Dialer{Config: client}).DialContext(ctx, "tcp", h.at["tls"])
	})
	saidAll(t, h, archive)
	archived(t, archive, func(line []byte) {
		if !strings.Contains(string(line), `"transport":"tls","peer":"switch7"`) {
			t.Fatalf("without the name in the certificate: %s", line)
		}
	})
}

func TestSyslogOverTLSRefusesClientsAndSaysWhy(t *testing.T) {
	t.Parallel()
	s, a, other := newSite(t), newAuthority(t), newAuthority(t)
	archive := filepath.Join(s.dir, "log")
	h := s.listenTLS(t, a, "--archive", archive)
	bare := a.client(t, a, "", time.Hour)
	bare.GetClientCertificate = nil
	old := a.client(t, a, "", time.Hour)
	old.MaxVersion = tls.VersionTLS11
	for _, c := range []struct {
		name   string
		config *tls.Config // nil: no TLS at all
		why    string
	}{
		{"without a certificate", bare, "didn't provide a certificate"},
		{"with a stranger's certificate", a.client(t, other, "switch7", time.Hour), "unknown authority"},
		{"with a certificate that has expired", a.client(t, a, "switch7", -time.Hour), "expired"},
		{"in clear text", nil, "does not look like a TLS handshake"},
		{"of a version that is too old", old, "unsupported version"},
	} {
		before := len(h.stderr.String())
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", h.at["tls"])
		if err != nil {
			t.Fatal(err)
		}
		from := conn.LocalAddr().String()
		if c.config != nil {
			conn = tls.Client(conn, c.config)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Write(stream(1)) // fails now, or later
		if n, err := conn.Read(make([]byte, 1)); n == 0 && err == nil || strings.Contains(fmt.Sprint(err), "timeout") {
			t.Errorf("a client %s is not refused: %v", c.name, err)
		}
		conn.Close()
		within(t, 10*time.Second, "a client "+c.name+" is told of", func() bool {
			said := h.stderr.String()[before:]
			return strings.Contains(said, from) && strings.Contains(said, c.why)
		})
	}
	conn, err := (&tls.Dialer{Config: a.client(t, a, "switch7", time.Hour)}).DialContext(t.Context(), "tcp", h.at["tls"])
	if err != nil {
		t.Fatalf("a good client is refused after the others: %v", err)
	}
	if err := say(conn, 1); err != nil {
		t.Fatal(err)
	}
	h.await(t, 10*time.Second, "a good client is heard", func(c heard) bool { return c.Received >= eachConn })
	if c := h.end(t); c.Received != eachConn || c.Archived != eachConn {
		t.Errorf("something of those who were refused was taken: %+v", c)
	}
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// issue makes a certificate for a server or a client at 127.0.0.1, good for so long.
func (a *authority) issue(t *testing.T, name string, good time.Duration) (certPEM, keyPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(good),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// client is how a client connects to a server of the authority, with a certificate that another one has signed.
func (a *authority) client(t *testing.T, signer *authority, name string, good time.Duration) *tls.Config {
	t.Helper()
	cert, key := signer.issue(t, name, good)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS10, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &pair, nil // also one that the server will not like
	}}
}
