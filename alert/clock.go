package alert

import (
	"math"
	"time"
)

// forever is longer than anything runs.
const forever = time.Duration(math.MaxInt64 / 4)

// moment is a time by both clocks.
type moment struct {
	wall time.Time     // what people are told
	run  time.Duration // for how long muster has run, restarts left out: what is measured by
}

// clock tells the time by both clocks.
type clock struct {
	wall  func() time.Time
	began time.Time // has the monotonic clock in it
	base  time.Duration
}

func (c *clock) now() moment {
	return moment{c.wall().UTC().Round(0), c.base + time.Since(c.began)}
}
