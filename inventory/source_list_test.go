package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrefixesAreTheirHosts(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"192.0.2.0/30":     "192.0.2.1 192.0.2.2",
		"192.0.2.7/31":     "192.0.2.6 192.0.2.7",
		"192.0.2.7/32":     "192.0.2.7",
		"192.0.2.6/29":     "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6",
		"2001:db8::4/126":  "2001:db8::4 2001:db8::5 2001:db8::6 2001:db8::7",
		"2001:db8::1/128":  "2001:db8::1",
		"255.255.255.0/30": "255.255.255.1 255.255.255.2",
	} {
		inv, err := load(t, env(t), "list", prefix)
		if err != nil || cmp.Diff(strings.Fields(want), names(inv.Devices)) != "" {
			t.Errorf("%s: got %v, %v, want %s", prefix, names(inv.Devices), err, want)
		}
	}
}

func TestAListIsBounded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ devices, bad int }{
		"10.0.0.0/16":                    {65_534, 0},
		"2001:db8::/112":                 {65_536, 0},
		"10.0.0.0/15":                    {0, 1},
		"0.0.0.0/0":                      {0, 1},
		"::/0":                           {0, 1},
		"10.0.0.0/17\n10.1.0.0/16\nr1":   {32_767, 1}, // what stands behind the refused one goes on
		"10.0.0.0/17\n10.0.128.0/17\n":   {65_532, 0},
		"10.0.0.0/16\n10.1.0.0/31\nr1":   {65_537, 0},
		"10.0.0.0/16\n10.1.0.0/29\nr1":   {65_535, 1},
		"192.0.2.0/24 # office\n#10/8\n": {254, 0},
	} {
		inv, err := load(t, env(t), "list", text)
		devices := 0
		if inv != nil {
			devices = len(inv.Devices)
		}
		if err != nil || devices != want.devices || len(inv.Bad) != want.bad {
			t.Errorf("%q: got %d devices, bad %v, %v, want %+v", text, devices, inv.Bad, err, want)
		}
	}
}
