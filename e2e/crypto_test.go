//go:build e2e && linux

package e2e

import (
	"strings"
	"testing"
)

func TestWeakAlgorithmsAreOfferedOnRequestOnlyAndShown(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"old1":      {"diffie-hellman-group14-sha1", "ssh-rsa", "aes128-cbc"},
		"old2":      {"diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc"},
		"oldcipher": {"3des-cbc"},
		"oldkey":    {"ssh-rsa"},
	}
	for name, algorithms := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			r := of(name)
			if a := s.muster(t, "device", "test", name, "-i", s.inventory(t, r)); a.code != 1 || !strings.Contains(a.stdout+a.stderr, "legacy") {
				t.Errorf("without legacy_crypto: exit %d, and no word of legacy_crypto:\n%s%s", a.code, a.stdout, a.stderr)
			}
			r.legacy = true
			out := s.ok(t, "device", "test", name, "-i", s.inventory(t, r))
			for _, algorithm := range algorithms {
				if !strings.Contains(out, algorithm) {
					t.Errorf("%s is not shown", algorithm)
				}
			}
			if !strings.Contains(strings.ToLower(out), "weak") {
				t.Errorf("nothing is called weak:\n%s", out)
			}
		})
	}
}

func TestDeviceTestGoesStageByStage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	out := s.ok(t, "device", "test", "r1", "-i", s.inventory(t, of("r1")))
	from := 0
	for _, stage := range []string{"connect", "handshake", "hostkey", "auth", "command"} {
		at := strings.Index(out[from:], stage)
		if at < 0 {
			t.Fatalf("no stage %s after %d bytes of\n%s", stage, from, out)
		}
		from += at
	}
	if strings.Contains(strings.ToLower(out), "weak") {
		t.Errorf("something is called weak on a server of today:\n%s", out)
	}
}
