package scan

import (
	"iter"
	"time"

	"github.com/musternet/muster"
)

// holdMost is how many hosts are held back at once; the oldest leave first when there are more.
const holdMost = 2048

// hold keeps hosts for a while in the order in which they came.
type hold struct {
	hosts []held // a ring
	first int
	n     int
}

type held struct {
	host muster.Host
	due  time.Duration
}

// push takes a host that is due at a time, and gives back those that are due now or that have no room any more.
func (q *hold) push(h muster.Host, now, due time.Duration) iter.Seq[muster.Host] {
	return func(yield func(muster.Host) bool) {
		if q.n == holdMost && !yield(q.pop()) {
			return
		}
		q.add(held{h, due})
		for q.n > 0 && q.hosts[q.first].due <= now && yield(q.pop()) {
		}
	}
}

// rest gives back all.
func (q *hold) rest() iter.Seq[muster.Host] {
	return func(yield func(muster.Host) bool) {
		for q.n > 0 && yield(q.pop()) {
		}
	}
}

func (q *hold) add(h held) {
	if q.n == len(q.hosts) {
		q.grow()
	}
	q.hosts[(q.first+q.n)%len(q.hosts)] = h
	q.n++
}

func (q *hold) pop() muster.Host {
	h := q.hosts[q.first].host
	q.hosts[q.first] = held{}
	q.first, q.n = (q.first+1)%len(q.hosts), q.n-1
	return h
}

func (q *hold) grow() {
	bigger := make([]held, max(16, 2*len(q.hosts)))
	for i := range q.n {
		bigger[i] = q.hosts[(q.first+i)%len(q.hosts)]
	}
	q.hosts, q.first = bigger, 0
}
