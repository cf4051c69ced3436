package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// identities reads the identity files. They are read anew for each file that is decrypted, which is rare; what a passphrase
// locks is unlocked once.
func (o *Opener) identities(ctx context.Context, lock *locked) ([]age.Identity, error) {
	var all []age.Identity
	for _, path := range o.Age.Identities {
		some, err := o.identityFile(ctx, path, lock)
		if err != nil {
			return nil, fmt.Errorf("identity file %s: %w", path, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func (o *Opener) identityFile(ctx context.Context, path string, lock *locked) ([]age.Identity, error) {
	data, err := readPrivate(path, maxBytes)
	if err != nil {
		return nil, err
	}
	if isAge(data) {
		plain, _, err := shared(o, &o.unlocked, path, held(o, func(ctx context.Context) (Secret, error) {
			return o.unlockIdentity(ctx, path)
		})).get(ctx)
		if err != nil {
			return nil, err
		}
		data = []byte(plain.Reveal())
	}
	if bytes.Contains(data, []byte("PRIVATE KEY-----")) {
		return sshIdentity(data, path, lock)
	}
	if agePlugin.Match(data) {
		return nil, errors.New("it names a plug-in of age (a line that begins AGE-PLUGIN-), which muster does not run: use an identity of age-keygen or an SSH key")
	}
	all, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil { // its words may quote the file
		return nil, errors.New("it holds neither age identities (lines that begin AGE-SECRET-KEY-) alone nor an SSH private key")
	}
	return all, nil
}

// agePlugin is an identity that a program opens, such as that of a hardware key.
var agePlugin = regexp.MustCompile(`(?m)^\s*AGE-PLUGIN-`)

// unlockIdentity opens an identity file that age encrypted with a passphrase.
func (o *Opener) unlockIdentity(ctx context.Context, path string) (Secret, error) {
	data, err := readPrivate(path, maxBytes)
	if err != nil {
		return Secret{}, err
	}
	lock := &locked{o: o, ctx: ctx, name: path}
	plain, err := unlock(data, lock, []age.Identity{lock})
	if err != nil && lock.err == nil && !errors.Is(err, errAgeDamaged) {
		return Secret{}, errors.New("it is not locked by a passphrase but encrypted for another identity")
	}
	return New(string(plain)), err
}

// sshIdentity makes an identity of an SSH key. The passphrase of a locked one is asked for when a file is encrypted for it.
func sshIdentity(data []byte, path string, lock *locked) ([]age.Identity, error) {
	identity, err := agessh.ParseIdentity(data)
	if err == nil {
		return []age.Identity{identity}, nil
	}
	var missing *ssh.PassphraseMissingError
	if !errors.As(err, &missing) {
		return nil, errors.New("it is no SSH key that age can use: Ed25519 and RSA are")
	}
	if missing.PublicKey == nil {
		return nil, errors.New("its passphrase is of an old format that does not name the public key: ssh-keygen -p rewrites it")
	}
	of := &locked{o: lock.o, ctx: lock.ctx, name: path}
	locked, err := agessh.NewEncryptedSSHIdentity(missing.PublicKey, data, func() ([]byte, error) {
		s, err := of.passphrase()
		if err != nil {
			lock.err = fmt.Errorf("identity file %s: %w", path, err)
		}
		return []byte(s.Reveal()), err
	})
	if err != nil {
		return nil, errors.New("it is no SSH key that age can use: Ed25519 and RSA are")
	}
	return []age.Identity{&sshLocked{locked, lock, path}}, nil
}

// sshLocked tells of a passphrase that does not fit in own words.
type sshLocked struct {
	*agessh.EncryptedSSHIdentity
	lock *locked
	path string
}

// Unwrap opens the file key.
func (s *sshLocked) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	key, err := s.EncryptedSSHIdentity.Unwrap(stanzas)
	if err != nil && !errors.Is(err, age.ErrIncorrectIdentity) && s.lock.err == nil {
		s.lock.err = fmt.Errorf("identity file %s: its passphrase does not fit", s.path)
	}
	return key, err
}

// locked is an identity that asks for a passphrase once it is clear that one is needed.
type locked struct {
	o    *Opener
	ctx  context.Context // of the one call of Decrypt that this is for: age's Unwrap has none
	name string
	err  error // why there is no key; age itself would keep only its text
}

// maxWork is the highest work factor of a passphrase: 2^20 takes 1 GiB and a few seconds; age itself uses 2^18.
const maxWork = 20

// Unwrap asks for the passphrase where one locks the file.
func (l *locked) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" {
		return nil, age.ErrIncorrectIdentity
	}
	s, err := l.passphrase()
	if err != nil {
		l.err = err
		return nil, err
	}
	identity, err := age.NewScryptIdentity(s.Reveal())
	if err != nil {
		l.err = errors.New("its passphrase is empty")
		return nil, l.err
	}
	identity.SetMaxWorkFactor(maxWork)
	key, err := identity.Unwrap(stanzas)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		l.err = errors.New("its passphrase does not fit")
		return nil, l.err
	}
	return key, err
}

func (l *locked) passphrase() (Secret, error) {
	if l.o.Age.Passphrase != nil {
		s, err := l.o.Age.Passphrase.Secret(l.ctx)
		if err != nil {
			return Secret{}, fmt.Errorf("its passphrase: %w", err)
		}
		return s, nil
	}
	s, err := l.o.asked(l.ctx, "Passphrase of "+l.name)
	if errors.Is(err, errNobody) {
		return Secret{}, errors.New("its passphrase: nobody can be asked here: name it in secrets: age: passphrase")
	}
	if err != nil {
		return Secret{}, fmt.Errorf("its passphrase: %w", err)
	}
	return s, nil
}
