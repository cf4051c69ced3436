package session_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

func ecdsaKey(t *testing.T) ssh.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestKnownHostsFollowTheFile(t *testing.T) {
	t.Parallel()
	right, wrong, other := sessiontest.NewKey(t).PublicKey(), sessiontest.NewKey(t).PublicKey(), ecdsaKey(t).PublicKey()
	rsaPub, _, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := ssh.NewPublicKey(rsaPub)
	if err != nil {
		t.Fatal(err)
	}
	line := func(names string, key ssh.PublicKey) string {
		return knownhosts.Line(strings.Split(names, ","), key) + "\n"
	}
	hashed := knownhosts.HashHostname("sw1") + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(right))) + "\n"
	cases := []struct {
		name, file, addr string
		key              ssh.PublicKey
		code             string // empty: right
		first            string // algorithms to offer first
	}{
		{"known", line("sw1", right), "sw1:22", right, "", "ssh-ed25519"},
		{"known by another letter case", line("sw1", right), "SW1:22", right, "", "ssh-ed25519"},
		{"known among aliases", line("sw1,192.0.2.1", right), "192.0.2.1:22", right, "", "ssh-ed25519"},
		{"an IPv6 address", line("2001:db8::1", right), "[2001:db8::1]:22", right, "", "ssh-ed25519"},
		{"another port", line("[sw1]:2222", right), "sw1:2222", right, "", "ssh-ed25519"},
		{"another port is another host", line("sw1", right), "sw1:2222", right, "hostkey-unknown", ""},
		{"hashed", hashed, "sw1:22", right, "", "ssh-ed25519"},
		{"hashed, changed", hashed, "sw1:22", wrong, "hostkey-changed", "ssh-ed25519"},
		{"pattern", line("*.lab", right), "sw1.lab:22", right, "", "ssh-ed25519"},
		{"pattern with a port", "[*.lab]:2222" + strings.TrimPrefix(line("x", right), "x"), "sw1.lab:2222", right, "", "ssh-ed25519"},
		{"negated", line("*.lab,!sw1.lab", right), "sw1.lab:22", right, "hostkey-unknown", ""},
		{"changed", line("sw1", right), "sw1:22", wrong, "hostkey-changed", "ssh-ed25519"},
		{"another type is changed", line("sw1", right), "sw1:22", other, "hostkey-changed", "ssh-ed25519"},
		{"one of several types", line("sw1", right) + line("sw1", other), "sw1:22", other, "", "ssh-ed25519 ecdsa-sha2-nistp256"},
		{"rsa", line("sw1", rsaKey), "sw1:22", rsaKey, "", "rsa-sha2-256 rsa-sha2-512 ssh-rsa"},
		{"revoked", "@revoked " + line("*", right) + line("sw1", right), "sw1:22", right, "hostkey-changed", "ssh-ed25519"},
		{"another one revoked", "@revoked " + line("*", wrong) + line("sw1", right), "sw1:22", right, "", "ssh-ed25519"},
		{"certificate authority", "@cert-authority " + line("*", right), "sw1:22", right, "hostkey-unknown", ""},
		{"comments and rubbish", "# c\n\nsw1\nsw1 ssh-rsa\nsw1 ssh-rsa AAAA\nsw1 x !!!\n" + line("sw1", right), "sw1:22", right, "", "ssh-ed25519"},
		{"empty", "", "sw1:22", right, "hostkey-unknown", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			keys, err := session.OpenKnownHosts(false, write(t, tc.file))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(keys.Algorithms(tc.addr), " "); got != tc.first {
				t.Fatalf("algorithms %s, want %s", got, tc.first)
			}
			err = keys.Check(tc.addr, nil, tc.key)
			if tc.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			e := wantFailure(t, err, "hostkey", tc.code)
			if !strings.Contains(e.Error(), ssh.FingerprintSHA256(tc.key)) {
				t.Fatalf("no fingerprint in %v", e)
			}
			if tc.code == "hostkey-changed" && tc.name != "revoked" && !strings.Contains(e.Error(), ssh.FingerprintSHA256(right)) {
				t.Fatalf("the recorded fingerprint is not in %v", e)
			}
		})
	}
}

func TestFirstUseIsTrustedThenStrict(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data", "known_hosts")
	keys, err := session.OpenKnownHosts(true, file)
	if err != nil {
		t.Fatal(err)
	}
	a, b := sessiontest.NewKey(t).PublicKey(), sessiontest.NewKey(t).PublicKey()
	if err := keys.Check("sw1:22", nil, a); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v, %v", info, err)
	}
	wantFailure(t, keys.Check("sw1:22", nil, b), "hostkey", "hostkey-changed")
	if err := session.TrustKey(file, "sw1", b); err != nil { // by another process
		t.Fatal(err)
	}
	if err := keys.Check("sw1:22", nil, b); err != nil {
		t.Fatalf("the accepted key is not taken: %v", err)
	}
	wantFailure(t, keys.Check("sw1:22", nil, a), "hostkey", "hostkey-changed")
}

func TestThousandSessionsRecordAtOnce(t *testing.T) {
	t.Parallel()
	file := write(t, strings.TrimSuffix(knownhosts.Line([]string{"old"}, sessiontest.NewKey(t).PublicKey()), "\n")) // no newline at the end
	keys, err := session.OpenKnownHosts(true, file)
	if err != nil {
		t.Fatal(err)
	}
	key := sessiontest.NewKey(t).PublicKey()
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			if err := keys.Check(fmt.Sprintf("sw%d:22", i/2), nil, key); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	data, err := os.ReadFile(file)
	if err != nil || bytes.Count(data, []byte("\n")) != 501 {
		t.Fatalf("got %d lines, %v", bytes.Count(data, []byte("\n")), err)
	}
	check, err := knownhosts.New(file) // another reader of the same format
	if err != nil {
		t.Fatal(err)
	}
	if err := check("sw499:22", sessionAddr{}, key); err != nil {
		t.Fatal(err)
	}
}

type sessionAddr struct{}

func (sessionAddr) Network() string { return "tcp" }
func (sessionAddr) String() string  { return "192.0.2.1:22" }

func TestTrustReplacesOneHostOnly(t *testing.T) {
	t.Parallel()
	old, other := sessiontest.NewKey(t).PublicKey(), ecdsaKey(t).PublicKey()
	hashed := knownhosts.HashHostname("sw1") + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(old)))
	text := "# mine\n" + knownhosts.Line([]string{"sw1", "sw1.lab"}, old) + " comment\n" + knownhosts.Line([]string{"sw2"}, old) + "\n" + hashed + "\n" +
		knownhosts.Line([]string{"sw1"}, other) + "\n@revoked " + knownhosts.Line([]string{"*"}, other) + "\nlast without newline"
	file := write(t, text)
	fresh := sessiontest.NewKey(t).PublicKey()
	if err := session.TrustKey(file, "sw1:22", fresh); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "# mine\n" + knownhosts.Line([]string{"sw1.lab"}, old) + " comment\n" + knownhosts.Line([]string{"sw2"}, old) + "\n" +
		"@revoked " + knownhosts.Line([]string{"*"}, other) + "\nlast without newline\n" + knownhosts.Line([]string{"sw1"}, fresh) + "\n"
	if string(data) != want {
		t.Fatalf("got\n%s\nwant\n%s", data, want)
	}
	recorded, err := session.RecordedKeys(file, "sw1")
	if err != nil || len(recorded) != 1 || ssh.FingerprintSHA256(recorded[0]) != ssh.FingerprintSHA256(fresh) {
		t.Fatalf("got %v, %v", recorded, err)
	}
}

func TestHostKeysOverTheWire(t *testing.T) {
	t.Parallel()
	srv := sessiontest.Start(t, sessiontest.Device{Password: "s3cret", Configure: func(c *ssh.ServerConfig) { c.AddHostKey(ecdsaKey(t)) }})
	c := srv.Config(t)
	s, err := session.Dial(t.Context(), srv.Addr, c) // Go would ask for ecdsa first; ed25519 is on record
	if err != nil {
		t.Fatal(err)
	}
	if i := s.Info(); i.HostKey != "ssh-ed25519" || i.Fingerprint != ssh.FingerprintSHA256(srv.HostKey()) || len(s.Offered().HostKeys) != 2 || i.Kex == "" || i.Cipher == "" {
		t.Fatalf("info %+v", i)
	}
	s.Close()
	key, err := session.FetchHostKey(t.Context(), srv.Addr, c)
	if err != nil || ssh.FingerprintSHA256(key) != ssh.FingerprintSHA256(srv.HostKey()) {
		t.Fatalf("got %v, %v", key, err)
	}
	changed := write(t, "")
	if err := session.TrustKey(changed, srv.Addr, sessiontest.NewKey(t).PublicKey()); err != nil {
		t.Fatal(err)
	}
	if c.HostKeys, err = session.OpenKnownHosts(true, changed); err != nil {
		t.Fatal(err)
	}
	asked := false
	c.Credentials[0].Password = func(context.Context) (string, error) { asked = true; return "s3cret", nil }
	_, err = session.Dial(t.Context(), srv.Addr, c)
	wantFailure(t, err, "hostkey", "hostkey-changed")
	if asked {
		t.Fatal("the secret was read for a host with the wrong key")
	}
	_, err = session.FetchHostKey(t.Context(), "127.0.0.1:1", c)
	wantFailure(t, err, "connect", "refused")
}

func TestZeroConfigIsStrict(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	srv := sessiontest.Start(t, sessiontest.Device{Commands: map[string]string{"x": "y\n"}})
	_, err := session.Dial(t.Context(), srv.Addr, session.Config{})
	wantFailure(t, err, "hostkey", "hostkey-unknown")
	if err := session.TrustKey(filepath.Join(home, ".ssh", "known_hosts"), srv.Addr, srv.HostKey()); err != nil {
		t.Fatal(err)
	}
	err = session.With(t.Context(), srv.Addr, session.Config{}, func(ctx context.Context, s *session.Session) error {
		out, err := s.Run(ctx, "x")
		if out.Text != "y\n" {
			t.Errorf("got %q", out.Text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
