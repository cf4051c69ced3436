package ping

import "time"

// event is a request that is due, or the end of the time that its reply has.
type event struct {
	at   time.Duration
	sent time.Duration // of the request whose time ends
	slot uint32
	seq  uint32 // of the request whose time ends; 0: a request is due
}

// agenda holds events, the earliest first: a heap of four children a node, which is flatter and kinder to the cache than one
// of two. Events that came to nothing stay until their time, where whoever reads them sees that they did.
type agenda []event

// next is when the earliest event is, or otherwise if there is none by then.
func (a agenda) next(otherwise time.Duration) time.Duration {
	if len(a) == 0 {
		return otherwise
	}
	return min(a[0].at, otherwise)
}

func (a *agenda) push(e event) {
	h := append(*a, e)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if h[up].at <= e.at {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
	*a = h
}

// pop takes the earliest event if it is not after a time.
func (a *agenda) pop(until time.Duration) (first event, ok bool) {
	h := *a
	if len(h) == 0 || h[0].at > until {
		return event{}, false
	}
	first = h[0]
	last := h[len(h)-1]
	h = h[:len(h)-1]
	if len(h) > 0 {
		h.sink(last)
	}
	*a = h
	return first, true
}

// sink puts an event into the root, which is empty, and lets it down to its place.
func (a agenda) sink(e event) {
	i := 0
	for {
		least := i*4 + 1
		if least >= len(a) {
			break
		}
		for child := least + 1; child < min(i*4+5, len(a)); child++ {
			if a[child].at < a[least].at {
				least = child
			}
		}
		if e.at <= a[least].at {
			break
		}
		a[i] = a[least]
		i = least
	}
	a[i] = e
}
