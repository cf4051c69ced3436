package logwatch

import "testing"

func TestWhatIsMissingIsCounted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		numbers []uint64
		want    int
	}{
		{"all came", []uint64{1, 2, 3, 4}, 0},
		{"the first one is any", []uint64{700, 701}, 0},
		{"some are missing", []uint64{1, 2, 5, 6, 10}, 2 + 3},
		{"some come late", []uint64{1, 4, 2, 3, 5}, 0},
		{"one comes late and one not at all", []uint64{1, 4, 2, 5}, 1},
		{"some come twice", []uint64{1, 1, 2, 2, 3, 2}, 0},
		{"one comes late and twice", []uint64{1, 3, 2, 2, 4}, 0},
		{"the device has restarted", []uint64{500, 501, 1, 2, 3, 5}, 1},
		{"the device has restarted and counts from where messages came", []uint64{1, 2, 3, 1, 2, 3, 4, 6}, 1},
		{"the device has restarted far below", []uint64{100_000, 100_001, 1, 2, 4}, 1},
		{"the count has wrapped", []uint64{2147483646, 2147483647, 1, 2}, 0},
		{"a step beyond all measure", []uint64{1, 2, 1 << 60, 1<<60 + 1}, 0},
		{"many are missing and then many late", []uint64{1, 2000, 1999, 1000}, 1998 - 2},
		{"one is too late to be told from a restart", []uint64{1, 5000, 2}, 4998},
	} {
		var g gaps
		got := 0
		for _, n := range c.numbers {
			missing, late := g.take(n)
			if got += missing; late {
				got--
			}
		}
		if got != c.want {
			t.Errorf("%s: %d are missing, want %d", c.name, got, c.want)
		}
	}
}
