package ise

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
)

// Object is an object of any resource, as ISE sent it. However it is printed, JSON included, what its keys call a secret is
// "***"; Reveal gives it as it came, and a request to ISE takes it so.
type Object struct {
	ID, Name string // as the JSON has them
	Wrapper  string // the key around it in a request: filled in by Get, needed by Create for a resource without a type

	raw  json.RawMessage
	open bool // the next MarshalJSON is for ISE; only in the copy that a request makes
}

// NewObject makes an Object of JSON, to be created or to be given to Update. wrapper is the key that ERS puts around it, such as
// "ERSEndPoint"; it may be empty for a resource that has a type in this package.
func NewObject(wrapper string, raw json.RawMessage) (Object, error) {
	o := Object{Wrapper: wrapper}
	if err := o.UnmarshalJSON(raw); err != nil {
		return Object{}, fmt.Errorf("ise: %w", err)
	}
	return o, nil
}

// Reveal returns the JSON with its secrets.
func (o Object) Reveal() json.RawMessage { return slices.Clone(o.raw) }

// String returns the JSON without its secrets.
func (o Object) String() string { return string(redact(o.raw)) }

// GoString returns what String does.
func (o Object) GoString() string { return o.String() }

// Format prints what String returns, for every verb.
func (o Object) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, o.String()) }

// LogValue logs what String returns.
func (o Object) LogValue() slog.Value { return slog.StringValue(o.String()) }

// MarshalJSON writes the JSON without its secrets.
func (o Object) MarshalJSON() ([]byte, error) {
	if !o.open {
		return redact(o.raw), nil
	}
	if o.ID == "" {
		return o.raw, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(o.raw, &fields); err != nil {
		return nil, errNoObject
	}
	fields["id"], _ = json.Marshal(o.ID)
	return json.Marshal(fields)
}

var errNoObject = errors.New("that is no JSON object")

// UnmarshalJSON takes a JSON object.
func (o *Object) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		return errNoObject
	}
	text := func(key string) (s string) {
		_ = json.Unmarshal(fields[key], &s) // a resource without it has none
		return s
	}
	o.raw, o.ID, o.Name = bytes.Clone(data), text("id"), text("name")
	return nil
}

// secretKey finds the keys of secrets in what ISE returns for devices, users and servers.
var (
	secretKey = regexp.MustCompile(`(?i)secret|passw|passphrase|community|^psk|keyencryptionkey|authenticatorcodekey|privatekey|privacykey|token`)
	openKey   = regexp.MustCompile(`(?i)^(passwordIDStore|changePassword)$`)
)

// secrets returns the texts that are secrets.
func (o *Object) secrets() []string {
	var found []string
	var tree any
	if json.Unmarshal(o.raw, &tree) == nil {
		withoutSecrets(tree, false, func(text string) { found = append(found, text) })
	}
	return found
}

// redact replaces the secrets in JSON, at any depth. What is no JSON gives nothing of itself away.
func redact(raw json.RawMessage) []byte {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		return []byte("null")
	}
	found := false
	tree = withoutSecrets(tree, false, func(string) { found = true })
	if !found && !secretKey.Match(raw) { // of a key that stands there twice the tree holds one value
		return raw
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return []byte("null")
	}
	return text
}

// withoutSecrets masks every text and number below a key that is a secret's, in lists and objects too, and calls f for the
// texts that it masks.
func withoutSecrets(tree any, secret bool, f func(text string)) any {
	switch x := tree.(type) {
	case []any:
		for i, v := range x {
			x[i] = withoutSecrets(v, secret, f)
		}
	case map[string]any:
		for key, v := range x {
			x[key] = withoutSecrets(v, (secret || secretKey.MatchString(key)) && !openKey.MatchString(key), f)
		}
	case string:
		if secret && x != "" {
			f(x)
			return masked
		}
	case json.Number:
		if secret {
			f(x.String())
			return masked
		}
	}
	return tree
}
