package secret

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// vaultClient speaks to one Vault. It is written on net/http: what is needed of Vault's own client is four requests, and that
// client hands the token on to whatever host an answer refers to.
type vaultClient struct {
	base      *url.URL
	namespace string
	http      *http.Client
	slots     chan struct{} // requests under way
	auth      vaultAuth
	token     kept[*vaultToken]
	last      *vaultToken // what newToken returned last; only it looks at it
}

// The bounds of what is asked of Vault.
const (
	vaultTry      = 10 * time.Second // one request
	vaultTries    = 3
	vaultPause    = 250 * time.Millisecond // before the second try, twice as much before the third
	vaultInFlight = 8
)

func (o *Opener) newVaultClient() (*vaultClient, error) {
	base, err := vaultAddress(orEnv(o, o.Vault.Address, "VAULT_ADDR"))
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(orEnv(o, o.Vault.CAFile, "VAULT_CACERT"))
	if err != nil {
		return nil, err
	}
	auth, err := o.vaultAuth()
	if err != nil {
		return nil, err
	}
	c := &vaultClient{
		base: base, namespace: strings.Trim(orEnv(o, o.Vault.Namespace, "VAULT_NAMESPACE"), "/"), auth: auth,
		slots: make(chan struct{}, vaultInFlight),
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout: vaultTry,
				// Requests are few and far between, and a connection kept alive is a goroutine that outlives its call.
				DisableKeepAlives:      true,
				MaxResponseHeaderBytes: 64 << 10,
			},
			// net/http takes Authorization and cookies away when it follows to another host, and leaves X-Vault-Token.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	c.token.read = c.newToken
	return c, nil
}

func orEnv(o *Opener, text, variable string) string {
	if text != "" {
		return text
	}
	return o.getenv(variable)
}

// CheckVaultAddress says what is wrong with the address of a Vault. It is not looked up.
func CheckVaultAddress(text string) error {
	_, err := vaultAddress(text)
	return err
}

func vaultAddress(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New("no address of a Vault is known: give it in secrets: vault: address, or in VAULT_ADDR")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, errors.New("the address of Vault must be a URL such as https://vault.example.net:8200")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the address of Vault holds more than a host, a port and a path: tokens stand at keys of their own")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("the address of Vault must begin with https://: by http the token could be read on the way")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// readRoots reads the authorities that may vouch for Vault; nil: the system's.
func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	data, err := readRegular(path, maxDocument, checkRegular)
	if err != nil {
		return nil, fmt.Errorf("ca_file %s of Vault: %w", path, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("ca_file %s of Vault: it holds no certificate in PEM", path)
	}
	return roots, nil
}

// call sends one request, again where that helps and does no harm. body is nil for GET.
func (c *vaultClient) call(ctx context.Context, path string, token Secret, body any) (*vaultReply, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	pause := vaultPause
	for try := 1; ; try++ {
		reply, err := c.once(ctx, path, token, body)
		switch {
		case err == nil:
			return reply, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case try == vaultTries || !isWorthATry(err, body == nil):
			return nil, err
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// isWorthATry says whether a request that failed is sent again. A login whose answer was lost is not: it may have used up the
// secret ID.
func isWorthATry(err error, reads bool) bool {
	var refused *vaultError
	if errors.As(err, &refused) {
		return refused.again()
	}
	var op *net.OpError
	return reads || errors.As(err, &op) && op.Op == "dial"
}

func (c *vaultClient) once(ctx context.Context, path string, token Secret, body any) (*vaultReply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, vaultTry, fmt.Errorf("Vault gave no answer within %v", vaultTry))
	defer cancel()
	method, payload := http.MethodGet, []byte(nil)
	if body != nil {
		method = http.MethodPost
		payload, _ = json.Marshal(body) // maps of texts always encode
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath("v1").String()+"/"+path, bytes.NewReader(payload))
	if err != nil {
		return nil, errors.New("the path is none that can be asked for")
	}
	req.Header.Set("X-Vault-Request", "true") // an agent on the way wants it
	if c.namespace != "" {
		req.Header.Set("X-Vault-Namespace", c.namespace)
	}
	if !token.IsZero() {
		req.Header.Set("X-Vault-Token", token.Reveal())
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	return c.understand(res, data, token, body)
}
