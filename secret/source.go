package secret

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Ref is a reference to a secret: "env:NAME", "file:/path", "exec:argv...", "prompt:text". Its own text is not secret.
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
	_ Source = (*kept)(nil)
)

type literal struct{ secret Secret }

// Literal is a Source that holds the secret itself: from an inventory file, or typed at a prompt.
func Literal(s Secret) Source { return literal{s} }

func (l literal) Secret(context.Context) (Secret, error) { return l.secret, nil }
func (l literal) String() string                         { return "literal" }

// ErrNotRef says that a text is no reference to a secret. Neither it nor what wraps it quotes the text: it may be the
// secret itself, put where a reference belongs.
var ErrNotRef = errors.New("not a reference to a secret: write env:NAME, file:/path, exec:command or prompt:text")

// schemes are the ways to refer to a secret.
var schemes = map[string]func(rest string, prompt Prompt) (func(context.Context) (Secret, error), error){
	"env":    openEnv,
	"exec":   openExec,
	"file":   openFile,
	"prompt": openPrompt,
}

// later are schemes that are planned; naming them gives a better sentence than ErrNotRef.
var later = []string{"age", "keyring", "vault"}

// Scheme returns the scheme of a reference ("env"), or "" where the text is none.
func (r Ref) Scheme() string {
	name, _, ok := strings.Cut(string(r), ":")
	if _, known := schemes[name]; !ok || !known {
		return ""
	}
	return name
}

// Check says whether a reference is well formed, without reading anything.
func (r Ref) Check() error {
	_, err := Open(r, func(context.Context, string) (Secret, error) { return Secret{}, nil })
	return err
}

// Open returns the Source of a reference. The secret is read at its first use and kept, and so is the reason why it could
// not be read; callers at the same time share one reading. prompt asks without echo (nil: prompt: references fail when
// they are read). Give one function that AskOnce made to all references of a process, so that no text is asked twice.
func Open(ref Ref, prompt Prompt) (Source, error) {
	name, rest, _ := strings.Cut(string(ref), ":")
	if slices.Contains(later, name) {
		return nil, fmt.Errorf("%s: references are not there yet: use env:, file:, exec: or prompt:", name)
	}
	open := schemes[ref.Scheme()]
	if open == nil {
		return nil, ErrNotRef
	}
	read, err := open(rest, prompt)
	if err != nil {
		return nil, err
	}
	return &kept{ref: ref, read: read}, nil
}

// kept reads once and keeps the answer.
type kept struct {
	ref  Ref
	read func(context.Context) (Secret, error)

	mu      sync.Mutex
	reading chan struct{} // closed when the reading under way has ended; nil: none under way
	done    bool
	secret  Secret
	err     error
}

// String returns the reference.
func (k *kept) String() string { return string(k.ref) }

// Secret returns what was read, reading it first where nobody has. A reading that ended with its caller's context tells
// nothing about the secret: it is not kept and the next in line reads again.
func (k *kept) Secret(ctx context.Context) (Secret, error) {
	for {
		k.mu.Lock()
		if k.done {
			defer k.mu.Unlock()
			return k.secret, k.err
		}
		if k.reading == nil {
			k.reading = make(chan struct{})
			k.mu.Unlock()
			return k.lead(ctx)
		}
		reading := k.reading
		k.mu.Unlock()
		select {
		case <-reading:
		case <-ctx.Done():
			return Secret{}, context.Cause(ctx)
		}
	}
}

// lead reads for everybody who waits.
func (k *kept) lead(ctx context.Context) (s Secret, err error) {
	finished := false
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		close(k.reading)
		k.reading = nil
		if finished && (err == nil || ctx.Err() == nil) {
			k.done, k.secret, k.err = true, s, err
		}
	}()
	if err := ctx.Err(); err != nil {
		return Secret{}, context.Cause(ctx)
	}
	s, err = k.read(ctx)
	finished = true
	return s, err
}
