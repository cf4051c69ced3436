package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster"
	"github.com/musternet/muster/secret"
	"github.com/musternet/muster/session"
)

// loginClock adds up what the handshake and the authentication of one device took, and tells how the login went as soon
// as that is known: what the device does afterwards takes long for other reasons.
type loginClock struct {
	tell func(time.Duration, bool) // nil: nobody wants to know
	took time.Duration
	told bool
}

func (l *loginClock) trace(next func(string, time.Duration, string)) func(string, time.Duration, string) {
	return func(stage string, took time.Duration, detail string) {
		if stage == "banner" || stage == string(muster.StageHandshake) || stage == string(muster.StageAuth) {
			l.took += took
		}
		if stage == string(muster.StageAuth) && l.tell != nil && !l.told {
			l.told = true
			l.tell(l.took, false)
		}
		if next != nil {
			next(stage, took, detail)
		}
	}
}

// failed tells of a failure that load may explain: the device said so, or it broke off or fell silent in the middle of
// the login. What a device refuses for another reason says nothing about load.
func (l *loginClock) failed(err error) {
	e, ok := errors.AsType[*session.Error](err)
	if l.tell == nil || !ok {
		return
	}
	stage := muster.Stage(e.Stage)
	inLogin := stage == muster.StageHandshake || stage == muster.StageAuth
	if e.Code == "login-refused" || inLogin && e.Code == "connection-lost" || stage == muster.StageAuth && e.Code == "timeout" {
		l.tell(0, true)
	}
}

// keyFiles reads private key files once, however many devices use them.
type keyFiles struct {
	mu    sync.Mutex
	files map[string]*keyFile
}

type keyFile struct {
	mu     sync.Mutex
	signer ssh.Signer // nil: not read yet
}

// errKeyLocked says that a key file has a passphrase that nobody gave.
var errKeyLocked = errors.New("the key file is locked by a passphrase")

// signers reads the key files of a credential. One that is locked is the agent's business where there is one.
func (k *keyFiles) signers(c secret.Credential) func(context.Context) ([]ssh.Signer, error) {
	return func(ctx context.Context) ([]ssh.Signer, error) {
		var signers []ssh.Signer
		for _, path := range c.Keys {
			signer, err := k.file(path).read(ctx, path, c.Passphrase)
			if errors.Is(err, errKeyLocked) && c.Agent {
				continue
			}
			if err != nil {
				return nil, err
			}
			signers = append(signers, signer)
		}
		return signers, nil
	}
}

// read returns the key, from the file the first time. A failure is not kept: it may be the reader's that was in a hurry.
func (f *keyFile) read(ctx context.Context, path string, passphrase secret.Source) (ssh.Signer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signer != nil {
		return f.signer, nil
	}
	signer, err := readKey(ctx, path, passphrase)
	f.signer = signer
	return signer, err
}

func (k *keyFiles) file(path string) *keyFile {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files == nil {
		k.files = map[string]*keyFile{}
	}
	if k.files[path] == nil {
		k.files[path] = &keyFile{}
	}
	return k.files[path]
}

func readKey(ctx context.Context, path string, passphrase secret.Source) (ssh.Signer, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(pem)
	_, locked := errors.AsType[*ssh.PassphraseMissingError](err)
	if locked && passphrase != nil {
		phrase, err := passphrase.Secret(ctx)
		if err != nil {
			return nil, fmt.Errorf("passphrase of key file %s: %w", path, err)
		}
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(phrase.Reveal())); err != nil {
			return nil, fmt.Errorf("key file %s: the passphrase does not fit", path)
		}
		return signer, nil
	}
	if locked {
		return nil, fmt.Errorf("key file %s: %w: give its credential a passphrase, or its key to the agent", path, errKeyLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return signer, nil
}
