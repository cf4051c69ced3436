package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/platform"
)

func TestADiffForNotificationsShowsNoSecret(t *testing.T) {
	t.Parallel()
	def, ok := platform.Lookup("cisco_ios")
	if !ok {
		t.Fatal("there is no such platform")
	}
	text := func(password, inKey string) []byte {
		var b strings.Builder
		fmt.Fprintf(&b, "hostname r1\nusername admin password 7 %s\ninterface Ethernet1\n no shutdown\n", password)
		b.WriteString("-----BEGIN RSA PRIVATE KEY-----\n")
		for i := range 9 {
			line := fmt.Sprintf("MIIEowIBAAKCAQEAline%d", i)
			if i == 4 {
				line = inKey
			}
			b.WriteString(line + "\n")
		}
		b.WriteString("-----END RSA PRIVATE KEY-----\nend\n")
		return []byte(b.String())
	}
	for name, def := range map[string]*platform.Def{"of a known platform": def, "of an unknown one": nil} {
		d, err := makeDiff(muster.Revision{}, muster.Revision{}, text("060506324F41", "MIIEowIBAAold"), text("13061E010803", "MIIEowIBAAnew"), def, hidden)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"060506324F41", "13061E010803", "MIIE"} {
			if strings.Contains(d.Unified, secret) {
				t.Errorf("%s: the diff shows %s:\n%s", name, secret, d.Unified)
			}
		}
		for _, line := range []string{"\n-username admin password ", "\n+username admin password ", " interface Ethernet1\n", "-<secret>\n+<secret>\n"} {
			if !strings.Contains(d.Unified, line) {
				t.Errorf("%s: the diff lacks %q:\n%s", name, line, d.Unified)
			}
		}
		if d.Added != 2 || d.Removed != 2 {
			t.Errorf("%s: got +%d -%d, want +2 -2", name, d.Added, d.Removed)
		}
	}
}
