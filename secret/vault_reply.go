package secret

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"unicode"
)

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
	text := strings.Join(reply.Errors, "; ")
	for _, hidden := range append(values(body), token.Reveal()) {
		if hidden != "" {
			text = strings.ReplaceAll(text, hidden, masked)
		}
	}
	return nil, &vaultError{res.StatusCode, clean(text), reply.Data} // cut no sooner: the half of a token is not found
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
