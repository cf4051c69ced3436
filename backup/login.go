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

// loginClock adds up what the handshake and the authentication of one device took, and tells how the login went.
type loginClock struct {
	tell func(time.Duration, bool)
	took time.Duration
}

func (l *loginClock) trace(next func(string, time.Duration, string)) func(string, time.Duration, string) {
	return func(stage string, took time.Duration, detail string) {
		if s := muster.Stage(stage); s == muster.StageHandshake || s == muster.StageAuth {
			l.took += took
		}
		if next != nil {
			next(stage, took, detail)
		}
	}
}

func (l *loginClock) passed() {
	if l.tell != nil {
		l.tell(l.took, false)
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
	once   sync.Once
	signer ssh.Signer
	err    error
}

func (k *keyFiles) signers(c secret.Credential) func(context.Context) ([]ssh.Signer, error) {
	return func(ctx context.Context) ([]ssh.Signer, error) {
		var signers []ssh.Signer
		for _, path := range c.Keys {
			f := k.file(path)
			f.once.Do(func() { f.signer, f.err = readKey(ctx, path, c.Passphrase) })
			if f.err != nil {
				return nil, f.err
			}
			signers = append(signers, f.signer)
		}
		return signers, nil
	}
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
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked && passphrase != nil {
		phrase, err := passphrase.Secret(ctx)
		if err != nil {
			return nil, fmt.Errorf("passphrase of key file %s: %w", path, err)
		}
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(phrase.Reveal())); err != nil {
			return nil, fmt.Errorf("key file %s: the passphrase does not fit", path)
		}
		return signer, nil
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return signer, nil
}
