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
	"unicode"
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

// vaultReply is what of Vault's answers matters.
type vaultReply struct {
	Data          json.RawMessage `json:"data"`
	LeaseDuration int64           `json:"lease_duration"` // seconds
	Auth          struct {
		ClientToken   string `json:"client_token"`
		LeaseDuration int64  `json:"lease_duration"` // seconds; 0: for ever
		Renewable     bool   `json:"renewable"`
	} `json:"auth"`
	Errors []string `json:"errors"`
}

// vaultError is a refusal by Vault.
type vaultError struct {
	status int
	text   string // Vault's own words, made safe to print
	data   json.RawMessage
}

// Error returns the sentence of a refusal that nobody knows more of.
func (e *vaultError) Error() string {
	switch {
	case e.status == http.StatusServiceUnavailable && strings.Contains(e.text, "sealed"):
		return "Vault is sealed: it has to be unsealed first"
	case e.status == http.StatusPreconditionFailed:
		return "Vault's standby is behind its leader (412): try again"
	case e.status == http.StatusTooManyRequests:
		return "Vault's rate limit is reached (429): try again later"
	case e.text == "":
		return fmt.Sprintf("Vault answered %d %s", e.status, strings.ToLower(http.StatusText(e.status)))
	}
	return fmt.Sprintf("Vault answered %d: %s", e.status, e.text)
}

// again says that the same request may be answered another time: the leader changes, a standby catches up.
func (e *vaultError) again() bool {
	switch e.status {
	case http.StatusPreconditionFailed, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented:
		return false
	}
	return e.status >= 500 && !strings.Contains(e.text, "sealed")
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

// understand reads an answer. Errors of the decoder are not told: they may quote it.
func (c *vaultClient) understand(res *http.Response, data []byte, token Secret, body any) (*vaultReply, error) {
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		to, err := res.Location()
		if err != nil {
			return nil, errNotVault
		}
		return nil, fmt.Errorf("Vault at %s refers to %s, and a token goes to no other host: name that one as the address", c.base.Host, clean(to.Scheme+"://"+to.Host))
	}
	reply := &vaultReply{}
	if len(data) > maxDocument || res.StatusCode != http.StatusNoContent && json.Unmarshal(data, reply) != nil {
		if res.StatusCode < 400 {
			return nil, errNotVault
		}
		reply = &vaultReply{} // a proxy's page
	}
	if res.StatusCode < 300 {
		return reply, nil
	}
	text := clean(strings.Join(reply.Errors, "; "))
	for _, hidden := range append(values(body), token.Reveal()) {
		if hidden != "" {
			text = strings.ReplaceAll(text, hidden, masked)
		}
	}
	return nil, &vaultError{res.StatusCode, text, reply.Data}
}

var errNotVault = errors.New("what answers at the address is no Vault")

// values returns the texts of a request, which an answer must not bring into an error.
func values(body any) []string {
	var all []string
	if m, ok := body.(map[string]string); ok {
		for _, v := range m {
			all = append(all, v)
		}
	}
	return all
}

// clean makes what a server says fit for one line on a terminal.
func clean(text string) string {
	const longest = 300
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return text
}

// unreached says why there is no answer. Of the words of net/http only those of the network and of certificates are told:
// others quote what came.
func (c *vaultClient) unreached(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var wrong *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("the certificate of Vault at %s is not trusted (%s): name its authority in secrets: vault: ca_file", c.base.Host, clean(wrong.Err.Error()))
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("what answers at %s speaks no TLS", c.base.Host)
	case errors.As(err, &op):
		return fmt.Errorf("Vault at %s is not reached: %w", c.base.Host, op)
	}
	return fmt.Errorf("the connection to Vault at %s broke, or no web server answers there", c.base.Host)
}
