package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// vaultAuth is how one logs in.
type vaultAuth struct {
	token    Source  // nil: AppRole
	kept     *source // what keeps the token; nil: it is the same each time
	role, id Source  // id is nil where the role wants none
	mount    string
}

func (o *Opener) vaultAuth() (vaultAuth, error) {
	v := o.Vault
	if v.RoleID != nil {
		mount := v.Mount
		if mount == "" {
			mount = "approle"
		}
		return vaultAuth{role: v.RoleID, id: v.SecretID, mount: mount}, nil
	}
	if v.Token != nil {
		k, _ := v.Token.(*source)
		return vaultAuth{token: v.Token, kept: k}, nil
	}
	if token := o.getenv("VAULT_TOKEN"); token != "" {
		return vaultAuth{token: Literal(New(token))}, nil
	}
	file, err := o.Open("file:~/.vault-token")
	k, _ := file.(*source)
	return vaultAuth{token: ownToken{file}, kept: k}, err
}

// ownToken is the token that vault login leaves behind.
type ownToken struct{ Source }

// Secret says what else there is where that file is not.
func (t ownToken) Secret(ctx context.Context) (Secret, error) {
	s, err := t.Source.Secret(ctx)
	if err != nil {
		return Secret{}, fmt.Errorf("no way to log in to Vault: give role_id and secret_id, or a token, in secrets: vault, or VAULT_TOKEN; and %w", err)
	}
	return s, nil
}

// vaultToken is a token with what is known of its life.
type vaultToken struct {
	text      Secret
	got       time.Time
	ends      time.Time     // zero: never, or not known
	lease     time.Duration // 0: likewise
	renewable bool
	valid     bool        // Vault said so
	refused   atomic.Bool // Vault has changed its mind
}

// next returns when a token is seen to: renewed after two thirds of its life, or replaced a little before its end.
func (t *vaultToken) next(o time.Time) time.Time {
	switch {
	case t.lease == 0:
		return time.Time{}
	case t.renewable:
		return o.Add(t.lease * 2 / 3)
	}
	return o.Add(t.lease - min(t.lease/10, 10*time.Second))
}

// newToken renews the token there is, or logs in. It is the reading of c.token: never two at once.
func (c *vaultClient) newToken(ctx context.Context) (*vaultToken, time.Time, error) {
	if old := c.last; old != nil && old.renewable && !old.refused.Load() && time.Now().Before(old.ends) {
		t, err := c.renew(ctx, old)
		var refused *vaultError
		switch {
		case err == nil:
			c.last = t
			return t, t.next(t.got), nil
		case !errors.As(err, &refused) || refused.again(): // it is good for a while, and Vault may be back by then
			return old, earlier(old.ends, time.Now().Add(failureLife)), nil
		}
	}
	t, err := c.login(ctx)
	if err != nil {
		return nil, time.Now().Add(failureLife), err
	}
	c.last = t
	return t, t.next(t.got), nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// renew makes a token live longer. One that nears the longest life it may have is not worth it: then it is an error.
func (c *vaultClient) renew(ctx context.Context, old *vaultToken) (*vaultToken, error) {
	reply, err := c.call(ctx, "auth/token/renew-self", old.text, map[string]string{})
	if err != nil {
		return nil, err
	}
	t := leased(old.text, reply.Auth.LeaseDuration, reply.Auth.Renewable)
	if c.auth.token == nil && t.lease > 0 && t.lease < old.lease/2 {
		return nil, &vaultError{status: http.StatusForbidden, text: "the token is at the end of its life"}
	}
	return t, nil
}

// leased makes a token of what Vault says of it.
func leased(text Secret, seconds int64, renewable bool) *vaultToken {
	const longest = 100 * 365 * 24 * 3600
	t := &vaultToken{text: text, got: time.Now(), valid: true, renewable: renewable}
	t.lease = time.Duration(min(max(seconds, 0), longest)) * time.Second
	if t.lease > 0 {
		t.ends = t.got.Add(t.lease)
	}
	return t
}

// login logs in by AppRole, or reads the token and asks how long it lives.
func (c *vaultClient) login(ctx context.Context) (*vaultToken, error) {
	if c.auth.token == nil {
		return c.appRole(ctx)
	}
	text, err := c.auth.token.Secret(ctx)
	if err != nil {
		return nil, fmt.Errorf("the token for Vault: %w", err)
	}
	if text, err = header(text); err != nil {
		return nil, err
	}
	reply, err := c.call(ctx, "auth/token/lookup-self", text, nil)
	var refused *vaultError
	if errors.As(err, &refused) && refused.status == http.StatusForbidden && !refused.badToken() {
		return &vaultToken{text: text, got: time.Now()}, nil // a policy may forbid a good token the look-up
	}
	if err != nil {
		return nil, tokenError(err)
	}
	var about struct {
		TTL       int64 `json:"ttl"`
		Renewable bool  `json:"renewable"`
	}
	if json.Unmarshal(reply.Data, &about) != nil {
		return nil, errNotVault
	}
	return leased(text, about.TTL, about.Renewable), nil
}

// drop gives up a token, unless another has taken its place.
func (c *vaultClient) drop(t *vaultToken) {
	t.refused.Store(true)
	if c.auth.kept != nil {
		c.auth.kept.forget(func(text Secret) bool { return strings.TrimSpace(text.Reveal()) == t.text.Reveal() })
	}
	c.token.forget(func(now *vaultToken) bool { return now == t })
}

// header refuses what cannot be a token, and would be quoted or cut on its way.
func header(text Secret) (Secret, error) {
	t := strings.TrimSpace(text.Reveal())
	if t == "" || strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Secret{}, errors.New("the token for Vault is none: it holds blanks or other letters than a token has")
	}
	return New(t), nil
}

func (c *vaultClient) appRole(ctx context.Context) (*vaultToken, error) {
	body := map[string]string{}
	for _, one := range []struct {
		name string
		from Source
	}{{"role_id", c.auth.role}, {"secret_id", c.auth.id}} {
		if one.from == nil {
			continue
		}
		text, err := one.from.Secret(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s for Vault: %w", one.name, err)
		}
		body[one.name] = strings.TrimSpace(text.Reveal())
	}
	parts := strings.Split(strings.Trim(c.auth.mount, "/"), "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	reply, err := c.call(ctx, "auth/"+strings.Join(parts, "/")+"/login", Secret{}, body)
	var refused *vaultError
	if errors.As(err, &refused) && !refused.again() && refused.status < 500 {
		return nil, fmt.Errorf("Vault refused the login by AppRole at auth/%s: look at role_id and secret_id, which may have expired (%w)", c.auth.mount, err)
	}
	if err != nil {
		return nil, err
	}
	text, err := header(New(reply.Auth.ClientToken))
	if err != nil {
		return nil, errNotVault
	}
	return leased(text, reply.Auth.LeaseDuration, reply.Auth.Renewable), nil
}

// badToken says that Vault does not know the token, which older ones do not say.
func (e *vaultError) badToken() bool {
	return strings.Contains(e.text, "invalid token") || strings.Contains(e.text, "bad token")
}

// tokenError says what to do about a token that Vault does not know.
func tokenError(err error) error {
	var refused *vaultError
	if errors.As(err, &refused) && refused.badToken() {
		return errors.New("Vault does not know the token: it has expired or was revoked; log in again, or use AppRole")
	}
	return err
}
