package ping

import "time"

// slot is what a steady loop knows of one target. Of the last 64 requests it keeps a bit each, that of the newest is 1.
type slot struct {
	target   *planned
	due      time.Duration // when the next request is
	place    uint64        // in the interval
	open     uint64        // requests whose time is not over and that have no reply
	answered uint64
	seq      uint32        // of the newest request, from 1
	first    uint32        // the oldest that is still of interest: those before it were for another target
	hinted   time.Duration // when an error message said last that the target cannot be reached
	hint     hint          // what it said
	live     bool          // the plan has it
}

// next makes room for one more request.
func (s *slot) next() {
	s.seq++
	s.open <<= 1
	s.answered <<= 1
}

// full says that the oldest of 64 requests still waits for its reply, which happens when an interval was made much shorter.
func (s *slot) full() bool { return s.open>>63 != 0 }

// bit is that of a request; 0 when it is too long ago, or to another target.
func (s *slot) bit(seq uint32) uint64 {
	if seq < s.first || seq > s.seq || s.seq-seq > 63 {
		return 0
	}
	return 1 << (s.seq - seq)
}

// forget lets nothing more be said of the requests so far.
func (s *slot) forget() {
	s.first = s.seq + 1
	s.open = 0
	s.hint = hintNone
}

// adopt takes over what was changed in the plan.
func (s *steady) adopt() {
	for _, c := range s.plan.exchange(&s.stats) {
		switch {
		case c.old == nil:
			s.add(c.new)
		case c.new == nil:
			s.remove(c.old)
		default:
			s.change(c.old, c.new)
		}
	}
}

func (s *steady) add(t *planned) {
	t.slot = s.freeSlot()
	to := &s.slots[t.slot]
	to.target, to.live = t, true
	s.place(to)
}

// quarantine is how long a slot keeps the address of a target that is gone: until then a reply from there is no forged one.
const quarantine = time.Minute

// freed is a slot that nobody uses since a time.
type freed struct {
	slot  uint32
	since time.Duration
}

// freeSlot reuses the slot that has been free the longest, or makes a new one.
func (s *steady) freeSlot() uint32 {
	if len(s.free) > 0 && s.now()-s.free[0].since > quarantine {
		index := s.free[0].slot
		s.free = s.free[1:]
		return index
	}
	s.slots = append(s.slots, slot{})
	return uint32(len(s.slots) - 1)
}

// place gives a target its place in its interval and plans its first request.
func (s *steady) place(to *slot) {
	interval := to.target.Interval
	if s.spreads[interval] == nil {
		s.spreads[interval] = &spread{}
	}
	to.place = s.spreads[interval].take()
	to.due = firstAfter(s.now(), phase(to.place, interval), interval)
	s.agenda.push(event{at: to.due, slot: to.target.slot})
}

func (s *steady) remove(t *planned) {
	to := &s.slots[t.slot]
	to.live = false
	to.forget()
	s.spreads[t.Interval].give(to.place)
	s.free = append(s.free, freed{t.slot, s.now()})
}

// change gives a target another interval or timeout, or makes it another one: with the place that it has just given back.
func (s *steady) change(old, t *planned) {
	if t.Addr != old.Addr {
		s.remove(old)
		s.add(t)
		return
	}
	t.slot = old.slot
	to := &s.slots[t.slot]
	to.target = t
	if t.Interval != old.Interval {
		s.spreads[old.Interval].give(to.place)
		s.place(to)
	}
}
