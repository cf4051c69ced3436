// Package secret holds the one Secret type that never prints, references to secrets (env:, file:, exec:, prompt:), the
// keyring of named credentials and the guard against locking accounts out.
package secret

import "context"

// Secret is a password, key or token. Every way of printing it gives "***".
type Secret struct{ text string }

// New makes a Secret of its text.
func New(text string) Secret { return Secret{text} }

// Reveal returns the text. Call it as late as can be.
func (s Secret) Reveal() string { return s.text }

// Ref is a reference to a secret: "env:NAME", "file:/path", "exec:argv...", "prompt:text". Its own text is not secret.
type Ref string

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

// Source reads a secret when it is needed. Its String never holds the secret.
type Source interface {
	Secret(ctx context.Context) (Secret, error)
	String() string
}

// Literal is a Source that holds the secret itself: from an inventory file, or typed at a prompt.
func Literal(s Secret) Source { return nil }

// Open returns the Source of a reference; the secret is read at its first use and kept. prompt asks without echo
// (nil: prompt: references fail).
func Open(ref Ref, prompt func(ctx context.Context, text string) (Secret, error)) (Source, error) {
	return nil, nil
}

// Keyring holds credentials by name. It is safe for concurrent use.
type Keyring struct{}

// Add stores a credential under its name, replacing one of that name.
func (k *Keyring) Add(c Credential) {}

// Get returns a credential by name.
func (k *Keyring) Get(name string) (Credential, bool) { return Credential{}, false }

// ID identifies the account a credential logs in to: the same user with the same secrets is the same ID, whatever the
// name. It is a hash keyed anew in each process and gives nothing away. username is used where the credential has none.
func (k *Keyring) ID(ctx context.Context, c Credential, username string) string { return "" }
