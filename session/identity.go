package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// DefaultCredential is what ssh itself would use: the current user, the agent and the identity files in ~/.ssh.
func DefaultCredential() Credential {
	return Credential{Name: orElse(currentUser(), "default"), Agent: true, Keys: defaultKeys}
}

// defaultKeys reads the identity files that are there; those with a passphrase are the agent's business.
func defaultKeys(context.Context) ([]ssh.Signer, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, nil // no home, no identity files
	}
	var signers []ssh.Signer
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		file := filepath.Join(home, ".ssh", name)
		pem, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKey(pem)
		if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		signers = append(signers, signer)
	}
	return signers, nil
}

// gather collects the signers once: the agent's first, as ssh does.
func (a *auth) gather() *Error {
	if a.gathered {
		return nil
	}
	a.gathered = true
	if a.cred.Agent {
		a.askAgent()
	}
	if a.cred.Keys == nil {
		return nil
	}
	keys, err := a.cred.Keys(a.ctx)
	if err != nil {
		return failf(stageAuth, "secret-missing", "%s: %w", a.cred.label(), err)
	}
	a.signers = append(a.signers, keys...)
	return nil
}

// askAgent adds the agent's keys. An agent that is not there has none; that is no failure, as with ssh.
func (a *auth) askAgent() {
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return
	}
	d := net.Dialer{Timeout: a.dialer.limits.Auth}
	conn, err := d.DialContext(a.ctx, "unix", socket)
	if err != nil {
		return
	}
	a.agent = conn
	a.dialer.watch.add(conn)
	_ = conn.SetDeadline(time.Now().Add(a.dialer.limits.Auth))
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		a.closeAgent()
		return
	}
	a.signers = append(a.signers, signers...)
}

func (a *auth) closeAgent() {
	if a.agent != nil {
		a.dialer.watch.drop(a.agent)
		a.agent = nil
	}
}
