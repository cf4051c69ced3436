package scan_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/musternet/muster/scan"
)

func TestASetIsReadBackFromItsText(t *testing.T) {
	t.Parallel()
	targets := parse(t, scan.ParseOptions{}, "10.0.0.0/23", "10.0.2.7", "203.0.113.0/28", "2001:db8::/124", "fe80::1%eth0", "fe80::2%eth0")
	r := rand.New(rand.NewPCG(1, 2))
	for _, share := range []int{0, 1, 2, 10, 50, 90, 99, 100} {
		set := scan.NewSet(targets)
		n := 0
		for a := range targets.All() {
			if r.IntN(100) < share {
				set.Add(a)
				set.Add(a)
				n++
			}
		}
		back, err := scan.ParseSet(set.String())
		if err != nil || back.Len() != n || set.Len() != n || back.String() != set.String() {
			t.Fatalf("%d of 100: %d of %d, %v: %s, %s", share, back.Len(), n, err, set, back)
		}
		for a := range targets.All() {
			if set.Has(a) != back.Contains(a) {
				t.Errorf("%d of 100: %s was added: %v", share, a, set.Has(a))
			}
		}
	}
}

func TestASetHoldsOnlyTargets(t *testing.T) {
	t.Parallel()
	set := scan.NewSet(parse(t, scan.ParseOptions{}, "10.0.0.1-3"))
	for _, a := range []string{"10.0.0.4", "::1", "10.0.0.0"} {
		set.Add(netip.MustParseAddr(a))
	}
	if set.Len() != 0 || set.String() != "" || set.Has(netip.MustParseAddr("10.0.0.4")) {
		t.Errorf("%s", set)
	}
	set.Add(netip.MustParseAddr("::ffff:10.0.0.2"))
	if set.String() != "10.0.0.2" {
		t.Errorf("%s", set)
	}
}

func TestAMillionHostsThatAreUpAreOneRange(t *testing.T) {
	targets := parse(t, scan.ParseOptions{}, "127.16.0.0/12")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	set := scan.NewSet(targets)
	for a := range targets.Shuffled(3) {
		set.Add(a)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 160<<10 {
		t.Errorf("it took %d KiB", grown>>10)
	}
	if set.String() != "127.16.0.0/12" || set.Len() != 1<<20 {
		t.Errorf("%s: %d", set, set.Len())
	}
}

func TestWhatIsNoSetIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sw1":                   "sw1 is no address, range or prefix",
		"10.0.0.1, ":            "an empty target names nothing: leave it out",
		"10.0.0.1 10.0.0.2":     `"10.0.0.1 10.0.0.2" has a space in it: give each target as an argument of its own`,
		"10.0.0.1, 10.0.0.300":  "10.0.0.300: 300 is above 255, the most that a number of an IPv4 address can be",
		"0.0.0.0/0, 2001:db8::": "a set of 4,294,967,297 addresses is more than can be kept",
	} {
		if _, err := scan.ParseSet(text); !errors.Is(err, scan.ErrTargets) || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if set, err := scan.ParseSet(""); err != nil || set.Len() != 0 {
		t.Errorf("%d, %v", set.Len(), err)
	}
	if set, err := scan.ParseSet("10.0.0.0, 10.0.0.2"); err != nil || set.String() != "10.0.0.0/32, 10.0.0.2" {
		t.Errorf("in a set an address is itself: %s, %v", set, err)
	}
}

func BenchmarkSetText(b *testing.B) {
	targets := parse(b, scan.ParseOptions{}, "127.0.0.0/12")
	set := scan.NewSet(targets)
	i := 0
	for a := range targets.All() {
		if i++; i%10 == 0 {
			set.Add(a)
		}
	}
	for b.Loop() {
		if back, err := scan.ParseSet(set.String()); err != nil || back.Len() != set.Len() {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(strings.Count(set.String(), ",")+1), "ranges")
}
