package syslog_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster/syslog"
	"github.com/musternet/muster/task"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func (a authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLSNamesItsVerifiedClientsAndRefusesOthers(t *testing.T) {
	t.Parallel()
	ours, foreign := newAuthority(t), newAuthority(t)
	l := listen(t, syslog.Config{TLS: []string{"127.0.0.1:0"}, TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{ours.issue(t, "collector")}, ClientCAs: ours.pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}})
	at := l.Addrs()[0].String()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := task.Scope(ctx, "test", func(ctx context.Context, g *task.Group) error {
		say := func(cert tls.Certificate) {
			g.Go("sender", func(ctx context.Context) error {
				d := tls.Dialer{Config: &tls.Config{RootCAs: ours.pool, Certificates: []tls.Certificate{cert}}}
				conn, err := d.DialContext(ctx, "tcp", at)
				if err != nil {
					return nil // a server of TLS 1.3 refuses after the handshake, one of 1.2 in it
				}
				defer conn.Close()
				_, _ = fmt.Fprint(conn, "9 <13>hello")
				_, _ = conn.Read(make([]byte, 1)) // until the other side ends it
				return nil
			})
		}
		say(foreign.issue(t, "mallory"))
		refused := false
		for m, err := range l.Messages(ctx) {
			switch {
			case err != nil && !refused && strings.Contains(err.Error(), "TLS handshake with 127.0.0.1:"):
				refused = true
				say(ours.issue(t, "r1.example.net"))
			case err != nil:
				return err
			case !refused || m.Peer != "r1.example.net" || string(m.Text) != "hello" || m.Transport != syslog.TLS:
				return fmt.Errorf("%q says %q over %s", m.Peer, m.Text, m.Transport)
			default:
				return nil
			}
		}
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := l.Counts(); c.Refused != 1 || c.Received != 1 {
		t.Errorf("the counts are %+v", c)
	}
}

func TestManyConnectionsOverTLSLoseNothing(t *testing.T) {
	t.Parallel()
	const conns, each = 150, 50 // the race detector makes a handshake slow; a thousand are for the end-to-end tests
	ours := newAuthority(t)
	l := listen(t, syslog.Config{TLS: []string{"127.0.0.1:0"}, TLSConfig: &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "collector")}}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := task.Scope(ctx, "test", func(ctx context.Context, g *task.Group) error {
		for range conns {
			g.Go("sender", func(ctx context.Context) error {
				d := tls.Dialer{Config: &tls.Config{RootCAs: ours.pool}}
				conn, err := d.DialContext(ctx, "tcp", l.Addrs()[0].String())
				if err != nil {
					return err
				}
				defer conn.Close()
				for range each {
					if _, err := fmt.Fprint(conn, "9 <13>hello"); err != nil {
						return err
					}
				}
				return nil
			})
		}
		n := 0
		for m, err := range l.Messages(ctx) {
			if err != nil {
				return err
			}
			if string(m.Text) != "hello" {
				return fmt.Errorf("heard %q", m.Raw)
			}
			if n++; n == conns*each {
				return nil
			}
		}
		return fmt.Errorf("%d messages came", n)
	})
	if err != nil {
		t.Fatal(err)
	}
}
