package ise

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// masked stands wherever a secret is printed.
const masked = "***"

// Secret is a shared secret, community or password that ISE keeps for a device or a user. Every way of printing it, JSON
// included, gives "***", or nothing when it is empty; only Reveal and a request to ISE give the text. The zero Secret is
// empty: it is left out of requests, so that an Update does not touch what ISE has.
type Secret struct {
	_ [0]func() // not comparable: == would compare the pointers

	// A pointer, because fmt does not call methods on a value that it reaches through an unexported field.
	text *string
	open bool // the next MarshalJSON is for ISE; only in the copy that a request makes
}

// NewSecret makes a Secret of its text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text. Call it as late as can be.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero says that the text is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String returns "***", or nothing when the secret is empty.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return masked
}

// GoString returns what String does.
func (s Secret) GoString() string { return s.String() }

// Format prints what String returns, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText writes what String returns.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON writes what String returns.
func (s Secret) MarshalJSON() ([]byte, error) {
	if s.open {
		return json.Marshal(s.Reveal())
	}
	return json.Marshal(s.String())
}

// UnmarshalJSON takes the text of a JSON string; null is empty.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("a secret is no JSON string") // the error of json quotes what it saw
	}
	*s = NewSecret(text)
	return nil
}
