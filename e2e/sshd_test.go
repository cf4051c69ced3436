//go:build e2e && linux

package e2e

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// sshdConfig is the whole configuration of a node's OpenSSH. A keyword counts where it stands first, so the node's own
// lines lead.
func sshdConfig(n *node) string {
	lines := append([]string{}, n.sshd...)
	for _, kind := range n.hostKeyKinds() {
		lines = append(lines, "HostKey /run/lab/host_"+kind)
	}
	lines = append(lines,
		"PidFile /run/lab/sshd.pid",
		"LogLevel VERBOSE",
		"PasswordAuthentication yes",
		"KbdInteractiveAuthentication no",
		"UsePAM no",
		"UseDNS no",
		"PermitRootLogin no",
		"AllowTcpForwarding yes",
		"MaxStartups 1000:30:2000",
	)
	return strings.Join(lines, "\n") + "\n"
}

// writeHostKey makes the host key of a node and keeps it beside the node's files.
func (l *lab) writeHostKey(n *node, kind string) error {
	block, err := newHostKey(kind)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(n.dir, "host_"+kind), pem.EncodeToMemory(block), 0o600)
}

// hostPublicKey reads the first key that a node shows.
func (n *node) hostPublicKey() (ssh.PublicKey, error) {
	if n.kind == "tiny" { // it makes its own
		text, err := n.file("/run/lab/host.pub")
		if err != nil {
			return nil, err
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
		return key, err
	}
	text, err := os.ReadFile(filepath.Join(n.dir, "host_"+n.hostKeyKinds()[0]))
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	return signer.PublicKey(), nil
}

// changeHostKey gives a running OpenSSH another host key, as a replaced device would have.
func (l *lab) changeHostKey(n *node) error {
	if err := l.writeHostKey(n, "ed25519"); err != nil {
		return err
	}
	const restart = `kill "$(cat /run/lab/sshd.pid)"
while [ -e /run/lab/sshd.pid ]; do :; done
install -m 600 "$1/host_ed25519" /run/lab/host_ed25519
exec /usr/sbin/sshd -f /run/lab/sshd_config -E /run/lab/sshd.log`
	_, err := n.output("/bin/sh", "-c", restart, "restart", n.dir)
	return err
}

// failedLogins counts the logins that a node's SSH server has refused to passwords.
func (n *node) failedLogins() (int, error) {
	log, err := n.file("/run/lab/sshd.log")
	if err != nil {
		return 0, err
	}
	count := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, "Failed password") || strings.Contains(line, "Failed keyboard-interactive") ||
			strings.Contains(line, "Bad password attempt") {
			count++
		}
	}
	return count, nil
}
