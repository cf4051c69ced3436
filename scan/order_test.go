package scan_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/musternet/muster/scan"
)

func TestAShuffleHasEveryAddressOnce(t *testing.T) {
	t.Parallel()
	sets := []string{"", "10.0.0.0/16", "10.0.0.1-9, 10.1.0.0/20, 203.0.113.7, 2001:db8::/120, 2001:db8:7:0:ffff:ffff:ffff:fff0-2001:db8:7:1::ff, fe80::1%eth0, fe80::2%eth0"}
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 255, 256, 257, 1000, 4095, 4097, 65535, 65537} {
		last := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		sets = append(sets, fmt.Sprintf("10.0.0.1-%s", last), fmt.Sprintf("2001:db8::1:1-2001:db8::%x:%x", 1+n>>16, n&0xffff))
	}
	for _, text := range sets {
		targets, err := scan.ParseSet(text)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(4) {
			seen := scan.NewSet(targets)
			n := 0
			for a := range targets.Shuffled(seed) {
				seen.Add(a)
				n++
			}
			if n != targets.Len() || seen.Len() != n {
				t.Errorf("%s: %d addresses, %d of them different, want %d", text, n, seen.Len(), targets.Len())
			}
		}
	}
}

func TestAShuffleIsDecidedByItsSeed(t *testing.T) {
	t.Parallel()
	targets := parse(t, scan.ParseOptions{}, "10.0.0.0/24")
	first := slices.Collect(targets.Shuffled(1))
	if !slices.Equal(first, slices.Collect(targets.Shuffled(1))) {
		t.Error("the same seed gives another order")
	}
	for seed := range uint64(100) {
		if seed != 1 && slices.Equal(first, slices.Collect(targets.Shuffled(seed))) {
			t.Errorf("seed %d gives the order of seed 1", seed)
		}
	}
}

// By chance one in 256 of those that follow each other is of the same /24: 256 of 65,535 on average, 16 more or less.
func TestAShuffleSpreadsOverTheSubnets(t *testing.T) {
	t.Parallel()
	targets := parse(t, scan.ParseOptions{}, "10.7.0.0/16")
	for seed := range uint64(20) {
		var last netip.Addr
		same, steps := 0, map[int]int{}
		worst := spread(targets, seed)
		i := 0
		for a := range targets.Shuffled(seed) {
			if i > 0 && a.As4()[2] == last.As4()[2] {
				same++
			}
			if i > 0 {
				steps[int(a.As4()[2])-int(last.As4()[2])]++
			}
			last = a
			i++
		}
		for step, n := range steps {
			if n > 420 { // a fixed stride would be all of them
				t.Errorf("seed %d: %d steps are %d subnets wide", seed, n, step)
			}
		}
		t.Logf("seed %d: %d pairs of one subnet, %d of 256 in a row", seed, same, worst)
		if same < 150 || same > 360 || worst > 16 {
			t.Errorf("seed %d: %d pairs of one subnet, %d of 256 in a row", seed, same, worst)
		}
	}
}

// spread is the most addresses of one /24 among any 256 that are asked in a row, of those that begin at a multiple of 256.
// One of them would be the mean.
func spread(targets scan.Targets, seed uint64) (worst int) {
	subnets := map[byte]int{}
	i := 0
	for a := range targets.Shuffled(seed) {
		if i++; i%256 == 0 {
			clear(subnets)
		}
		subnets[a.As4()[2]]++
		worst = max(worst, subnets[a.As4()[2]])
	}
	return worst
}

func TestEveryAddressComesEverywhereInShuffles(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 3, 5, 16, 20} {
		targets := parse(t, scan.ParseOptions{}, fmt.Sprintf("10.0.0.1-%d", n))
		counts := map[[2]int]int{}
		const runs = 4000
		for seed := range uint64(runs) {
			place := 0
			for a := range targets.Shuffled(seed) {
				i, _ := targets.Index(a)
				counts[[2]int{place, i}]++
				place++
			}
		}
		for place := range n {
			for i := range n {
				if got, mean := counts[[2]int{place, i}], runs/n; got < mean*6/10 || got > mean*14/10 {
					t.Errorf("of %d, address %d was at place %d %d times in %d, %d are fair", n, i, place, got, runs, mean)
				}
			}
		}
	}
}

func BenchmarkShuffled(b *testing.B) {
	scattered := scan.NewSet(parse(b, scan.ParseOptions{}, "127.0.0.0/12"))
	for a := range parse(b, scan.ParseOptions{}, "127.0.0.0/12").All() {
		if a.As4()[3]%16 != 7 {
			scattered.Add(a)
		}
	}
	for name, text := range map[string]string{"1 range": "127.0.0.0/12", "65,537 ranges": scattered.String(), "IPv6": "2001:db8::/108"} {
		targets, err := scan.ParseSet(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for range targets.Shuffled(uint64(b.N)) {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(targets.Len()), "ns/addr")
		})
	}
}
