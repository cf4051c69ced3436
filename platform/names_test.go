package platform_test

import (
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
)

// What other tools call a platform is known, so that their inventories are read as they are.
func TestNamesOfOtherTools(t *testing.T) {
	t.Parallel()
	for tool, names := range map[string]map[string]string{
		"Ansible": {
			"cisco_ios": "cisco.ios.ios ios", "cisco_iosxr": "cisco.iosxr.iosxr iosxr", "cisco_nxos": "cisco.nxos.nxos nxos", "cisco_asa": "cisco.asa.asa asa",
			"arista_eos": "arista.eos.eos eos", "juniper_junos": "junipernetworks.junos.junos junos", "mikrotik_routeros": "community.routeros.routeros routeros",
			"fortinet_fortios": "fortinet.fortios.fortios", "aruba_aoscx": "arubanetworks.aoscx.aoscx aoscx", "frr": "frr.frr.frr",
		},
		"Netmiko": {
			"cisco_ios": "cisco_ios cisco_xe", "cisco_iosxr": "cisco_xr", "cisco_nxos": "cisco_nxos", "cisco_asa": "cisco_asa", "arista_eos": "arista_eos",
			"juniper_junos": "juniper juniper_junos", "mikrotik_routeros": "mikrotik_routeros", "fortinet_fortios": "fortinet", "aruba_aoscx": "aruba_aoscx",
			"linux": "linux", "generic": "generic generic_termserver",
		},
		"NAPALM":  {"cisco_ios": "ios", "cisco_iosxr": "iosxr iosxr_netconf", "cisco_nxos": "nxos nxos_ssh", "arista_eos": "eos", "juniper_junos": "junos", "mikrotik_routeros": "ros"},
		"scrapli": {"cisco_ios": "cisco_iosxe", "cisco_iosxr": "cisco_iosxr", "cisco_nxos": "cisco_nxos", "arista_eos": "arista_eos", "juniper_junos": "juniper_junos"},
		"NetBox": {
			"cisco_ios": "ios ios-xe cisco-ios cisco-ios-xe", "cisco_iosxr": "ios-xr cisco-ios-xr", "cisco_nxos": "nx-os cisco-nx-os nxos", "cisco_asa": "cisco-asa", "arista_eos": "arista-eos eos",
			"juniper_junos": "juniper-junos junos junos-evo", "fortinet_fortios": "fortios fortinet-fortios", "mikrotik_routeros": "routeros mikrotik-routeros", "aruba_aoscx": "aos-cx aruba-aos-cx",
			"linux": "debian ubuntu rhel rocky-linux",
		},
		"LibreNMS": {
			"cisco_ios": "ios iosxe", "cisco_iosxr": "iosxr", "cisco_nxos": "nxos", "cisco_asa": "asa", "arista_eos": "arista_eos", "juniper_junos": "junos",
			"fortinet_fortios": "fortigate", "mikrotik_routeros": "routeros", "aruba_aoscx": "arubaos-cx", "linux": "linux",
		},
		"Oxidized": {
			"cisco_ios": "ios iosxe", "cisco_iosxr": "iosxr", "cisco_nxos": "nxos", "cisco_asa": "asa", "arista_eos": "eos", "juniper_junos": "junos", "fortinet_fortios": "fortios fortigate",
			"mikrotik_routeros": "routeros", "aruba_aoscx": "aoscx", "linux": "linuxgeneric cumulus",
		},
		"RANCID": {
			"cisco_ios": "cisco", "cisco_iosxr": "cisco-xr ios-xr7 ios-exr", "cisco_nxos": "cisco-nx", "arista_eos": "arista", "juniper_junos": "juniper junos junos-evo juniper-srx",
			"fortinet_fortios": "fortigate fortigate-full", "mikrotik_routeros": "mikrotik routeros", "frr": "frr",
		},
	} {
		for want, list := range names {
			for name := range strings.FieldsSeq(list) {
				if def, ok := platform.Lookup(name); !ok || def.Name != want {
					t.Errorf("%s: %s is not known as %s", tool, name, want)
				}
			}
		}
	}
}
