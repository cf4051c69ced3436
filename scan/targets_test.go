package scan_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/scan"
)

// parse reads terms that are right.
func parse(t testing.TB, o scan.ParseOptions, terms ...string) scan.Targets {
	t.Helper()
	targets, err := scan.Parse(t.Context(), terms, o)
	if err != nil {
		t.Fatal(err)
	}
	return targets
}

// names is a name server that knows a few hosts.
func names(_ context.Context, name string) ([]netip.Addr, error) {
	known := map[string]string{
		"sw1":             "2001:db8::1 10.0.0.1 ::ffff:10.0.0.1",
		"many.example":    "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5",
		"blocked.example": "0.0.0.0",
		"empty.example":   "",
	}
	if name == "broken.example" {
		return nil, errors.New("server misbehaving")
	}
	text, ok := known[name]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	var all []netip.Addr
	for a := range strings.FieldsSeq(text) {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, nil
}

// onLink is this machine's links in the tests.
func onLink() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("198.18.5.0/24"), netip.MustParsePrefix("198.18.6.0/31"),
		netip.MustParsePrefix("198.18.7.9/32"), netip.MustParsePrefix("2001:db8:5::/64"),
	}
}

func TestTermsAreTheAddressesTheyName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		terms string
		want  string
		n     int
		label string
		notes []string
	}{
		{"a prefix is all its addresses", "10.50.1.0/24", "10.50.1.0/24", 256, "10.50.1.0/24",
			[]string{"every address of 10.50.1.0/24 is asked, .0 and .255 included"}},
		{"a small prefix names its last numbers", "10.50.1.64/26", "10.50.1.64/26", 64, "10.50.1.64/26",
			[]string{"every address of 10.50.1.64/26 is asked, .64 and .127 included"}},
		{"a big prefix names its first and last address", "10.50.0.0/16", "10.50.0.0/16", 65536, "10.50.0.0/16",
			[]string{"every address of 10.50.0.0/16 is asked, 10.50.0.0 and 10.50.255.255 included"}},
		{"many prefixes share a note", "10.0.1.0/24 10.0.3.0/24 10.0.5.0/24 10.0.7.0/24 10.0.9.0/24 10.0.11.0/24",
			"10.0.1.0/24, 10.0.3.0/24, 10.0.5.0/24, 10.0.7.0/24, 10.0.9.0/24, 10.0.11.0/24", 6 * 256, "6 prefixes",
			[]string{"every address of 10.0.1.0/24, 10.0.3.0/24, 10.0.5.0/24 and 3 more is asked, first and last included"}},
		{"host bits are no part of a prefix", "10.50.1.7/24", "10.50.1.0/24", 256, "10.50.1.0/24", []string{
			"10.50.1.7/24 is an address within 10.50.1.0/24: the whole prefix is meant",
			"every address of 10.50.1.0/24 is asked, .0 and .255 included"}},
		{"a bare network is its /24", "10.50.1.0", "10.50.1.0/24", 256, "10.50.1.0/24", []string{
			"10.50.1.0 means 10.50.1.0/24: write 10.50.1.0/32 for that address alone",
			"every address of 10.50.1.0/24 is asked, .0 and .255 included"}},
		{"a /32 is an address even when it ends in .0", "10.50.1.0/32", "10.50.1.0/32", 1, "10.50.1.0/32", nil},
		{"a /31 has neither network nor broadcast", "10.50.1.0/31", "10.50.1.0/31", 2, "10.50.1.0/31", nil},
		{"an address is itself", "10.50.1.7", "10.50.1.7", 1, "10.50.1.7", nil},
		{"a range has both its ends", "10.50.1.10-10.50.1.40", "10.50.1.10-10.50.1.40", 31, "10.50.1.10-10.50.1.40", nil},
		{"a range may be short", "10.50.1.10-40", "10.50.1.10-10.50.1.40", 31, "10.50.1.10-40", nil},
		{"a range may cross subnets", "10.50.1.250-10.50.3.4", "10.50.1.250-10.50.3.4", 267, "10.50.1.250-10.50.3.4", nil},
		{"a range of one is an address", "10.50.1.10-10", "10.50.1.10", 1, "10.50.1.10", nil},
		{"a range that is a prefix is written as one", "10.50.1.0-255", "10.50.1.0/24", 256, "10.50.1.0-255", nil},
		{"an IPv6 prefix", "2001:db8::/120", "2001:db8::/120", 256, "2001:db8::/120", nil},
		{"an IPv6 range", "2001:db8::fffe-2001:db8::1:1", "2001:db8::fffe-2001:db8::1:1", 4, "2001:db8::fffe-2001:db8::1:1", nil},
		{"an IPv6 range over the middle of the number", "2001:db8::ffff:ffff:ffff:ffff-2001:db8:0:1::", "2001:db8::ffff:ffff:ffff:ffff-2001:db8:0:1::", 2,
			"2001:db8::ffff:ffff:ffff:ffff-2001:db8:0:1::", nil},
		{"a link-local address has an interface", "fe80::1%br-lan", "fe80::1%br-lan", 1, "fe80::1%br-lan", nil},
		{"the same address on two interfaces is two", "fe80::1%eth1 fe80::1%eth0 fe80::2%eth0", "fe80::1%eth0, fe80::2%eth0, fe80::1%eth1", 3,
			"fe80::1%eth1, fe80::1%eth0 and fe80::2%eth0", nil},
		{"a mapped address is of IPv4", "::ffff:10.0.0.1", "10.0.0.1", 1, "10.0.0.1", nil},
		{"a mapped prefix is of IPv4", "::ffff:10.0.0.0/126", "10.0.0.0/30", 4, "10.0.0.0/30",
			[]string{"every address of 10.0.0.0/30 is asked, .0 and .3 included"}},
		{"a mapped range is of IPv4", "::ffff:10.0.0.1-10.0.0.3", "10.0.0.1-10.0.0.3", 3, "::ffff:10.0.0.1-10.0.0.3", nil},
		{"a name is all its addresses, each once", "sw1", "10.0.0.1, 2001:db8::1", 2, "sw1", []string{"sw1 is 10.0.0.1 and 2001:db8::1"}},
		{"a name with many addresses says how many", "many.example", "10.0.0.1-10.0.0.5", 5, "many.example",
			[]string{"many.example is 10.0.0.1, 10.0.0.2, 10.0.0.3 and 2 more"}},
		{"neighbours are joined", "10.0.1.0/25 10.0.1.128-10.0.1.255 10.0.2.0-10.0.2.3", "10.0.1.0-10.0.2.3", 260,
			"10.0.1.0/25, 10.0.1.128-10.0.1.255 and 10.0.2.0-10.0.2.3", []string{"every address of 10.0.1.0/25 is asked, .0 and .127 included"}},
		{"IPv4 comes before IPv6, each ascending", "2001:db8::2 10.0.0.9 9.0.0.9 2001:db8::1", "9.0.0.9, 10.0.0.9, 2001:db8::1-2001:db8::2", 4, "4 addresses", nil},
		{"what is within another is asked once", "10.0.0.7 10.0.0.0/28", "10.0.0.0/28", 16, "10.0.0.7 and 10.0.0.0/28", []string{
			"every address of 10.0.0.0/28 is asked, .0 and .15 included", "10.0.0.7 lies within 10.0.0.0/28: each address is asked once"}},
		{"what overlaps is asked once", "10.0.0.1-8 10.0.0.5-12", "10.0.0.1-10.0.0.12", 12, "10.0.0.1-8 and 10.0.0.5-12",
			[]string{"10.0.0.1-8 and 10.0.0.5-12 overlap: each address is asked once"}},
		{"what is named twice is asked once", "10.0.0.1 10.0.0.1", "10.0.0.1", 1, "10.0.0.1 and 10.0.0.1",
			[]string{"10.0.0.1 is named twice: each address is asked once"}},
		{"more overlaps are counted", "10.0.0.1-20 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.30", "10.0.0.1-10.0.0.20, 10.0.0.30", 21, "1 range and 4 addresses",
			[]string{"10.0.0.5 lies within 10.0.0.1-20, and there are 2 more such pairs: each address is asked once"}},
		{"an address that a name has too", "10.0.0.1 sw1", "10.0.0.1, 2001:db8::1", 2, "10.0.0.1 and sw1", []string{
			"sw1 is 10.0.0.1 and 2001:db8::1", "10.0.0.1 and sw1 overlap: each address is asked once"}},
		{"many terms are counted by their kinds", "10.0.1.0/31 10.0.2.0/31 10.0.3.1 10.0.3.3 10.0.4.1-2 sw1", "10.0.0.1, 10.0.1.0/31, 10.0.2.0/31, 10.0.3.1, 10.0.3.3, 10.0.4.1-10.0.4.2, 2001:db8::1", 10,
			"2 prefixes, 1 range, 2 addresses and 1 host name", []string{"sw1 is 10.0.0.1 and 2001:db8::1"}},
		{"multicast in a range is left out", "223.255.255.254-224.0.0.15", "223.255.255.254/31", 2, "223.255.255.254-224.0.0.15",
			[]string{"16 addresses of 224.0.0.0/4 are left out: a multicast address is never asked"}},
		{"the first of multicast is left out", "223.255.255.254-224.0.0.0", "223.255.255.254/31", 2, "223.255.255.254-224.0.0.0",
			[]string{"1 address of 224.0.0.0/4 is left out: a multicast address is never asked"}},
		{"the unspecified address in a prefix is left out", "0.0.0.0/30", "0.0.0.1-0.0.0.3", 3, "0.0.0.0/30",
			[]string{"0.0.0.0 is left out: the unspecified address is never asked"}},
		{"in loopback a /16 is whole", "127.1.0.0/16", "127.1.0.0/16", 65536, "127.1.0.0/16",
			[]string{"every address of 127.1.0.0/16 is asked, 127.1.0.0 and 127.1.255.255 included"}},
		{"on the link network and broadcast address are left out", "198.18.5.0/24", "198.18.5.1-198.18.5.254", 254, "198.18.5.0/24",
			[]string{"198.18.5.0/24 is on this link: its network and broadcast address are not asked"}},
		{"a part of the link has one of them", "198.18.5.128/25", "198.18.5.128-198.18.5.254", 127, "198.18.5.128/25",
			[]string{"198.18.5.0/24 is on this link: its broadcast address is not asked"}},
		{"the other part of the link has the other", "198.18.5.0-127", "198.18.5.1-198.18.5.127", 127, "198.18.5.0-127",
			[]string{"198.18.5.0/24 is on this link: its network address is not asked"}},
		{"the middle of a link is whole", "198.18.5.64/26", "198.18.5.64/26", 64, "198.18.5.64/26",
			[]string{"every address of 198.18.5.64/26 is asked, .64 and .127 included"}},
		{"a prefix around a link leaves its two out", "198.18.4.0/23", "198.18.4.0/24, 198.18.5.1-198.18.5.254", 510, "198.18.4.0/23",
			[]string{"198.18.5.0/24 is on this link: its network and broadcast address are not asked"}},
		{"the network address of a link is asked when it is named", "198.18.5.0/32 198.18.5.0/30", "198.18.5.0/30", 4, "198.18.5.0/32 and 198.18.5.0/30",
			[]string{"198.18.5.0/32 lies within 198.18.5.0/30: each address is asked once"}},
		{"a /31 on the link is whole", "198.18.6.0/31", "198.18.6.0/31", 2, "198.18.6.0/31", nil},
		{"an IPv6 prefix on the link is whole", "2001:db8:5::/126", "2001:db8:5::/126", 4, "2001:db8:5::/126", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			targets := parse(t, scan.ParseOptions{Lookup: names, OnLink: onLink()}, strings.Fields(c.terms)...)
			if got := targets.String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if targets.Len() != c.n || targets.Label() != c.label {
				t.Errorf("got %d addresses, %q", targets.Len(), targets.Label())
			}
			if diff := cmp.Diff(c.notes, targets.Notes()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExclusionsAreTakenOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		terms, exclude string
		want           string
		notes          []string
	}{
		{"a prefix out of a prefix", "10.0.0.0/24", "10.0.0.64/26", "10.0.0.0/26, 10.0.0.128/25",
			[]string{"every address of 10.0.0.0/24 that is not excluded is asked, .0 and .255 included"}},
		{"the first and the last address", "10.0.0.0/24", "10.0.0.0/32 10.0.0.255", "10.0.0.1-10.0.0.254", nil},
		{"over both ends", "10.0.0.10-20", "10.0.0.1-12 10.0.0.18-30", "10.0.0.13-10.0.0.17", nil},
		{"a bare network means its /24 here too", "10.0.0.0/23", "10.0.1.0", "10.0.0.0/24",
			[]string{"10.0.1.0 means 10.0.1.0/24: write 10.0.1.0/32 for that address alone"}},
		{"one address of many terms", "10.0.0.1 10.0.0.3 2001:db8::1", "10.0.0.2-4", "10.0.0.1, 2001:db8::1", nil},
		{"one of any size", "10.0.0.1 2001:db8::1", "2000::/3", "10.0.0.1", nil},
		{"a link-local one on any interface", "fe80::1%eth0 fe80::2%eth1 fe80::3%eth1", "fe80::1 fe80::2%eth0", "fe80::2%eth1, fe80::3%eth1",
			[]string{"exclusion fe80::2%eth0 touches no target"}},
		{"one that touches no target is told of", "10.0.0.1", "10.9.0.0/16", "10.0.0.1", []string{"exclusion 10.9.0.0/16 touches no target"}},
		{"many that touch no target are told of at once", "10.0.0.1", "10.9.0.1 10.9.0.3 10.9.0.5 10.9.0.7 10.9.0.9", "10.0.0.1",
			[]string{"exclusions 10.9.0.1, 10.9.0.3, 10.9.0.5 and 2 more touch no target"}},
		{"one within another is told of", "10.0.0.1-9", "10.0.0.3 10.0.0.2-4", "10.0.0.1, 10.0.0.5-10.0.0.9",
			[]string{"exclusion 10.0.0.3 lies within exclusion 10.0.0.2-4: each address is left out once"}},
		{"two that overlap are told of", "10.0.0.1-9", "10.0.0.2-4 10.0.0.3-5", "10.0.0.1, 10.0.0.6-10.0.0.9",
			[]string{"exclusion 10.0.0.2-4 and exclusion 10.0.0.3-5 overlap: each address is left out once"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			targets := parse(t, scan.ParseOptions{Exclude: strings.Fields(c.exclude)}, strings.Fields(c.terms)...)
			if got := targets.String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if diff := cmp.Diff(c.notes, targets.Notes()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNoTargetIsRefusedInASentence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, term, want string
	}{
		{"an empty term", "", "term 1 is empty: leave it out"},
		{"a space", "10.0.0.1 ", `"10.0.0.1 " has a space in it: give each target as an argument of its own`},
		{"a comma", "10.0.0.1,10.0.0.2", "10.0.0.1,10.0.0.2 has a comma in it: give each target as an argument of its own"},
		{"a URL", "http://10.0.0.1:8080/x", "http://10.0.0.1:8080/x is a URL: name the host alone, as 10.0.0.1"},
		{"a URL without a host", "file:///etc/hosts", "file:///etc/hosts is a URL: name the host alone"},
		{"a long text", strings.Repeat("x", 70) + "*" + strings.Repeat("x", 70),
			strings.Repeat("x", 70) + "*" + strings.Repeat("x", 9) + "... is no target: write a prefix (10.50.1.0/24), a range (10.50.1.10-40), an address or a host name"},
		{"a name that is too long", strings.Repeat("x.", 127) + "x",
			strings.Repeat("x.", 40) + "... is no target: write a prefix (10.50.1.0/24), a range (10.50.1.10-40), an address or a host name"},
		{"a port", "10.0.0.1:22", "10.0.0.1:22 has a port: name the host alone, as 10.0.0.1, and the ports to ask apart, as --tcp 22"},
		{"a name with a port", "sw1:22", "sw1:22 has a port: name the host alone, as sw1, and the ports to ask apart, as --tcp 22"},
		{"an IPv6 address with a port", "[2001:db8::1]:22", "[2001:db8::1]:22 is in brackets: name the address alone, without brackets and port"},
		{"a number above 255", "10.0.0.300", "10.0.0.300: 300 is above 255, the most that a number of an IPv4 address can be"},
		{"a number far above 255", "10.0.0.99999999999999999999", "10.0.0.99999999999999999999: 99999999999999999999 is above 255, the most that a number of an IPv4 address can be"},
		{"a leading zero", "010.1.1.1", "010.1.1.1: 010 begins with a zero, which some programs read as octal and others do not: leave the zero out"},
		{"three numbers", "10.50.1", "10.50.1 has 3 numbers, an IPv4 address has 4"},
		{"one number", "2130706433", "2130706433 has 1 number, an IPv4 address has 4"},
		{"a missing number", "10..0.1", "10..0.1: a number is missing between its dots"},
		{"no IPv6 address", "2001:db8::g", "2001:db8::g is no IPv6 address"},
		{"a length above 32", "10.0.0.0/33", "10.0.0.0/33: the length of a prefix of IPv4 is a number from 0 to 32"},
		{"a length above 128", "2001:db8::/129", "2001:db8::/129: the length of a prefix of IPv6 is a number from 0 to 128"},
		{"a mapped length below 96", "::ffff:10.0.0.0/24", "::ffff:10.0.0.0/24: the length of a prefix of IPv4 in IPv6 is a number from 96 to 128"},
		{"no length", "10.0.0.0/", "10.0.0.0/: the length of a prefix of IPv4 is a number from 0 to 32"},
		{"a length with a sign", "10.0.0.0/+8", "10.0.0.0/+8: the length of a prefix of IPv4 is a number from 0 to 32"},
		{"a length with a zero", "10.0.0.0/08", "10.0.0.0/08: the length of a prefix of IPv4 is a number from 0 to 32"},
		{"a mask", "10.0.0.0/255.255.255.0", "10.0.0.0/255.255.255.0: write the mask as the number of its bits, as in 10.0.0.0/24"},
		{"a prefix of a wrong address", "10.0.0.256/24", "10.0.0.256/24: 256 is above 255, the most that a number of an IPv4 address can be"},
		{"a prefix of a name", "sw1/24", "sw1/24: a prefix begins with an address, and sw1 is none"},
		{"a prefix with an interface", "fe80::1%eth0/64", "fe80::1%eth0/64: a prefix has no interface: name single addresses, as fe80::1%eth0"},
		{"a range that runs backwards", "10.0.0.9-10.0.0.1", "10.0.0.9-10.0.0.1 runs backwards: write 10.0.0.1-10.0.0.9"},
		{"a short range that runs backwards", "10.0.0.9-1", "10.0.0.9-1 runs backwards: write 10.0.0.1-10.0.0.9"},
		{"a range of two families", "10.0.0.1-2001:db8::1", "10.0.0.1-2001:db8::1 begins with one family of addresses and ends with the other: name a range of each"},
		{"a range of a wrong number", "10.0.0.1-256", "10.0.0.1-256: 256 is above 255, the most that a number of an IPv4 address can be"},
		{"a range without an end", "10.0.0.1-", "10.0.0.1- has no end: write both addresses, as 10.0.0.1-10.0.0.1"},
		{"a range from a wrong address", "10.0.0-10.0.0.9", "10.0.0-10.0.0.9: 10.0.0 has 3 numbers, an IPv4 address has 4"},
		{"a range to a wrong address", "10.0.0.1-10.0.9", "10.0.0.1-10.0.9: 10.0.9 has 3 numbers, an IPv4 address has 4"},
		{"a range with an interface", "fe80::1-fe80::9%eth0", "fe80::1-fe80::9%eth0: a range has no interface: name single addresses, as fe80::1%eth0"},
		{"an interface that is a range", "fe80::1%eth0-fe80::9", "fe80::1%eth0-fe80::9: eth0-fe80::9 is no interface: name single addresses, as fe80::1%eth0"},
		{"an interface of a global address", "2001:db8::1%eth0", "2001:db8::1%eth0: only a link-local address (fe80::/10) takes an interface: leave %eth0 out"},
		{"a link-local address without interface", "fe80::1", "fe80::1 is a link-local address without an interface, which is never asked: name both, as fe80::1%eth0"},
		{"a link-local prefix", "fe80::/120", "every address of fe80::/120 is a link-local address without an interface, which is never asked: name both, as fe80::1%eth0"},
		{"a multicast address", "224.0.0.1", "224.0.0.1 is a multicast address, which is never asked: name a host's own address"},
		{"a bare multicast network", "224.0.0.0", "every address of 224.0.0.0/24 is a multicast address, which is never asked: name a host's own address"},
		{"an IPv6 multicast address", "ff02::1", "ff02::1 is a multicast address, which is never asked: name a host's own address"},
		{"the unspecified address", "0.0.0.0", "0.0.0.0 is the unspecified address, which is never asked: name a host's own address"},
		{"the unspecified address of IPv6", "::", ":: is the unspecified address, which is never asked: name a host's own address"},
		{"the broadcast address", "255.255.255.255", "255.255.255.255 is the broadcast address of every link, which is never asked: name a host's own address"},
		{"class E", "240.0.0.1", "240.0.0.1 is a reserved address (class E), which is never asked: name a host's own address"},
		{"the broadcast address of a link", "198.18.5.255", "198.18.5.255 is the broadcast address of 198.18.5.0/24 on this link, which is never asked: name a host's own address"},
		{"a name that nobody knows", "sw9.example", "no address is known for sw9.example: check the name, or name the address"},
		{"a name without addresses", "empty.example", "no address is known for empty.example: check the name, or name the address"},
		{"a name for nobody", "blocked.example", "blocked.example is 0.0.0.0, and that is the unspecified address, which is never asked: name a host's own address"},
		{"a wildcard", "10.50.1.*", "10.50.1.* is no target: write a prefix (10.50.1.0/24), a range (10.50.1.10-40), an address or a host name"},
		{"a user", "admin@10.0.0.1", "admin@10.0.0.1 is no target: write a prefix (10.50.1.0/24), a range (10.50.1.10-40), an address or a host name"},
		{"a control character", "sw\x1b[31m", `"sw\x1b[31m" is no target: write a prefix (10.50.1.0/24), a range (10.50.1.10-40), an address or a host name`},
		{"all of IPv4", "0.0.0.0/0", "0.0.0.0/0 is 4,294,967,296 addresses, more than the 1,048,576 a scan takes: name smaller prefixes, or allow it with --max 4294967296"},
		{"a /8", "10.0.0.0/8", "10.0.0.0/8 is 16,777,216 addresses, more than the 1,048,576 a scan takes: name smaller prefixes, or allow it with --max 16777216"},
		{"an IPv6 /104", "2001:db8::/104", "2001:db8::/104 is 16,777,216 addresses, more than the 1,048,576 a scan takes: name smaller prefixes, or allow it with --max 16777216"},
		{"an IPv6 /64", "2001:db8::/64", "2001:db8::/64 is 2^64 addresses and cannot be swept: name the addresses to ask, such as those of known neighbours and devices"},
		{"all of IPv6", "::/0", "::/0 is 2^128 addresses and cannot be swept: name the addresses to ask, such as those of known neighbours and devices"},
		{"a wide range of IPv6", "2001:db8::1-2001:db8:1::", "2001:db8::1-2001:db8:1:: is more than 2^64 addresses and cannot be swept: name the addresses to ask, such as those of known neighbours and devices"},
		{"a range of IPv6 that is just too wide", "2001:db8::1-2001:db8::1:0:1", "2001:db8::1-2001:db8::1:0:1 is 4,294,967,297 addresses and cannot be swept: name the addresses to ask, such as those of known neighbours and devices"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := scan.Parse(t.Context(), []string{c.term}, scan.ParseOptions{Lookup: names, OnLink: onLink()})
			if !errors.Is(err, scan.ErrTargets) || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestSetsOfTermsAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		terms   string
		options scan.ParseOptions
		want    string
	}{
		{"no terms", "", scan.ParseOptions{}, "there are no targets: name prefixes, ranges, addresses or host names"},
		{"prefixes that are too many together", "10.0.0.0/12 10.16.0.0/12", scan.ParseOptions{},
			"the targets are 2,097,152 addresses together, more than the 1,048,576 a scan takes: name smaller prefixes, or allow it with --max 2097152"},
		{"the biggest is to blame", "192.0.2.0/24 10.0.0.0/8", scan.ParseOptions{},
			"10.0.0.0/8 is 16,777,216 addresses, more than the 1,048,576 a scan takes: name smaller prefixes, or allow it with --max 16777472"},
		{"a limit of one's own", "192.0.2.0/24", scan.ParseOptions{Max: 100},
			"192.0.2.0/24 is 256 addresses, more than the 100 a scan takes: name smaller prefixes, or allow it with --max 256"},
		{"a name with more addresses than that", "many.example sw1", scan.ParseOptions{Max: 3, Lookup: names},
			"many.example is 5 addresses, more than the 3 a scan takes: name smaller prefixes, or allow it with --max 6"},
		{"what no limit allows", "0.0.0.0/0 2001:db8::/96", scan.ParseOptions{Max: 1 << 40},
			"the targets are 8,053,063,679 addresses together, more than the 4,294,967,296 a scan takes: name smaller prefixes"},
		{"exclusions that leave nothing", "10.0.0.0/24", scan.ParseOptions{Exclude: []string{"10.0.0.0/8"}},
			"the exclusions leave none of the 256 addresses of 10.0.0.0/24: there is nothing to ask"},
		{"a wrong exclusion", "10.0.0.0/24", scan.ParseOptions{Exclude: []string{"10.0.0.300"}},
			"exclusion: 10.0.0.300: 300 is above 255, the most that a number of an IPv4 address can be"},
		{"an empty exclusion", "10.0.0.0/24", scan.ParseOptions{Exclude: []string{"10.0.0.1", ""}}, "exclusion: term 2 is empty: leave it out"},
		{"an exclusion by name", "10.0.0.0/24", scan.ParseOptions{Exclude: []string{"sw1"}}, "exclusion: sw1 is a host name: name its addresses"},
		{"a name where none are taken", "sw1", scan.ParseOptions{}, "sw1 is a host name: only addresses are taken here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := scan.Parse(t.Context(), strings.Fields(c.terms), c.options)
			if !errors.Is(err, scan.ErrTargets) || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if got := errors.Is(err, scan.ErrNothingLeft); got != strings.Contains(c.want, "nothing to ask") {
				t.Errorf("%v: that nothing is left is said: %v", err, got)
			}
		})
	}
}

func TestALookupThatFailsIsNoFaultOfTheTerm(t *testing.T) {
	t.Parallel()
	_, err := scan.Parse(t.Context(), []string{"sw1", "broken.example"}, scan.ParseOptions{Lookup: names})
	if err == nil || errors.Is(err, scan.ErrTargets) || err.Error() != "look up broken.example: server misbehaving" {
		t.Errorf("got %v", err)
	}
}

func TestTheEndOfTheContextEndsLookups(t *testing.T) {
	t.Parallel()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	lookup := func(ctx context.Context, _ string) ([]netip.Addr, error) {
		cancel(why)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	_, err := scan.Parse(ctx, []string{"a", "b"}, scan.ParseOptions{Lookup: lookup})
	if !errors.Is(err, why) || errors.Is(err, scan.ErrTargets) {
		t.Errorf("got %v", err)
	}
}

func TestANameServerThatIsSilentIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lookup := func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		began := time.Now()
		_, err := scan.Parse(t.Context(), []string{"a.example", "b.example", "10.0.0.1"}, scan.ParseOptions{Lookup: lookup})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
		t.Log(err)
	})
}

func TestAMaximumAllowsWhatIsBigger(t *testing.T) {
	t.Parallel()
	targets := parse(t, scan.ParseOptions{Max: 1 << 32, Exclude: []string{"10.0.0.0/8"}}, "0.0.0.0/0")
	// Without class D and E, which are 2^29, 0.0.0.0 and the exclusion.
	if want := 1<<32 - 1<<29 - 1 - 1<<24; targets.Len() != want {
		t.Errorf("got %d, want %d", targets.Len(), want)
	}
	if got := targets.String(); got != "0.0.0.1-9.255.255.255, 11.0.0.0-223.255.255.255" {
		t.Error(got)
	}
	if excluded := parse(t, scan.ParseOptions{Exclude: []string{"10.128.0.0/9", "10.0.0.0-10.119.255.255"}}, "10.0.0.0/8"); excluded.Len() != 1<<19 {
		t.Errorf("what is excluded counts: %d", excluded.Len())
	}
}

func TestNotesAreNoMoreThanAScreen(t *testing.T) {
	t.Parallel()
	var terms []string
	for i := range 200 {
		terms = append(terms, fmt.Sprintf("10.%d.1.0", i), fmt.Sprintf("10.%d.2.7/24", i))
	}
	targets := parse(t, scan.ParseOptions{Exclude: terms[:100]}, terms...)
	if n := len(targets.Notes()); n > 20 {
		t.Errorf("%d notes: %q", n, targets.Notes())
	}
	if !slices.Contains(targets.Notes(), "so it is with 496 more") || targets.Label() != "400 prefixes" {
		t.Errorf("%q %q", targets.Label(), targets.Notes())
	}
}

func TestAnAddressHasItsPlaceInTheOrder(t *testing.T) {
	t.Parallel()
	targets := parse(t, scan.ParseOptions{Exclude: []string{"10.0.0.4"}},
		"10.0.0.1-9", "10.0.1.0/28", "203.0.113.9", "2001:db8::/124", "2001:db8::ffff:ffff:ffff:fffe-2001:db8:0:1::1", "fe80::5%eth0", "fe80::1%eth1")
	i := 0
	var last netip.Addr
	for a := range targets.All() {
		if got, ok := targets.Index(a); !ok || got != i || !targets.Contains(a) {
			t.Errorf("%s: got %d, %v, want %d", a, got, ok, i)
		}
		if i > 0 && a.Zone() == "" && !last.Less(a) {
			t.Errorf("%s comes after %s", a, last)
		}
		last = a
		i++
	}
	if i != targets.Len() {
		t.Errorf("%d of %d", i, targets.Len())
	}
	for _, no := range []string{"10.0.0.0", "10.0.0.4", "10.0.0.10", "10.0.1.16", "0.0.0.0", "255.255.255.255", "::", "2001:db8::10", "2001:db9::", "fe80::5", "fe80::5%eth1", "fe80::1%eth0",
		"2001:db8::1%eth0", "fe80::6%eth0", "fe80::1:0:0:0%eth1", "2001:db8:0:1::2"} {
		if i, ok := targets.Index(netip.MustParseAddr(no)); ok {
			t.Errorf("%s is at %d", no, i)
		}
	}
	if i, ok := targets.Index(netip.MustParseAddr("::ffff:10.0.0.2")); i != 1 || !ok {
		t.Errorf("mapped: %d, %v", i, ok)
	}
	if parse(t, scan.ParseOptions{}, "2001:db8::/124").Contains(netip.MustParseAddr("2001:db8::1%eth0")) {
		t.Error("an address with a zone is another one than that without")
	}
	if targets.Contains(netip.Addr{}) || (scan.Targets{}).Contains(netip.MustParseAddr("10.0.0.1")) {
		t.Error("nothing is contained in nothing")
	}
}

func TestALoopMayEndEarly(t *testing.T) {
	t.Parallel()
	targets := parse(t, scan.ParseOptions{}, "10.0.0.1-9", "10.0.0.20-30")
	for range targets.All() {
		break
	}
	for range targets.Shuffled(1) {
		break
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"10.50.1.0/24", "10.50.1.10-40", "fe80::1%eth0", "2001:db8::/64", "::ffff:10.0.0.0/120", "10.0.0.0/8", "sw1", "010.1.1.1", "0.0.0.0/0", "[::1]:22",
		"10.50.1.0", "::-ffff::", "255.255.255.255/31", "198.18.5.0/24", "10.0.0.1:22", "http://x", "-", "/", "%", "1.1.1.1-", "::/1", "224.0.0.0-239.255.255.255",
	} {
		f.Add(s, "10.50.1.7", "10.50.1.128/25")
	}
	f.Fuzz(func(t *testing.T, one, two, exclude string) {
		o := scan.ParseOptions{Max: 4096, Lookup: names, OnLink: onLink()}
		if exclude != "" {
			o.Exclude = []string{exclude}
		}
		targets, err := scan.Parse(t.Context(), []string{one, two}, o)
		if err != nil {
			if text := err.Error(); strings.ContainsAny(text, "\n\x1b") || len(text) > 1000 {
				t.Fatalf("no sentence: %q", text)
			}
			return
		}
		check(t, targets)
		again, err := scan.ParseSet(targets.String())
		if err != nil || again.String() != targets.String() || again.Len() != targets.Len() {
			t.Fatalf("%s became %s, %v", targets, again, err)
		}
		terms := strings.Split(targets.String(), ", ")
		if parsed := parse(t, scan.ParseOptions{Max: 4096}, terms...); parsed.String() != targets.String() {
			t.Fatalf("%s became %s", targets, parsed)
		}
	})
}

// check checks a set of at most 4,096 addresses: each is there once, at its place, and is a host's.
func check(t *testing.T, targets scan.Targets) {
	t.Helper()
	if targets.Len() < 1 || targets.Len() > 4096 || targets.Label() == "" {
		t.Fatalf("%d targets, %q", targets.Len(), targets.Label())
	}
	all := scan.NewSet(targets)
	i := 0
	for a := range targets.All() {
		if got, ok := targets.Index(a); got != i || !ok || a.IsMulticast() || a.IsUnspecified() || a.Is4In6() {
			t.Fatalf("%s is at %d, %v", a, got, ok)
		}
		all.Add(a)
		i++
	}
	if i != targets.Len() || all.String() != targets.String() {
		t.Fatalf("%d of %d: %s, %s", i, targets.Len(), all, targets)
	}
}

func FuzzParseSet(f *testing.F) {
	f.Add("198.18.0.1-198.18.0.40, 198.18.1.0/24")
	f.Add("10.0.1.0,fe80::1%eth0, ::/0")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := scan.ParseSet(text)
		if err != nil {
			if !errors.Is(err, scan.ErrTargets) {
				t.Fatal(err)
			}
			return
		}
		again, err := scan.ParseSet(set.String())
		if err != nil || again.String() != set.String() || again.Len() != set.Len() {
			t.Fatalf("%q: %s became %s, %v", text, set, again, err)
		}
	})
}

func BenchmarkAll(b *testing.B) {
	targets := parse(b, scan.ParseOptions{}, "127.0.0.0/12")
	for b.Loop() {
		for range targets.All() {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(targets.Len()), "ns/addr")
}

func BenchmarkIndex(b *testing.B) {
	targets := parse(b, scan.ParseOptions{}, "127.0.0.0/12")
	a := netip.MustParseAddr("127.3.4.5")
	for b.Loop() {
		targets.Index(a)
	}
}
