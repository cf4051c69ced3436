//go:build e2e && linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestAHostKeyIsTrustedOnceAndThenStrictly(t *testing.T) {
	s, n := newSite(t), the.nodes["rekey"]
	r := of("rekey")
	list := s.inventory(t, r)
	s.expect(t, []row{r}, 0, "backup", "-i", list, "-o", "ndjson")
	before, err := n.hostPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	known, err := os.ReadFile(filepath.Join(s.data, "known_hosts"))
	if err != nil || !strings.Contains(string(known), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(before)))) {
		t.Fatalf("known_hosts: %v: %s", err, known)
	}

	if err := the.changeHostKey(n); err != nil {
		t.Fatal(err)
	}
	after, err := n.hostPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	refused, err := n.failedLogins()
	if err != nil {
		t.Fatal(err)
	}
	r.want = "hostkey hostkey-changed"
	o := s.expect(t, []row{r}, 1, "backup", "-i", list, "-o", "ndjson")["rekey"]
	for _, key := range []ssh.PublicKey{before, after} {
		if !strings.Contains(o.Error, ssh.FingerprintSHA256(key)) {
			t.Errorf("%s is not named in %q", ssh.FingerprintSHA256(key), o.Error)
		}
	}
	if !strings.Contains(o.Hint, "muster device trust rekey") {
		t.Errorf("the hint does not say what to do: %q", o.Hint)
	}
	if now, err := n.failedLogins(); err != nil || now != refused {
		t.Errorf("a login was tried on the changed host: %d -> %d, %v", refused, now, err)
	}

	if out := s.ok(t, "device", "trust", "rekey", "-i", list); !strings.Contains(out, ssh.FingerprintSHA256(after)) {
		t.Errorf("device trust does not say which key: %s", out)
	}
	r.want = "unchanged"
	s.expect(t, []row{r}, 0, "backup", "-i", list, "-o", "ndjson")
}
