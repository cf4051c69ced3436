package scan_test

import (
	"net"
	"testing"

	"github.com/musternet/muster/scan"
)

func TestAVendorIsNamedWhereThereIsOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, mac, want string }{
		{"a Cisco of the first days", "00:00:0c:12:34:56", "Cisco Systems, Inc"},
		{"a virtual machine of VMware", "00:50:56:01:02:03", "VMware, Inc."},
		{"a virtual router", "00:00:5e:00:01:07", "ICANN, IANA Department"},
		{"one made up locally", "02:00:5e:10:00:01", ""},
		{"one made up locally, though the prefix was given away before that bit had a meaning", "02:60:8c:12:34:56", ""},
		{"a multicast group", "01:00:5e:00:00:01", ""},
		{"all zeros, as loopback has", "00:00:00:00:00:00", ""},
		{"a prefix that nobody has", "fc:ff:ff:00:00:01", ""},
		{"a prefix whose owner is not published", "00:01:01:00:00:01", ""},
		{"a prefix that is shared out in parts", "00:1b:c5:00:00:01", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mac, err := net.ParseMAC(c.mac)
			if err != nil {
				t.Fatal(err)
			}
			if got := scan.Vendor(mac); got != c.want {
				t.Errorf("%s: got %q, want %q", c.mac, got, c.want)
			}
		})
	}
	for _, short := range []net.HardwareAddr{nil, {0, 0, 12}, {0}} {
		if got := scan.Vendor(short); got != "" {
			t.Errorf("%v is no MAC address of a host: got %q", short, got)
		}
	}
}
