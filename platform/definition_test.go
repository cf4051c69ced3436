package platform_test

import (
	"os"
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
)

func TestDefinitionsAreStrict(t *testing.T) {
	t.Parallel()
	const good = "name: x\ntitle: X\nmode: exec\nsections: indent\n"
	for text, want := range map[string]string{
		good + "promt: 'x'\n":                     "[5:1] unknown field \"promt\"",
		good + "complete:\n  edn: x\n":            "[6:3] unknown field \"edn\"",
		good + "secrets:\n  - {mach: x}\n":        "unknown field \"mach\"",
		good + "secrets:\n  - 'a('\n":             "secrets[0].match: error parsing regexp",
		good + "prompt: '['\n":                    "prompt: error parsing regexp",
		good + "mode: exec\n":                     "[5:1] mapping key \"mode\" already defined",
		good + "config: [{command: x}]\n":         "complete: a platform with a configuration must say when it is whole",
		"name: x\nmode: exec\nsections: indent\n": "name and title must be given",
		"name: x\ntitle: X\nsections: indent\n":   `mode: "" is none of ["exec" "shell"]`,
		"name: x\ntitle: X\nmode: shell\n":        `sections: "" is none of`,
		good + "prepare: {}\n":                    "[5:10]",
		good + "detect: {banner: ['[']}\n":        "detect.banner[0]: error parsing regexp",
		good + "detect: {banner: {}}\n":           "[5:18]",
		"errors: ! ":                              "the YAML cannot be read",
	} {
		_, err := platform.ParseDefinition([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := platform.ParseDefinition([]byte(good)); err != nil {
		t.Fatal(err)
	}
}

func TestEveryDefinitionPassesTheChecks(t *testing.T) {
	t.Parallel()
	for _, name := range platform.Names() {
		data, err := os.ReadFile("defs/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if d, err := platform.ParseDefinition(data); err != nil || d.Name != name {
			t.Errorf("%s: got %v, %v", name, d, err)
		}
	}
}

func TestNamesOfOtherToolsMeanTheSamePlatform(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range platform.Names() {
		d, ok := platform.Lookup(name)
		if !ok || d.Name != name {
			t.Fatalf("%s: Lookup gives %v", name, d)
		}
		for _, alias := range append(d.Aliases(), name) {
			folded := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(alias))
			if other, twice := seen[folded]; twice && other != name {
				t.Errorf("%q means %s and %s", alias, other, name)
			}
			seen[folded] = name
			for _, spelled := range []string{alias, strings.ToUpper(alias), strings.ReplaceAll(alias, "_", "-")} {
				if got, ok := platform.Lookup(spelled); !ok || got != d {
					t.Errorf("Lookup(%q) is not %s", spelled, name)
				}
			}
		}
	}
	if d, ok := platform.Lookup("no_such_os"); ok || d != nil {
		t.Errorf("Lookup of an unknown name: %v", d)
	}
}

func TestEveryToolsNamesAreKnown(t *testing.T) {
	t.Parallel()
	for tool, names := range map[string]map[string]string{
		"Netmiko": {
			"cisco_ios": "cisco_ios", "cisco_xe": "cisco_ios", "cisco_nxos": "cisco_nxos", "cisco_xr": "cisco_iosxr", "cisco_asa": "cisco_asa",
			"arista_eos": "arista_eos", "juniper": "juniper_junos", "juniper_junos": "juniper_junos", "mikrotik_routeros": "mikrotik_routeros",
			"aruba_aoscx": "aruba_aoscx", "fortinet": "fortinet_fortios", "linux": "linux", "generic": "generic", "generic_termserver": "generic",
		},
		"Oxidized": {
			"ios": "cisco_ios", "nxos": "cisco_nxos", "iosxr": "cisco_iosxr", "asa": "cisco_asa", "eos": "arista_eos", "junos": "juniper_junos",
			"routeros": "mikrotik_routeros", "aoscx": "aruba_aoscx", "fortios": "fortinet_fortios", "linuxgeneric": "linux", "cumulus": "linux",
		},
		"RANCID": {
			"cisco": "cisco_ios", "cisco-nx": "cisco_nxos", "cisco-xr": "cisco_iosxr", "arista": "arista_eos", "juniper": "juniper_junos",
			"mikrotik": "mikrotik_routeros", "fortigate": "fortinet_fortios",
		},
		"Ansible": {
			"cisco.ios.ios": "cisco_ios", "cisco.nxos.nxos": "cisco_nxos", "cisco.iosxr.iosxr": "cisco_iosxr", "cisco.asa.asa": "cisco_asa",
			"arista.eos.eos": "arista_eos", "junipernetworks.junos.junos": "juniper_junos", "community.routeros.routeros": "mikrotik_routeros",
			"arubanetworks.aoscx.aoscx": "aruba_aoscx", "fortinet.fortios.fortios": "fortinet_fortios", "frr.frr.frr": "frr", "frr": "frr",
		},
		"NAPALM": {
			"ios": "cisco_ios", "nxos": "cisco_nxos", "nxos_ssh": "cisco_nxos", "iosxr": "cisco_iosxr", "iosxr_netconf": "cisco_iosxr", "eos": "arista_eos",
			"junos": "juniper_junos", "ros": "mikrotik_routeros",
		},
		"scrapli": {
			"cisco_iosxe": "cisco_ios", "cisco_nxos": "cisco_nxos", "cisco_iosxr": "cisco_iosxr", "arista_eos": "arista_eos", "juniper_junos": "juniper_junos",
			"mikrotik_routeros": "mikrotik_routeros", "fortinet_fortios": "fortinet_fortios", "aruba_aoscx": "aruba_aoscx", "cisco_asa": "cisco_asa",
		},
		"NetBox": {
			"cisco-ios": "cisco_ios", "cisco-ios-xe": "cisco_ios", "ios-xe": "cisco_ios", "cisco-nx-os": "cisco_nxos", "nx-os": "cisco_nxos",
			"cisco-ios-xr": "cisco_iosxr", "cisco-asa": "cisco_asa", "arista-eos": "arista_eos", "juniper-junos": "juniper_junos",
			"mikrotik-routeros": "mikrotik_routeros", "aruba-aos-cx": "aruba_aoscx", "aos-cx": "aruba_aoscx", "fortinet-fortios": "fortinet_fortios",
			"debian": "linux", "ubuntu": "linux",
		},
	} {
		for name, want := range names {
			if d, ok := platform.Lookup(name); !ok || d.Name != want {
				t.Errorf("%s calls %s %q: Lookup gives %v", tool, want, name, d)
			}
		}
	}
}

func TestSecretPatternsHaveAWordToLookFor(t *testing.T) {
	t.Parallel()
	for _, name := range platform.Names() {
		d, _ := platform.Lookup(name)
		for _, pattern := range d.WeakSecretRules() {
			t.Errorf("%s: %s has no literal of three letters that every match holds: it would be tried on every line", name, pattern)
		}
	}
}

func FuzzDefinition(f *testing.F) {
	for _, name := range platform.Names() {
		data, err := os.ReadFile("defs/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := platform.ParseDefinition(data)
		if err != nil {
			return
		}
		d.Clean([]byte("a\nb\n"))
		d.Mask([]byte("a\nb\n"))
		d.Change([]byte("SYS-5-CONFIG_I"), []byte("cli"), []byte("Configured from console by ada on vty0 (192.0.2.1)"))
	})
}
