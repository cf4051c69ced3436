package ping

import (
	"math/bits"
	"time"
)

// spread gives the targets of one interval their places in it. The places follow the golden ratio: whatever their number,
// the widest gap between two neighbours is at most 2.7 times the narrowest, and no place depends on how many there are.
type spread struct {
	given uint64
	free  []uint64 // places that were given back: they are given out first, or the gaps of targets that are gone would stay
}

// golden is 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

func (s *spread) take() (place uint64) {
	if n := len(s.free); n > 0 {
		place = s.free[n-1]
		s.free = s.free[:n-1]
		return place
	}
	s.given++
	return s.given - 1
}

func (s *spread) give(place uint64) { s.free = append(s.free, place) }

// phase is where in an interval a place is.
func phase(place uint64, interval time.Duration) time.Duration {
	part, _ := bits.Mul64(place*golden, uint64(interval))
	return time.Duration(part)
}

// firstAfter is the first time of a phase that is not before now.
func firstAfter(now, phase, interval time.Duration) time.Duration {
	if now <= phase {
		return phase
	}
	return now + (interval-(now-phase)%interval)%interval
}
