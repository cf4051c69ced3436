package secret

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"slices"
	"sync"
)

// Credential is one way to log in, by references. The zero fields are not used.
type Credential struct {
	Name       string
	Username   string
	Password   Source   // nil: none
	Enable     Source   // nil: none
	Keys       []string // private key files
	Passphrase Source   // of the key files; nil: none
	Agent      bool
}

// Keyring holds credentials by name. The zero Keyring is empty and ready; it is safe for concurrent use and must not be
// copied.
type Keyring struct {
	mu     sync.RWMutex
	byName map[string]Credential

	keyed sync.Once
	key   [32]byte
}

// Add stores a credential under its name, replacing one of that name.
func (k *Keyring) Add(c Credential) {
	c.Keys = slices.Clone(c.Keys)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byName == nil {
		k.byName = map[string]Credential{}
	}
	k.byName[c.Name] = c
}

// Get returns a credential by name.
func (k *Keyring) Get(name string) (Credential, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	c, ok := k.byName[name]
	c.Keys = slices.Clone(c.Keys)
	return c, ok
}

// Names returns the names of all credentials, sorted.
func (k *Keyring) Names() []string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return slices.Sorted(maps.Keys(k.byName))
}

// ID identifies the account a credential logs in to: the same user with the same secrets is the same ID, whatever the
// name. It is a hash keyed anew in each Keyring and gives nothing away. username is used where the credential has none.
// The enable secret is no part of it: it opens no login. A secret that cannot be read counts as its reference.
func (k *Keyring) ID(ctx context.Context, c Credential, username string) string {
	k.keyed.Do(func() { _, _ = rand.Read(k.key[:]) }) // crypto/rand.Read never fails
	if c.Username != "" {
		username = c.Username
	}
	h := hmac.New(sha256.New, k.key[:])
	field(h, "user", username)
	sourceField(ctx, h, "password", c.Password)
	sourceField(ctx, h, "passphrase", c.Passphrase)
	for _, path := range c.Keys {
		field(h, "key", path)
	}
	if c.Agent {
		field(h, "agent", "")
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func sourceField(ctx context.Context, h hash.Hash, name string, s Source) {
	if s == nil {
		return
	}
	if text, err := s.Secret(ctx); err == nil {
		field(h, name, text.Reveal())
		return
	}
	field(h, name+" reference", s.String())
}

// field writes a name and a value so that no two sequences of fields give the same bytes.
func field(h hash.Hash, name, value string) {
	for _, s := range [...]string{name, value} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(s)))
		_, _ = io.WriteString(h, s)
	}
}
