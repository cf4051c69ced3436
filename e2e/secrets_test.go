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
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// secrets are made anew for each lab, so that none of them can be found anywhere by chance.
type secrets struct {
	password string // of admin
	hop      string // of hop on the bastions
	level    string // enable secret of simulated devices
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
	for _, p := range []*string{&s.password, &s.hop, &s.level, &s.wrong, &s.vty, &s.enable, &s.bgp, &s.bird} {
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
		"password": s.password, "hop password": s.hop, "enable secret": s.level, "wrong password": s.wrong, "vty password": s.vty,
		"frr enable password": s.enable, "bgp password": s.bgp, "bird password": s.bird, "private key": lines[4],
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

// mustNotBeIn fails the test if text holds a secret. Where text is meant to show configurations, those inside them are
// no leak; what logs in is one anywhere.
func (s *secrets) mustNotBeIn(t *testing.T, where, text string, configurations bool) {
	t.Helper()
	for name, needle := range s.needles() {
		inConfig := slices.Contains([]string{s.vty, s.enable, s.bgp, s.bird}, needle)
		if strings.Contains(text, needle) && !(configurations && inConfig) {
			t.Errorf("%s shows the %s", where, name)
		}
	}
}
