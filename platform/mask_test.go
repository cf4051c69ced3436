package platform_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
)

func lookup(t testing.TB, name string) *platform.Def {
	t.Helper()
	d, ok := platform.Lookup(name)
	if !ok {
		t.Fatalf("no platform %s", name)
	}
	return d
}

func TestMaskLeavesWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"cisco_ios": {
			"password encryption aes", "service password-encryption", "key chain OSPF\n key 12", "ntp server 192.0.2.1 key 1", "ip ssh pubkey-chain",
			"route-map X permit 10\n set community 64512:1", "ip community-list standard X permit 64512:1", "aaa authentication password-prompt Login:",
			"snmp-server host 192.0.2.1 version 3 priv nms", "snmp-server group NMS v3 priv", "crypto key generate rsa",
		},
		"juniper_junos": {
			"    authentication-order [ tacplus password ];", "policy-options {\n    community CUST members 64512:1;", "        community add CUST;",
			`        ssh-ed25519 "ssh-ed25519 AAAAC3Nza netops@example.net";`,
		},
		"mikrotik_routeros": {`add public-key="abc="`, "/ip pool\nadd name=users", `set [ find default=yes ] supplicant-identity=MikroTik`},
		"fortinet_fortios":  {"config firewall policy\n    edit 1\n        set name \"x\""},
		"arista_eos":        {"key chain X", "route-map X permit 10\n   set community 64512:100"},
		"frr":               {" set community 64512:100 additive", "key chain X\n key 1"},
		"linux":             {"PublicKey=abc", "nameserver 192.0.2.53"},
	} {
		for _, text := range lines {
			if got := lookup(t, name).Mask([]byte(text)); string(got) != text {
				t.Errorf("%s: %q became %q", name, text, got)
			}
		}
	}
}

func TestSecretsOfAnyPlatformAreMasked(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"root:$6$salt$W4lrusW4lrus:19000:0:99999:7:::", "copy scp://backup:W4lrus@192.0.2.1/x", "-----BEGIN RSA PRIVATE KEY-----\nW4lrus\nW4lrus\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN OPENSSH PRIVATE KEY-----\n+W4lrus", `"-----BEGIN ENCRYPTED PRIVATE KEY-----` + "\r\nW4lrus\r\n-----END ENCRYPTED PRIVATE KEY-----\"\r\n",
	} {
		for _, name := range platform.Names() {
			if got := lookup(t, name).Mask([]byte(line)); bytes.Contains(got, []byte("W4lrus")) {
				t.Errorf("%s: %q became %q", name, line, got)
			}
		}
		if got := platform.MaskAny([]byte(line)); bytes.Contains(got, []byte("W4lrus")) {
			t.Errorf("MaskAny: %q became %q", line, got)
		}
	}
}

func TestASectionThatIsNotKnownIsTakenForTheWorst(t *testing.T) {
	t.Parallel()
	d := lookup(t, "juniper_junos")
	for text, masked := range map[string]bool{
		"    community w4lrus {":                                  true,  // a part of a configuration
		"snmp {\n    community w4lrus {":                          true,  // where it belongs
		"policy-options {\n    from community w4lrus;":            false, // where it is something else
		"policy-options {\n@@ -1 +1 @@\n+    community w4lrus;\n": true,  // a diff, whose sections are not to be seen
	} {
		if got := string(d.Mask([]byte(text))); strings.Contains(got, "w4lrus") == masked {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestHashTellsSecretsApart(t *testing.T) {
	t.Parallel()
	d := lookup(t, "cisco_ios")
	one := string(d.Hash([]byte("snmp-server community one RO"), []byte("k")))
	two := string(d.Hash([]byte("snmp-server community two RO"), []byte("k")))
	if one == two || len(one) != len("snmp-server community <secret:xxxxxxxxxxxx> RO") || !strings.HasPrefix(one, "snmp-server community <secret:") {
		t.Errorf("got %q and %q", one, two)
	}
	if again := string(d.Hash([]byte(one), []byte("k"))); again != one {
		t.Errorf("hashed twice: %q", again)
	}
}

func FuzzMask(f *testing.F) {
	for _, r := range platform.Recordings() {
		if text := r.Want.Config; len(text) > 0 {
			f.Add([]byte(text[:min(len(text), 2000)]))
			f.Add([]byte(text[len(text)/2 : min(len(text), len(text)/2+1000)]))
		}
	}
	f.Add([]byte("enable secret 9 $9$a$bcdef\r\n<secret>\n<secret:0123456789ab>\nset password ENC <secret>"))
	f.Add([]byte("add password=\\\n  \"x\\\n  y\"\n-----BEGIN PRIVATE KEY-----\na\n-----END "))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range platform.Names() {
			d := lookup(t, name)
			steady(t, name+" Mask", text, d.Mask)
			steady(t, name+" Hash", text, func(b []byte) []byte { return d.Hash(b, []byte("key")) })
			if once := d.Clean(text); !bytes.Equal(d.Clean(once), once) {
				t.Fatalf("%s: Clean of %.200q: %.300q, then %.300q", name, text, once, d.Clean(once))
			}
		}
		steady(t, "MaskAny", text, platform.MaskAny)
	})
}

// steady demands that f keeps the number of lines, and what it has masked.
func steady(t *testing.T, name string, text []byte, f func([]byte) []byte) {
	t.Helper()
	once := f(text)
	if got, want := bytes.Count(once, []byte("\n")), bytes.Count(text, []byte("\n")); got != want {
		t.Fatalf("%s: %d lines of %.300q, want %d", name, got, once, want)
	}
	if twice := f(once); !bytes.Equal(twice, once) {
		t.Fatalf("%s: %.300q, then %.300q, then %.300q", name, text, once, twice)
	}
}
