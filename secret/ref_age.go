package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Age says how age: references are opened.
type Age struct {
	Identities []string // files of age identities or SSH private keys, that their owner alone may read; ~/ is the home
	Passphrase Source   // of what a passphrase locks, files and identities; nil: it is asked for. Not from an age: reference
}

// How what age encrypted begins, as text and as it is.
const (
	ageArmor = "-----BEGIN AGE ENCRYPTED FILE-----"
	ageIntro = "age-encryption.org/"
)

// openAge reads age:/path#key: an encrypted file that is a secret, or a set of them of which the key chooses one. What stands
// behind the colon may be an encrypted text itself.
func openAge(o *Opener, rest string) (reader, error) {
	if isInline(rest) {
		return held(o, func(ctx context.Context) (Secret, error) {
			plain, err := o.decryptAge(ctx, []byte(strings.TrimSpace(rest)), "the value")
			if err != nil {
				return Secret{}, fmt.Errorf("age: value: %w", err)
			}
			return oneSecret(plain)
		}), nil
	}
	path, key, err := cutKey("age", rest)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (Secret, time.Time, error) {
		d, until, err := shared(o, &o.texts, "age:"+path, held(o, func(ctx context.Context) (*document, error) {
			return o.ageFile(ctx, path)
		})).get(ctx)
		var s Secret
		if err == nil {
			s, err = d.pick(key)
		}
		return named("age:"+rest, s, until, err)
	}, nil
}

func (o *Opener) ageFile(ctx context.Context, path string) (*document, error) {
	data, err := readRegular(path, maxDocument, checkRegular)
	if err != nil {
		return nil, err
	}
	if len(data) > maxDocument {
		return nil, errTooLarge
	}
	plain, err := o.decryptAge(ctx, data, path)
	if err != nil {
		return nil, err
	}
	return parseDocument(string(plain)), nil
}

// isAge says whether age made a text.
func isAge(data []byte) bool {
	return bytes.HasPrefix(data, []byte(ageIntro)) || bytes.HasPrefix(bytes.TrimSpace(data), []byte(ageArmor))
}

// decryptAge decrypts with the first identity that fits. name is what a person is asked about.
func (o *Opener) decryptAge(ctx context.Context, data []byte, name string) ([]byte, error) {
	if !isAge(data) {
		return nil, errors.New("age did not make it: it begins otherwise")
	}
	lock := &locked{o: o, ctx: ctx, name: name}
	identities, err := o.identities(ctx, lock)
	if err != nil {
		return nil, err
	}
	return unlock(data, lock, append(identities, lock))
}

// unlock puts what goes wrong into own words: those of age say what is wrong with the format, and not what to do.
func unlock(data []byte, lock *locked, identities []age.Identity) ([]byte, error) {
	var text io.Reader = bytes.NewReader(data)
	if !bytes.HasPrefix(data, []byte(ageIntro)) {
		text = armor.NewReader(bytes.NewReader(bytes.TrimSpace(data)))
	}
	plain, err := age.Decrypt(text, identities...)
	var none *age.NoIdentityMatchError
	switch {
	case lock.err != nil:
		return nil, lock.err
	case errors.As(err, &none) && len(identities) == 1:
		return nil, errors.New("no identity is known that opens it: name a file in secrets: age: identities, or in MUSTER_AGE_IDENTITY")
	case errors.As(err, &none):
		return nil, fmt.Errorf("it was encrypted for others: no identity in %s opens it", strings.Join(lock.o.Age.Identities, ", "))
	case err != nil:
		return nil, errAgeDamaged
	}
	out, err := io.ReadAll(io.LimitReader(plain, maxDocument+1))
	if err != nil {
		return nil, errAgeDamaged
	}
	if len(out) > maxDocument {
		return nil, errTooLarge
	}
	return out, nil
}

var errAgeDamaged = errors.New("it is damaged or was changed since age encrypted it: age -d says more")
