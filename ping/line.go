package ping

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// line is a wire with what tells our requests from those of others: the ids, the key of the cookies and the clock that
// their times are on. A sweep and a steady loop speak over one each.
type line struct {
	wire    wire
	ids     idRange
	key     cookieKey
	began   time.Time
	request [packetLen]byte
}

func newLine(w wire, ids idRange) line {
	return line{wire: w, ids: ids, key: newCookieKey(), began: time.Now()}
}

// idRange is the ids that the requests to one target take turns with, because firewalls keep a refusal for each (source,
// target, id) for as long as it is used.
type idRange struct {
	first uint16
	n     int
}

// anyIDs picks n neighbouring ids at random, none of them 0.
func anyIDs(n int) idRange { return idRange{first: uint16(1 + rand.IntN(1<<16-n)), n: n} }

func (r idRange) of(try uint32) uint16 { return r.first + uint16(try%uint32(r.n)) }

func (l *line) now() time.Duration { return time.Since(l.began) }

// ask sends a request at a time, which is now. Its reply is of interest for as long as wait.
func (l *line) ask(index, try uint32, to netip.Addr, now, wait time.Duration) error {
	q := echo{index: index, try: try, sent: uint64(now)}
	q.cookie = l.key.sign(q.index, q.try, q.sent, to)
	q.put(l.request[:], to, l.ids.of(try))
	return l.wire.send(l.request[:], to, wait)
}

// genuine says that what came from peer repeats a request to a target.
func (l *line) genuine(q echo, to, peer netip.Addr) bool {
	return sameHost(to, peer) && q.cookie == l.key.sign(q.index, q.try, q.sent, to)
}

// roundTrip is that of a genuine reply. One that arrived before it was asked for is of a clock that was set meanwhile: then
// the time of reading has to do.
func (l *line) roundTrip(q echo, arrived time.Duration) time.Duration {
	if rtt := arrived - time.Duration(q.sent); rtt >= 0 {
		return rtt
	}
	return max(0, l.now()-time.Duration(q.sent))
}
