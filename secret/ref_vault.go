package secret

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Vault says how HashiCorp Vault is reached and how one logs in to it. What is empty is taken from the environment variables
// of Vault's own command.
type Vault struct {
	Address   string // https://host:8200, or http to this machine; empty: VAULT_ADDR
	Namespace string // empty: VAULT_NAMESPACE
	CAFile    string // the authorities of its certificate, PEM; empty: VAULT_CACERT, then the system's

	// AppRole, where RoleID is not nil; a token otherwise. None of them comes from a vault: reference.
	RoleID, SecretID Source
	Mount            string // where AppRole is mounted; empty: approle
	Token            Source // nil: VAULT_TOKEN, then ~/.vault-token
}

// vaultRef is a reference to one field of one version of a secret of KV version 2.
type vaultRef struct {
	mount, path string
	version     int // 0: the latest
	field       string
}

// parseVaultRef reads mount/data/path?version=N#field. Without /data/ the mount is what stands before the first slash.
func parseVaultRef(text string) (vaultRef, error) {
	var r vaultRef
	i := strings.LastIndexByte(text, '#')
	if i < 0 || i+1 == len(text) {
		return r, errors.New("vault: wants #field at its end, as in vault:secret/data/routers#password")
	}
	text, r.field = text[:i], text[i+1:]
	text, query, versioned := strings.Cut(text, "?")
	if versioned {
		number, ok := strings.CutPrefix(query, "version=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 1 {
			return r, errors.New("vault: takes ?version=N alone, with a number from 1")
		}
		r.version = n
	}
	var ok bool
	if r.mount, r.path, ok = strings.Cut(text, "/data/"); !ok {
		r.mount, r.path, ok = strings.Cut(text, "/")
	}
	if !ok || !isVaultPath(r.mount) || !isVaultPath(r.path) {
		return r, errors.New("vault: wants mount/path, as in vault:secret/data/routers#password")
	}
	return r, nil
}

// isVaultPath refuses paths that a server on the way might read as another.
func isVaultPath(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsFunc(part, unicode.IsControl) {
			return false
		}
	}
	return true
}

// place is where Vault's API has the secret.
func (r vaultRef) place() string { return r.mount + "/data/" + r.path }

// request is the path and query of the API.
func (r vaultRef) request() string {
	parts := strings.Split(r.place(), "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	path := strings.Join(parts, "/")
	if r.version > 0 {
		path += "?version=" + strconv.Itoa(r.version)
	}
	return path
}

// openVault reads vault:mount/path#field.
func openVault(o *Opener, rest string) (reader, error) {
	ref, err := parseVaultRef(rest)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (Secret, time.Time, error) {
		d, until, err := shared(o, &o.texts, "vault:"+ref.request(), func(ctx context.Context) (*document, time.Time, error) {
			return o.vaultDocument(ctx, ref)
		}).get(ctx)
		var s Secret
		if err == nil {
			s, err = d.pick(ref.field)
		}
		return named("vault:"+rest, s, until, err)
	}, nil
}

// vaultTime bounds one reading with all that it needs: a login, a renewal, further tries.
const vaultTime = 30 * time.Second

// vaultDocument reads all fields of one secret.
func (o *Opener) vaultDocument(ctx context.Context, ref vaultRef) (*document, time.Time, error) {
	limit, cancel := context.WithTimeoutCause(ctx, vaultTime, fmt.Errorf("Vault gave no answer within %v", vaultTime))
	defer cancel()
	c, _, err := o.vaultClient().get(limit)
	if err == nil {
		var d *document
		var lease time.Duration
		if d, lease, err = c.read(limit, ref); err == nil {
			life := o.life()
			if lease > 0 {
				life = min(life, lease)
			}
			return d, time.Now().Add(life), nil
		}
	}
	if ctx.Err() == nil && limit.Err() != nil {
		err = context.Cause(limit)
	}
	return nil, time.Now().Add(failureLife), err
}

// vaultClient is made once: it holds the token.
func (o *Opener) vaultClient() *kept[*vaultClient] {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client == nil {
		o.client = &kept[*vaultClient]{read: func(context.Context) (*vaultClient, time.Time, error) {
			c, err := o.newVaultClient()
			if err != nil {
				return nil, time.Now().Add(failureLife), err
			}
			return c, time.Time{}, nil
		}}
	}
	return o.client
}
