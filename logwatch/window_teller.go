package logwatch

import (
	"cmp"
	"slices"
	"time"

	"github.com/musternet/muster"
)

// How a Teller tells.
const (
	// TellEvery is how often it is told at most what has become of one hit.
	TellEvery = 10 * time.Second
	// MostStrangers is how many senders that are no devices of the inventory have hits of their own at a time. Those of further
	// ones are told together, with OtherSenders as their key: who forges source addresses makes no event of each.
	MostStrangers = 1000
	OtherSenders  = "others"

	overAfter = time.Minute // without a message a hit is over; but no sooner than its rule's time
	mostHits  = 1 << 16     // that are not over
	lookEach  = time.Second // what time alone has done is looked at as often

	exactLines = 1000                   // so many lines after each time that it was told are kept, each as the last
	sampleLine = 100 * time.Millisecond // and then one in that time
)

// Told is a hit to tell.
type Told struct {
	muster.LogHit
	Device *muster.Device // nil: the sender is no device of the inventory
	Again  bool           // it was told before: this is what has become of it
}

// Teller decides when people are told of the messages that rules are about: of the first at once, and then, while more of the same
// rule and sender come, every TellEvery of how many they have become and of the last. What was not told when no more come is told
// TellEvery after what was told last. A hit is over when none has come for a minute, or for the time of its rule where that is
// longer; the next is a first one again.
//
// So a sender that logs 10,000 critical messages a second makes one hit, and is told of once in ten seconds. In such a flood the
// line that is told is up to 100 ms older than the last one, as not each is kept.
//
// A Teller is for one goroutine at a time, and keeps nothing over a restart. Time is what it is told: it starts no timer.
type Teller struct {
	rules     []Rule
	known     *Counter // apart, so that forged senders make no room among the devices
	unknown   *Counter
	open      lru[hit]
	strangers int // of open
	waiting   []Told
	looked    time.Time
}

// hit is one that is not over.
type hit struct {
	muster.LogHit // without a Line when all is told
	device        *muster.Device
	heard         time.Time // the last time that it fired
	told          time.Time
	untold        int // messages since
	lined         time.Time
}

// NewTeller makes a Teller for rules, which are known by their index from then on.
func NewTeller(rules []Rule) *Teller {
	return &Teller{rules: rules, known: NewCounter(rules), unknown: NewCounter(rules)}
}

// Forgotten is how many windows of rules had to make room so far, see Counter.
func (t *Teller) Forgotten() uint64 { return t.known.Forgotten() + t.unknown.Forgotten() }

// Hear takes a message that a rule is about, and says what is to be told of it now, if anything is. key is the sender; dev the
// device, nil where there is none; at and replayed are as for Counter.Add. line is asked for the message when it is to be told, or
// may have to be.
func (t *Teller) Hear(now time.Time, rule int, key string, dev *muster.Device, at time.Time, replayed bool, line func() muster.LogLine) (Told, bool) {
	counter := t.known
	if dev == nil {
		counter = t.unknown
	}
	count, first, fires := counter.Add(rule, key, at, replayed)
	h := hearing{rule, key}
	if dev == nil && t.strangers >= MostStrangers && !t.open.has(h) {
		h.key = OtherSenders
	}
	is := t.open.use(h)
	if is != nil && t.over(h, is, now) {
		t.end(h, is, now)
		is = nil
	}
	switch {
	case is == nil && !fires, replayed && t.rules[rule].windowed():
		return Told{}, false
	case is == nil:
		is = t.begin(h, dev, muster.LogHit{Rule: t.rules[rule].Name, Key: h.key, Count: count, First: first, Last: at}, now)
		is.Line = line()
		return is.tell(now, false), true
	}
	is.count(at)
	if fires {
		is.heard = now
	}
	due := now.Sub(is.told) >= TellEvery
	if due || is.untold <= exactLines || now.Sub(is.lined) >= sampleLine {
		is.Line, is.lined = line(), now
	}
	if !due {
		return Told{}, false
	}
	return is.tell(now, true), true
}

// begin opens a hit. The one that had no message for longest makes room, and is told of by Due.
func (t *Teller) begin(h hearing, dev *muster.Device, first muster.LogHit, now time.Time) *hit {
	if t.open.len() >= mostHits {
		last := t.open.last()
		t.end(last.hearing, &last.value, now)
	}
	if dev == nil && h.key != OtherSenders {
		t.strangers++
	}
	return t.open.add(h, hit{LogHit: first, device: dev, heard: now})
}

// over tells whether a hit is over.
func (t *Teller) over(h hearing, is *hit, now time.Time) bool {
	return now.Sub(is.heard) >= max(overAfter, t.rules[h.rule].Within)
}

// end closes a hit. What was not told of it waits for Due.
func (t *Teller) end(h hearing, is *hit, now time.Time) {
	if is.untold > 0 {
		t.waiting = append(t.waiting, is.tell(now, true))
	}
	if is.device == nil && h.key != OtherSenders {
		t.strangers--
	}
	t.open.drop(h)
}

// count counts a message.
func (is *hit) count(at time.Time) {
	is.Count++
	is.untold++
	if at.Before(is.First) {
		is.First = at
	}
	if at.After(is.Last) {
		is.Last = at
	}
}

// tell returns what is to be told, and keeps no line of it.
func (is *hit) tell(now time.Time, again bool) Told {
	told := Told{is.LogHit, is.device, again}
	is.told, is.untold, is.Line = now, 0, muster.LogLine{}
	return told
}

// Due returns what is to be told by now because more messages came, sorted by rule and sender. It is asked about
// once a second, or more often.
func (t *Teller) Due(now time.Time) []Told {
	if now.Sub(t.looked) >= lookEach {
		t.looked = now
		for h, is := range t.open.each() {
			switch {
			case is.untold > 0 && now.Sub(is.told) >= TellEvery:
				t.waiting = append(t.waiting, is.tell(now, true))
			case is.untold == 0 && t.over(h, is, now):
				t.end(h, is, now)
			}
		}
	}
	return t.take()
}

// Last returns all that is not told yet, and ends all hits: for when no more messages come, or other rules.
func (t *Teller) Last(now time.Time) []Told {
	for h, is := range t.open.each() {
		t.end(h, is, now)
	}
	return t.take()
}

func (t *Teller) take() []Told {
	all := t.waiting
	t.waiting = nil
	slices.SortStableFunc(all, func(a, b Told) int { return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key)) })
	return all
}
