package platform_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
)

// configOf returns the wanted configurations of a platform's recordings.
func configOf(t *testing.T, name string) (all []string) {
	t.Helper()
	for _, r := range platform.Recordings() {
		if r.Platform == name {
			all = append(all, r.Want.Config)
		}
	}
	return all
}

func TestSectionsNameWhatALineStandsUnder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		platform, line string
		want           []string
	}{
		{"cisco_ios", " description uplink dist-sw1 Gi1/0/11", []string{"interface GigabitEthernet1/0/24"}},
		{"cisco_ios", "  network 198.51.100.0", []string{"router bgp 64512", "address-family ipv4"}},
		{"cisco_ios", "hostname acc-sw1", nil},
		{"cisco_nxos", "  hsrp 10", []string{"interface Vlan10"}},
		{"cisco_nxos", "    ip 198.51.100.254", []string{"interface Vlan10", "hsrp 10"}},
		{"cisco_iosxr", "   redistribute connected", []string{"router bgp 64512", "vrf CUST-A", "address-family ipv4 unicast"}},
		{"cisco_asa", " host 198.51.100.80", []string{"object network WEB"}},
		{"arista_eos", "      bandwidth percent 30", []string{"interface Ethernet2", "tx-queue 0"}},
		{"juniper_junos", "        mtu 9216;", []string{"interfaces {", "xe-0/0/0 {"}},
		{"juniper_junos", "                    md5 1 key \"$9$Ex4mpl3OspfOnlyW4lrus\"; ## SECRET-DATA", []string{"protocols {", "ospf {", "area 0.0.0.0 {", "interface em0.0 {", "authentication {"}},
		{"aruba_aoscx", "        max-eapol-requests 1", []string{"interface 1/1/1", "aaa authentication port-access dot1x authenticator"}},
		{"fortinet_fortios", "                set ip 192.0.2.51 255.255.255.255", []string{"config system snmp community", "edit 1", "config hosts", "edit 1"}},
		{"mikrotik_routeros", "add action=masquerade chain=srcnat out-interface=pppoe1", []string{"/ip firewall nat"}},
		{"mikrotik_routeros", "/ip firewall nat", nil},
		{"frr", " ip ospf passive", []string{"interface eth1"}},
		{"bird", "\t\t\tcost 10;", []string{"/etc/bird/bird.conf", "protocol ospf v2 backbone {", "area 0 {", "interface \"eth1\" {"}},
		{"linux", "\tgateway 198.51.100.1", []string{"/etc/network/interfaces.d/eth0", "iface eth0 inet static"}},
		{"linux", "==> /etc/nftables.conf <==", nil},
	} {
		found := false
		for _, config := range configOf(t, c.platform) {
			lines := strings.Split(config, "\n")
			i := slices.Index(lines, c.line)
			if i < 0 {
				continue
			}
			found = true
			if got := lookup(t, c.platform).Section(lines, i); !slices.Equal(got, c.want) {
				t.Errorf("%s %q: got %q, want %q", c.platform, c.line, got, c.want)
			}
		}
		if !found {
			t.Errorf("%s: no line %q", c.platform, c.line)
		}
	}
}

func TestSectionOfALineThatIsNotThereIsNone(t *testing.T) {
	t.Parallel()
	for _, i := range []int{-1, 1} {
		if got := lookup(t, "linux").Section([]string{"x"}, i); got != nil {
			t.Errorf("got %q", got)
		}
	}
}
