package secret

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Ref is a reference to a secret: "env:NAME", "file:/path", "exec:argv...", "prompt:text", "age:/path#key",
// "vault:mount/path#field", "ansible-vault:/path#key". What age or ansible-vault encrypted may stand there itself, with the
// name of the tool before it or without. Its own text is not secret.
type Ref string

// Prompt asks a person for a secret without echo.
type Prompt = func(ctx context.Context, text string) (Secret, error)

// Source reads a secret when it is needed. Its String never holds the secret.
type Source interface {
	Secret(ctx context.Context) (Secret, error)
	String() string
}

var (
	_ Source = literal{}
	_ Source = (*source)(nil)
)

type literal struct{ secret Secret }

// Literal is a Source that holds the secret itself: from an inventory file, or typed at a prompt.
func Literal(s Secret) Source { return literal{s} }

func (l literal) Secret(context.Context) (Secret, error) { return l.secret, nil }
func (l literal) String() string                         { return "literal" }

// ErrNotRef says that a text is no reference to a secret. Neither it nor what wraps it quotes the text: it may be the
// secret itself, put where a reference belongs.
var ErrNotRef = errors.New("not a reference to a secret: write env:NAME, file:/path, exec:command, prompt:text, age:/path, vault:path#field or ansible-vault:/path")

// reader reads a secret and says until when it holds; the zero time: for good.
type reader = func(context.Context) (Secret, time.Time, error)

// way returns how a scheme is opened; nil: there is none of that name. It takes what stands behind the colon and reads nothing
// yet. A function and no table, because some schemes open others.
func way(scheme string) func(o *Opener, rest string) (reader, error) {
	switch scheme {
	case "age":
		return openAge
	case "ansible-vault":
		return openAnsible
	case "env":
		return openEnv
	case "exec":
		return openExec
	case "file":
		return openFile
	case "prompt":
		return openPrompt
	case "vault":
		return openVault
	}
	return nil
}

// later are schemes that are planned; naming them gives a better sentence than ErrNotRef.
var later = []string{"keyring"}

// Scheme returns the scheme of a reference ("env"), or "" where the text is none.
func (r Ref) Scheme() string {
	name, _ := r.cut()
	if way(name) == nil {
		return ""
	}
	return name
}

// cut parts the scheme from the rest. An encrypted value names its scheme itself.
func (r Ref) cut() (scheme, rest string) {
	switch text := strings.TrimSpace(string(r)); {
	case strings.HasPrefix(text, ansibleMark):
		return "ansible-vault", text
	case strings.HasPrefix(text, ageArmor):
		return "age", text
	}
	name, rest, ok := strings.Cut(string(r), ":")
	if !ok {
		return "", ""
	}
	return name, rest
}

// Check says whether a reference is well formed, without reading anything.
func (r Ref) Check() error {
	_, err := new(Opener).open(r)
	return err
}

// Open returns the Source of a reference that needs no settings; see Opener for all others. prompt asks without echo (nil:
// prompt: references fail when they are read). Give one function that AskOnce made to all references of a process, so that
// no text is asked twice.
func Open(ref Ref, prompt Prompt) (Source, error) {
	return (&Opener{Prompt: prompt}).Open(ref)
}

// source is a Source that reads once and keeps the answer.
type source struct {
	name string
	kept[Secret]
}

// String returns the reference.
func (s *source) String() string { return s.name }

// Secret returns the secret, reading it first where nobody has.
func (s *source) Secret(ctx context.Context) (Secret, error) {
	text, _, err := s.get(ctx)
	return text, err
}

// open makes the source of one reference.
func (o *Opener) open(ref Ref) (*source, error) {
	name, rest := ref.cut()
	if slices.Contains(later, name) {
		return nil, fmt.Errorf("%s: references are not there yet: use env:, file:, exec:, prompt:, age:, vault: or ansible-vault:", name)
	}
	open := way(name)
	if open == nil {
		return nil, ErrNotRef
	}
	s := &source{name: string(ref)}
	if isInline(rest) {
		s.name = name + ": value"
	} else if unprintable(name, rest) {
		return nil, fmt.Errorf("%s: holds what cannot be printed, such as a line end", name)
	}
	read, err := open(o, rest)
	s.read = read
	return s, err
}

// unprintable says that a reference cannot be printed as it is: errors, prompts and logs name it. A command may have several
// lines.
func unprintable(scheme, rest string) bool {
	return !utf8.ValidString(rest) || strings.ContainsFunc(rest, func(r rune) bool {
		return unicode.IsControl(r) && (scheme != "exec" || r != '\n' && r != '\t')
	})
}

// isInline says that what stands behind a scheme is an encrypted value itself.
func isInline(rest string) bool {
	rest = strings.TrimSpace(rest)
	return strings.HasPrefix(rest, ansibleMark) || strings.HasPrefix(rest, ageArmor)
}
