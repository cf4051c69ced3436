// Package secret holds the one Secret type that never prints, references to secrets (env:, file:, exec:, prompt:), the
// keyring of named credentials and the guard against locking accounts out.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// masked stands wherever a Secret is printed.
const masked = "***"

// Secret is a password, key or token. Every way of printing it gives "***". Secrets are compared with Equal; == does not
// compile.
type Secret struct {
	_ [0]func() // not comparable: == would take a time that depends on the secret, and compare the pointers

	// A pointer, because fmt does not call methods on a value it reaches through an unexported field: of a pointer
	// inside a struct it prints the address.
	text *string
}

// New makes a Secret of its text.
func New(text string) Secret { return Secret{text: &text} }

// Reveal returns the text. Call it as late as can be.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero says that the text is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal says whether both texts are the same, in a time that tells nothing about either.
func (s Secret) Equal(other Secret) bool {
	a, b := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String returns "***".
func (s Secret) String() string { return masked }

// GoString returns "***".
func (s Secret) GoString() string { return masked }

// Format prints "***" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// LogValue logs "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON writes "***".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// MarshalText writes "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalYAML writes "***".
func (s Secret) MarshalYAML() (any, error) { return masked, nil }

var errNoEncoding = errors.New("a secret is not encoded in binary form")

// GobEncode refuses: what gob writes is meant to be read back, and a secret does not travel that way.
func (s Secret) GobEncode() ([]byte, error) { return nil, errNoEncoding }

// GobDecode refuses.
func (s *Secret) GobDecode([]byte) error { return errNoEncoding }
