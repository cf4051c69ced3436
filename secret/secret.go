// Package secret holds the one Secret type that never prints, references to secrets (env:, file:, exec:, prompt:, age:, vault:,
// ansible-vault:), the keyring of named credentials and the guard against locking accounts out.
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

// Secret is a password, key or token. Every way of printing it gives "***", and what walks through memory by reflection finds
// no text. Secrets are compared with Equal; == does not compile.
//
// The text is in the memory of the process for as long as a Secret refers to it, and after that until the garbage collector
// overwrites it: Go can neither wipe a string nor keep it out of a core dump or the swap. Whoever reads the memory of muster
// reads its secrets.
type Secret struct {
	// A function, because what it closes over is out of reach of reflection: fmt calls no methods on a value that it reaches
	// through an unexported field, and dumpers such as spew call none at all. It makes == impossible too, whose time would
	// depend on the text.
	text func() string
}

// New makes a Secret of its text.
func New(text string) Secret { return Secret{text: func() string { return text }} }

// Reveal returns the text. Call it as late as can be.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return s.text()
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
