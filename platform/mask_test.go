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
		`x "-----BEGIN RSA PRIVATE KEY-----\nW4lrus\n-----END RSA PRIVATE KEY-----\n"; ## x`,
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

// Lines as the vendors' manuals print them. Each is given below the header that it stands under, where it has one.
func TestSecretsOfEachVendorAreMasked(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"cisco_ios": {
			"aaa group server radius G\n server-private 192.0.2.1 key W4lrus", "crypto ikev2 keyring K\n  pre-shared-key hex W4lrus",
			"crypto isakmp client configuration group VPN\n key W4lrus", "crypto isakmp peer address 192.0.2.1\n set aggressive-mode password W4lrus",
			"router ospf 1\n area 0 virtual-link 192.0.2.1 authentication-key W4lrus", "mpls ldp neighbor 192.0.2.1 password W4lrus",
			"ip msdp password peer 192.0.2.1 7 W4lrus", "cts sxp default password W4lrus", "l2tp-class c\n digest secret W4lrus hash MD5",
			"vpdn-group 1\n l2tp tunnel password W4lrus", "ldap server L\n bind authenticate root-dn cn=x password W4lrus",
			"key chain M macsec\n key 1\n  key-octet-string 7 W4lrus", "event manager environment _pass W4lrus", "ip scp password W4lrus",
			"interface x\n ospfv3 authentication ipsec spi 500 sha1 W4lrus", "key config-key password-encrypt W4lrus",
			"interface x\n ospfv3 encryption ipsec spi 1 esp aes-cbc 128 W4lrus sha1 W4lrus", "interface x\n ipv6 ospf authentication ipsec spi 5 sha1 7 W4lrus",
			"interface x\n ospfv3 encryption ipsec spi 1 esp null sha1 W4lrus", "snmp-server community 7 W4lrus RO", "snmp mib community-map W4lrus engineid 80",
		},
		"cisco_iosxr": {
			"snmp-server user u g v3 auth sha-256 encrypted W4lrus priv aes 256 encrypted W4lrus", "key chain K\n key 1\n  key-string password6 W4lrus",
			"key chain M\n macsec\n  key 1\n   key-string password W4lrus cryptographic-algorithm aes-256-cmac",
			"aaa server radius dynamic-author\n client 192.0.2.1 vrf default\n  server-key 7 W4lrus", "router isis X\n interface x\n  hello-password accept encrypted W4lrus",
			"router vrrp\n interface x\n  address-family ipv4\n   vrrp 1\n    text-authentication W4lrus", "crypto ca trustpoint T\n challenge-password W4lrus",
			"router hsrp\n interface x\n  address-family ipv4\n   hsrp 1\n    authentication W4lrus", "ftp client anonymous-password W4lrus",
		},
		"cisco_nxos": {
			"key chain M macsec\n  key 1\n    key-octet-string 7 W4lrus cryptographic-algorithm AES_128_CMAC", "fcsp dhchap password 7 W4lrus",
			"ip msdp password 192.0.2.1 3 W4lrus", "cts device-id x password 7 W4lrus", "interface Vlan1\n  hsrp 1\n    authentication W4lrus",
			"cts sxp connection peer 192.0.2.1 source 192.0.2.2 password required W4lrus mode listener", `ldap-server host 192.0.2.1 rootDN "cn=x" password 7 "W4lrus" port 389`,
			"interface x\n  ospfv3 authentication ipsec spi 300 md5 W4lrus",
		},
		"cisco_asa": {
			"aaa-server T (inside) host 192.0.2.1\n radius-common-pw W4lrus", "tunnel-group x ipsec-attributes\n ikev2 local-authentication pre-shared-key hex W4lrus",
			"key chain K\n key 1\n  key-string W4lrus cryptographic-algorithm md5", "webvpn\n http-proxy 192.0.2.1 8080 username u password W4lrus",
			"webvpn\n sso-server x type siteminder\n  policy-server-secret W4lrus", "router ospf 1\n area 0 virtual-link 192.0.2.1 authentication-key W4lrus hello-interval 5",
		},
		"arista_eos": {
			"mac security\n   profile X\n      key abcd1234 7 W4lrus fallback", "management security\n   shared-secret profile P\n      secret 0 7 W4lrus receive-lifetime infinite",
			"dot1x\n   supplicant profile P\n      passphrase 7 W4lrus", "router ospfv3\n   area 0 authentication ipsec spi 34 sha1 passphrase 7 W4lrus",
		},
		"aruba_aoscx": {"interface x\n    vrrp 1 address-family ipv4\n        authentication text W4lrus"},
		"fortinet_fortios": {
			`set passphrase "two \"W4lrus\" words"`, "set secondary-key W4lrus", "set wifi-passphrase W4lrus", "set authentication-key W4lrus", "set passwd1 W4lrus",
			`set auth-string "W4lrus"`, "set client-secret W4lrus", `set preshared-key "W4lrus"`, "set mka-cak W4lrus", "set captive-portal-radius-secret W4lrus",
		},
		"frr": {
			"interface x\n ipv6 ospf6 authentication key-id 1 hash-algo md5 key W4lrus", "interface x\n openfabric password md5 W4lrus", "msdp peer 192.0.2.1 password W4lrus",
			"router ospf\n area 0 virtual-link 192.0.2.1 authentication-key W4lrus",
		},
		"juniper_junos": {
			"security {\n    macsec {\n        cak W4lrus;", "snmp {\n    community \"W4lrus with blanks\" {", `something-new "W4lrus"; ## SECRET-DATA`,
			"something-new W4lrus; ## SECRET-DATA",
		},
		"linux": {
			"psk=two W4lrus words", "WPA_PSK='two W4lrus'", "KEY1=W4lrus", "KEY_PASSPHRASE1=s:W4lrus", "    wpa-private-key-passwd W4lrus", "    wpa-wep-key0 W4lrus",
			"      key: W4lrus", "        private: W4lrus", "        shared: W4lrus", "pin=W4lrus", "Key=W4lrus", "    wireless-key1 W4lrus",
		},
		"mikrotik_routeros": {
			"/interface macsec\nadd cak=W4lrus ckn=ab", "/tool romon\nset secrets=W4lrus", "/routing rip keys\nadd key=W4lrus chain=x", "/container envs\nadd key=X list=x value=W4lrus",
			"/zerotier\nset zt1 identity=\"ab:0:W4lrus:W4lrus\"", "/interface lte\nset [ find ] pin=W4lrus",
		},
	} {
		for _, text := range lines {
			for how, mask := range map[string]func([]byte) []byte{"Mask": lookup(t, name).Mask, "MaskAny": platform.MaskAny} {
				if got := mask([]byte(text)); bytes.Contains(got, []byte("W4lrus")) {
					t.Errorf("%s %s: %q became %q", name, how, text, got)
				}
			}
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
