package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// openAnsible reads ansible-vault:/path#key: a file that ansible-vault encrypted as a whole, or one with encrypted values of
// which the key chooses one. What stands behind the colon may be an encrypted value itself.
func openAnsible(o *Opener, rest string) (reader, error) {
	if isInline(rest) {
		text := []byte(strings.TrimSpace(rest))
		if _, err := parseAnsible(text); err != nil {
			return nil, err
		}
		return held(o, func(ctx context.Context) (Secret, error) {
			plain, err := o.DecryptAnsibleVault(ctx, text)
			if err != nil {
				return Secret{}, fmt.Errorf("ansible-vault: value: %w", err)
			}
			return oneSecret(plain)
		}), nil
	}
	path, key, err := cutKey("ansible-vault", rest)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (Secret, time.Time, error) {
		d, until, err := shared(o, &o.texts, "ansible-vault:"+path, held(o, func(ctx context.Context) (*document, error) {
			return o.ansibleFile(ctx, path)
		})).get(ctx)
		var s Secret
		if err == nil {
			s, err = o.pickAnsible(ctx, d, key)
		}
		return named("ansible-vault:"+rest, s, until, err)
	}, nil
}

// cutKey parts a path from the key behind its last #.
func cutKey(scheme, rest string) (path, key string, err error) {
	path = rest
	if i := strings.LastIndexByte(rest, '#'); i >= 0 {
		path, key = rest[:i], rest[i+1:]
		if key == "" {
			return "", "", fmt.Errorf("%s: wants a key behind the #, or no #", scheme)
		}
	}
	return path, key, checkPath(scheme, path)
}

// named says in an error which reference it is about, and gives a failure its time.
func named(ref string, s Secret, until time.Time, err error) (Secret, time.Time, error) {
	if err == nil {
		return s, until, nil
	}
	if until.IsZero() || until.After(time.Now().Add(failureLife)) {
		until = time.Now().Add(failureLife)
	}
	return Secret{}, until, fmt.Errorf("%s: %w", ref, err)
}

// ansibleFile reads a file. One that is encrypted only in parts stays so: each part may have a password of its own.
func (o *Opener) ansibleFile(ctx context.Context, path string) (*document, error) {
	data, err := readRegular(path, maxDocument, checkRegular)
	if err != nil {
		return nil, err
	}
	if len(data) > maxDocument {
		return nil, errTooLarge
	}
	if !IsAnsibleVault(data) {
		d := &document{fields: yamlFields(data)}
		if d.fields == nil {
			return nil, errors.New("nothing in it is encrypted: it neither begins with " + ansibleMark + " nor is it YAML with such values")
		}
		return d, nil
	}
	plain, err := o.DecryptAnsibleVault(ctx, data)
	if err != nil {
		return nil, err
	}
	return parseDocument(string(plain)), nil
}

var errTooLarge = fmt.Errorf("it is larger than %d MiB, which is no file of secrets", maxDocument>>20)

// partly says that a file holds encrypted values and is not encrypted itself.
func (d *document) partly() bool { return d.text.IsZero() && d.fields != nil }

// pickAnsible returns what a key chooses, decrypted. A file that is not encrypted as a whole gives encrypted values alone: the
// mode of such a file is nobody's concern.
func (o *Opener) pickAnsible(ctx context.Context, d *document, key string) (Secret, error) {
	if d.partly() && key == "" {
		return Secret{}, errors.New("it is encrypted only in parts: say which one by #key behind it")
	}
	s, err := d.pick(key)
	if err != nil {
		return Secret{}, err
	}
	if IsAnsibleVault([]byte(s.Reveal())) {
		plain, err := o.DecryptAnsibleVault(ctx, []byte(s.Reveal()))
		if err != nil {
			return Secret{}, err
		}
		return oneSecret(plain)
	}
	if d.partly() {
		return Secret{}, errors.New("this value stands there unencrypted: encrypt it with ansible-vault encrypt_string")
	}
	return s, nil
}
