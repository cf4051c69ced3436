package ping

// rounds remembers what the kernel had dropped when each round of requests began.
type rounds struct {
	n      int
	before [MaxTries]int
}

func (r *rounds) begin(dropped int) {
	r.before[r.n] = dropped
	r.n++
}

// lost counts the silent targets whose reply may be among the packets that were dropped after their last request, and those
// that were never asked. One packet explains one target: of a later round first, because what was dropped early does not
// explain it.
func (r *rounds) lost(t *table, dropped int) (lost, unsent int) {
	var silent [MaxTries + 1]int
	for index := range t.n {
		if e := t.at(index); e.answered == 0 {
			silent[e.asked()]++
		}
	}
	for try, left := r.n, 0; try > 0; try-- {
		left += dropped - r.before[try-1]
		dropped = r.before[try-1]
		n := min(silent[try], left)
		lost, left = lost+n, left-n
	}
	return lost + silent[0], silent[0]
}
