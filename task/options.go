package task

import "time"

// DefaultLimit is the number of items that Gather, Settle and AsCompleted run at once when no Limit is given.
const DefaultLimit = 256

// Option is a Limit, an Each or a Named, given to Gather, Settle or AsCompleted. Of two of a kind the last one counts.
type Option interface{ set(*options) }

// Limit is the number of items that run at once; Limit(0) is no limit, a negative one panics.
type Limit int

// Each is the time that each item may take, as Timeout bounds it; 0 is no bound.
type Each time.Duration

// Named is the name of the call in the live tree; its items are called name[0], name[1] and so on.
type Named string

type options struct {
	limit int
	each  time.Duration
	name  string
}

func (l Limit) set(o *options) {
	if l < 0 {
		panic("task: negative Limit")
	}
	o.limit = int(l)
}

func (e Each) set(o *options) { o.each = time.Duration(e) }

func (n Named) set(o *options) { o.name = string(n) }

func collect(opts []Option) options {
	o := options{limit: DefaultLimit}
	for _, opt := range opts {
		opt.set(&o)
	}
	return o
}
