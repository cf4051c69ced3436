package ise

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Bounds of what happens before a request is sent.
const (
	connectLimit   = 10 * time.Second
	handshakeLimit = 10 * time.Second
	idleLimit      = 30 * time.Second
)

// headerLimit bounds the headers of an answer, which come before anything else of it can be looked at.
const headerLimit = 256 << 10

// newTransport makes the transport for which no HTTP client was given. It speaks HTTP/1.1 only, where requests at once are
// connections at once, which is how ISE counts them.
func newTransport(settings *tls.Config, connections int) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectLimit}).DialContext,
		TLSClientConfig:     settings,
		TLSHandshakeTimeout: handshakeLimit,
		IdleConnTimeout:     idleLimit,
		MaxConnsPerHost:     connections,
		MaxIdleConnsPerHost: connections,
		Protocols:           protocols,

		MaxResponseHeaderBytes: headerLimit,
	}
}

// limited returns a transport like t that opens no more than so many connections to a host and keeps as many: by default
// two are kept, and the others closed and opened again and again. A transport of another kind is used as it is.
func limited(t http.RoundTripper, connections int) http.RoundTripper {
	if t == nil {
		t = http.DefaultTransport
	}
	theirs, ok := t.(*http.Transport)
	if !ok {
		return t
	}
	ours := theirs.Clone()
	if ours.MaxConnsPerHost == 0 || ours.MaxConnsPerHost > connections {
		ours.MaxConnsPerHost = connections
	}
	ours.MaxIdleConnsPerHost = ours.MaxConnsPerHost
	if ours.IdleConnTimeout == 0 {
		ours.IdleConnTimeout = idleLimit // who gave the transport cannot close the copy's connections
	}
	return ours
}

// tls returns the TLS settings: verified against the system's authorities unless the Config says something else.
func (c *Config) tls() (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs, InsecureSkipVerify: c.Insecure}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("CA file: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA file %s: there is no certificate in it", c.CAFile)
		}
	}
	if c.Pin == "" {
		return settings, nil
	}
	want, err := parsePin(c.Pin)
	if err != nil {
		return nil, err
	}
	settings.InsecureSkipVerify = settings.RootCAs == nil // the pin alone decides
	settings.VerifyConnection = func(s tls.ConnectionState) error {
		if got := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo); subtle.ConstantTimeCompare(got[:], want) != 1 {
			return &PinError{Got: PinOf(s.PeerCertificates[0])}
		}
		return nil
	}
	return settings, nil
}

// PinError says that ISE's certificate has another public key than the pinned one.
type PinError struct{ Got string }

func (e *PinError) Error() string {
	return "the certificate's key is " + e.Got + ", which is not the pinned one"
}

const pinPrefix = "sha256/"

// PinOf returns the pin of a certificate, as Config takes it.
func PinOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return pinPrefix + base64.StdEncoding.EncodeToString(sum[:])
}

// parsePin reads "sha256/BASE64" (curl writes two slashes), or hexadecimal with or without colons.
func parsePin(s string) ([]byte, error) {
	text := strings.TrimPrefix(strings.TrimSpace(s), "sha256")
	text = strings.TrimLeft(text, "/:")
	if sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", "")); err == nil && len(sum) == sha256.Size {
		return sum, nil
	}
	if sum, err := base64.StdEncoding.DecodeString(text); err == nil && len(sum) == sha256.Size {
		return sum, nil
	}
	return nil, errors.New("pin: want the SHA-256 of the certificate's public key, as sha256/ and base64 or in hexadecimal")
}

// explainTLS adds to a certificate that is not trusted what to do about it.
func explainTLS(err error) error {
	unknown, ok := errors.AsType[x509.UnknownAuthorityError](err)
	if !ok || unknown.Cert == nil {
		return err
	}
	var hint bytes.Buffer
	hint.WriteString("give the CA's certificate as a file")
	if failed, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(failed.UnverifiedCertificates) > 0 {
		hint.WriteString(", or compare its key with ISE's and pin it: " + PinOf(failed.UnverifiedCertificates[0]))
	}
	return fmt.Errorf("%w: %s", err, &hint)
}
