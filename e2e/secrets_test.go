//go:build e2e && linux

package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// secrets are made anew for each lab, so that none of them can be found anywhere by chance.
type secrets struct {
	password string // of admin
	hop      string // of hop on the bastions
	wrong    string // of nobody
	vty      string // in FRR's configuration
	enable   string // in FRR's configuration
	bgp      string // in FRR's configuration
	bird     string // in BIRD's configuration

	keyFile string // the private key of both users
	public  ssh.PublicKey
	signer  ssh.Signer
	keyText string // base64 of the key file
}

// newSecrets makes them and writes the key file.
func newSecrets(dir string) (*secrets, error) {
	s := &secrets{keyFile: filepath.Join(dir, "id_ed25519")}
	for _, p := range []*string{&s.password, &s.hop, &s.wrong, &s.vty, &s.enable, &s.bgp, &s.bird} {
		b := make([]byte, 9)
		rand.Read(b)
		*p = "Zq" + hex.EncodeToString(b)
	}
	block, err := newHostKey("ed25519")
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(block)
	if s.signer, err = ssh.ParsePrivateKey(text); err != nil {
		return nil, err
	}
	s.public = s.signer.PublicKey()
	s.keyText = string(text)
	return s, os.WriteFile(s.keyFile, text, 0o600)
}

// needles are the texts that nothing but a configuration may show.
func (s *secrets) needles() map[string]string {
	lines := strings.Split(s.keyText, "\n")
	return map[string]string{
		"password": s.password, "hop password": s.hop, "wrong password": s.wrong, "vty password": s.vty,
		"enable password": s.enable, "bgp password": s.bgp, "bird password": s.bird, "private key": lines[4],
	}
}

// newHostKey makes a private key in OpenSSH's own form.
func newHostKey(kind string) (*pem.Block, error) {
	if kind == "rsa" {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		return ssh.MarshalPrivateKey(key, "")
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.MarshalPrivateKey(key, "")
}
