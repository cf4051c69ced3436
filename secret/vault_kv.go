package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// kvData is what KV version 2 keeps.
type kvData struct {
	Data     json.RawMessage `json:"data"`
	Metadata *struct {
		Version      int    `json:"version"`
		DeletionTime string `json:"deletion_time"` // RFC 3339; empty: never
		Destroyed    bool   `json:"destroyed"`
	} `json:"metadata"`
}

// read reads all fields of a secret, and how long they hold. Where Vault refuses a token that is not quite new, it may have
// been revoked: once another is got.
func (c *vaultClient) read(ctx context.Context, ref vaultRef) (*document, time.Duration, error) {
	began := time.Now()
	for try := 1; ; try++ {
		t, _, err := c.token.get(ctx)
		if err != nil {
			return nil, 0, err
		}
		reply, err := c.call(ctx, ref.request(), t.text, nil)
		var refused *vaultError
		if errors.As(err, &refused) {
			if refused.status == http.StatusForbidden && try == 1 && t.got.Before(began) {
				c.drop(t)
				continue
			}
			return nil, 0, ref.refused(refused, t.valid)
		}
		if err != nil {
			return nil, 0, err
		}
		return ref.document(reply)
	}
}

// refused says what a refusal means for a reference.
func (r vaultRef) refused(e *vaultError, valid bool) error {
	switch {
	case e.badToken():
		return tokenError(e)
	case e.status == http.StatusForbidden:
		expired := ""
		if !valid {
			expired = ", or has expired"
		}
		return fmt.Errorf("the token may not read %s%s: one of its policies needs path %s { capabilities = [\"read\"] } (%w)", r.place(), expired, show(r.place()), e)
	case e.status == http.StatusNotFound:
		return r.missing(e)
	}
	return e
}

// missing tells a secret that is not there from a version that was deleted.
func (r vaultRef) missing(e *vaultError) error {
	var kv kvData
	if json.Unmarshal(e.data, &kv) != nil || kv.Metadata == nil {
		if e.text != "" {
			return fmt.Errorf("Vault has nothing at %s: look at the name of the mount (%w)", r.place(), e)
		}
		return fmt.Errorf("Vault has no secret at %s, or no such version of it", r.place())
	}
	if kv.Metadata.Destroyed {
		return fmt.Errorf("version %d of %s was destroyed", kv.Metadata.Version, r.place())
	}
	return fmt.Errorf("version %d of %s was deleted: vault kv undelete brings it back, ?version=N reads another", kv.Metadata.Version, r.place())
}

// document takes an answer apart.
func (r vaultRef) document(reply *vaultReply) (*document, time.Duration, error) {
	var kv kvData
	if json.Unmarshal(reply.Data, &kv) != nil || kv.Metadata == nil || kv.Data == nil {
		return nil, 0, fmt.Errorf("what Vault has at %s is not of KV version 2", r.place())
	}
	fields := jsonFields(kv.Data)
	if fields == nil {
		return nil, 0, fmt.Errorf("Vault has no fields at %s", r.place())
	}
	life := time.Duration(min(reply.LeaseDuration, 1<<31)) * time.Second
	if ends, err := time.Parse(time.RFC3339, kv.Metadata.DeletionTime); err == nil {
		if left := max(time.Until(ends), time.Second); life <= 0 || left < life {
			life = left
		}
	}
	return &document{text: New(string(kv.Data)), fields: fields}, life, nil
}
