package logwatch

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/syslog"
	"github.com/musternet/muster/task"
)

// Archive keeps lines.
type Archive interface {
	// Append takes a line of JSON, with its line end, and copies it. It waits for room as long as ctx allows and the disk takes
	// lines at all. An error says that the line is lost, which the archive counts.
	Append(ctx context.Context, line []byte, received time.Time) error
}

// Publisher gets what people should know.
type Publisher interface {
	PublishAll(ctx context.Context, events []muster.Event) error
}

// Config says what a Watcher stands on. The zero Config counts.
type Config struct {
	Outlook
	Archive Archive   // nil: nothing is archived
	Events  Publisher // gets an EventLog of what a rule is about; nil: rules are heard by nobody
	// Changed gets the devices whose configuration was changed, when they have been quiet about it for a while. It is called by
	// one goroutine at a time, and what changes meanwhile is its next call's. nil: nobody is interested.
	Changed func(context.Context, []Change)
	Quiet   time.Duration // 0: DefaultQuiet
	AtMost  time.Duration // after the first word of a change; 0: DefaultAtMost
	Log     *slog.Logger  // nil: nothing is logged
}

// Outlook is what a Watcher goes by and Replace replaces.
type Outlook struct {
	Book  *Book // nil: no device is known
	Rules []Rule
	Noise []NoiseRule // nil: nothing is noise
}

// Counts is what became of the messages so far.
type Counts struct {
	Taken    uint64 // messages
	Parsed   uint64 // of which the form was known
	Unknown  uint64 // of senders that are no device of the inventory
	Noise    uint64
	Missing  uint64 // by the devices' own numbers: never came
	Lost     uint64 // that could not be archived
	Hits     uint64 // messages that a rule was about
	Unheard  uint64 // events that could not be told, because too many were
	Replayed uint64
	// Forgotten is how many windows of rules had to make room, see Counter.
	Forgotten uint64
}

// Watcher makes sense of messages. Run takes them; its other methods may be called at the same time by several goroutines.
type Watcher struct {
	c   Config
	log *slog.Logger

	message syslog.Message // these are of the loop in Run
	encoder encoder
	show    func(line []byte, row func() muster.LogLine)
	row     func() muster.LogLine // of message and about
	about   about
	line    []byte
	hits    []int

	mu      sync.Mutex // guards what follows
	book    *Book
	filter  *Filter
	teller  *Teller
	senders map[netip.Addr]*sender
	changes changes
	pending []muster.Event
	lost    time.Time // when it was last said that events were lost
	counts  Counts    // of what was forgotten, that of tellers before this one

	wake chan struct{} // there are events
}

// New makes a Watcher. Rules and noise that are wrong are refused as by Check.
func New(c Config) (*Watcher, error) {
	w := &Watcher{
		c: c, log: c.Log, wake: make(chan struct{}, 1),
		changes: changes{quiet: cmp.Or(c.Quiet, DefaultQuiet), atMost: cmp.Or(c.AtMost, DefaultAtMost), waiting: map[string]*Change{}},
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	return w, w.Replace(c.Outlook)
}

// Replace puts another Outlook in place, or fails and leaves the one before. What windows of rules have counted is forgotten.
func (w *Watcher) Replace(o Outlook) error {
	filter, err := NewFilter(o.Rules, o.Noise)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.teller != nil {
		w.queueAll(w.teller.Last(time.Now()))
		w.counts.Forgotten += w.teller.Forgotten()
	}
	w.filter, w.teller = filter, NewTeller(o.Rules)
	w.bind(o.Book)
	return nil
}

// Bind puts another Book in place. Senders keep their numbers and clocks.
func (w *Watcher) Bind(b *Book) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bind(b)
}

func (w *Watcher) bind(b *Book) {
	if b == nil {
		b, _ = NewBook(nil, nil, nil)
	}
	w.book = b
	old := w.senders
	w.senders = make(map[netip.Addr]*sender, len(old))
	for addr, was := range old {
		s := w.meet(addr)
		s.number, s.order, s.clock = was.number, was.order, was.clock
		w.senders[addr] = s
	}
}

// Show has f called with the line of each message, with its line end, right after it was given to the archive, and with what makes a
// row of the message. Both are valid during the call, which only the next message waits for. It is said before Run.
func (w *Watcher) Show(f func(line []byte, row func() muster.LogLine)) {
	w.show = f
	w.row = func() muster.LogLine { return lineOf(&w.message, w.about) }
}

// Counts returns what became of the messages so far.
func (w *Watcher) Counts() Counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.counts
	c.Forgotten += w.teller.Forgotten()
	return c
}

// lookEvery is how often time alone is looked at: rules whose messages have stopped, changes that have become quiet.
const lookEvery = 250 * time.Millisecond

// lastWords bounds how long events are told after the messages have ended.
const lastWords = 5 * time.Second

// Run takes messages until their stream ends, which has to end by ctx. Errors of the stream are logged. Events are told beside it
// in their order; what is still to be told when the stream ends is told before Run returns. A change that has not become quiet by
// then is nobody's: the next backup that is due finds it.
func (w *Watcher) Run(ctx context.Context, stream iter.Seq2[syslog.Message, error]) error {
	return task.Scope(context.WithoutCancel(ctx), "logwatch", func(inner context.Context, g *task.Group) error {
		over, end := context.WithCancel(inner)
		defer end()
		due := make(chan []Change, 1)
		g.Go("events", func(ctx context.Context) error { return w.tell(ctx, over) })
		g.Go("clock", func(context.Context) error { return w.look(over, due) })
		g.Go("changes", func(context.Context) error { return w.change(ctx, due) })
		for m, err := range stream {
			if err != nil {
				w.log.Warn("receive syslog", "err", err)
				continue
			}
			w.message = m // which is one for all, so that not each is put on the heap
			w.take(ctx, &w.message)
		}
		return nil
	})
}

// take makes sense of one message.
func (w *Watcher) take(ctx context.Context, m *syslog.Message) {
	a := w.judge(m)
	if w.c.Archive == nil && w.show == nil {
		return
	}
	w.line = w.encoder.append(w.line[:0], m, a)
	if w.c.Archive != nil && w.c.Archive.Append(ctx, w.line, m.Received) != nil {
		w.mu.Lock()
		w.counts.Lost++
		w.mu.Unlock()
	}
	if w.show != nil {
		w.about = a
		w.show(w.line, w.row)
	}
}

// judge says what is known of a message, and lets the rules hear it.
func (w *Watcher) judge(m *syslog.Message) about {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Taken++
	if m.Format != syslog.FormatText {
		w.counts.Parsed++
	}
	s := w.sender(m)
	if s.device == nil {
		w.counts.Unknown++
	}
	at, replayed := w.when(s, m)
	a := about{sender: s, flags: w.flagsOf(s, m, replayed), missing: w.number(s, m)}
	w.hits, a.noise = w.filter.Match(w.hits[:0], m, s.device)
	if a.noise != "" {
		w.counts.Noise++
	}
	for _, i := range w.hits {
		w.hit(i, m, a, at, replayed)
	}
	if s.device != nil && w.c.Changed != nil {
		if said, ok := changeOf(s, m); ok {
			w.changes.note(*s.device, said, time.Now())
		}
	}
	return a
}

// when is the time of a message that windows go by: the sender's where it has a clock, or its arrival.
func (w *Watcher) when(s *sender, m *syslog.Message) (at time.Time, replayed bool) {
	if !m.Quality.Known || m.Quality.Unsynced {
		return m.Received, false
	}
	if s.clock.replayed(m.Time, m.Received, m.Quality.Zone) {
		w.counts.Replayed++
		return m.Time, true
	}
	return m.Time, false
}

// number counts what is missing before a message.
func (w *Watcher) number(s *sender, m *syslog.Message) int {
	g, n := &s.number, m.Counter
	if n == 0 {
		g, n = &s.order, m.Sequence
	}
	if n == 0 {
		return 0
	}
	missing, late := g.take(n)
	w.counts.Missing += uint64(missing)
	if late {
		w.counts.Missing--
	}
	return missing
}

// hit lets the teller know that a rule is about a message.
func (w *Watcher) hit(rule int, m *syslog.Message, a about, at time.Time, replayed bool) {
	w.counts.Hits++
	line := func() muster.LogLine {
		l := lineOf(m, a)
		mask(&l, a.sender.def)
		return l
	}
	if told, ok := w.teller.Hear(time.Now(), rule, a.sender.key, a.sender.device, at, replayed, line); ok {
		w.queue(told)
	}
}

func (w *Watcher) queueAll(all []Told) {
	for _, t := range all {
		w.queue(t)
	}
}

// mostPending is how many events wait to be told. More come only when telling fails for long: each rule tells of a sender once in
// ten seconds at most.
const mostPending = 100_000

// queue queues an event of a hit.
func (w *Watcher) queue(t Told) {
	if w.c.Events == nil {
		return
	}
	if len(w.pending) >= mostPending {
		w.counts.Unheard++
		if time.Since(w.lost) > time.Minute {
			w.lost = time.Now()
			w.log.Error("events of syslog rules are lost: too many wait to be told", "rule", t.Rule, "sender", t.Key)
		}
		return
	}
	e := muster.Event{
		ID:   "log/" + t.Rule + "/" + t.Key + "/" + strconv.FormatInt(t.First.UnixNano(), 36) + "/" + strconv.Itoa(t.Count),
		Time: time.Now().UTC(), Kind: muster.EventLog, Text: fmt.Sprintf("%s: %s", t.Key, t.Line.Message), Log: &t.LogHit,
	}
	if t.Device != nil {
		e.Device = *t.Device
	}
	w.pending = append(w.pending, e)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// tell publishes events until there are no more messages.
func (w *Watcher) tell(ctx, over context.Context) error {
	for {
		select {
		case <-w.wake:
			w.publish(ctx)
		case <-over.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			defer cancel()
			w.mu.Lock()
			w.queueAll(w.teller.Last(time.Now()))
			w.mu.Unlock()
			w.publish(last)
			return nil
		}
	}
}

// tellAtOnce is how many events are told together.
const tellAtOnce = 256

// publish tells all events that wait. Those that the journal could not keep were told all the same, see event.Bus.
func (w *Watcher) publish(ctx context.Context) {
	for ctx.Err() == nil {
		w.mu.Lock()
		some := w.pending[:min(len(w.pending), tellAtOnce)]
		w.pending = w.pending[len(some):]
		w.mu.Unlock()
		if len(some) == 0 {
			return
		}
		if err := w.c.Events.PublishAll(ctx, some); err != nil {
			w.log.Error("tell what syslog rules have found", "events", len(some), "err", err)
		}
	}
}

// look looks again and again what time alone has done.
func (w *Watcher) look(over context.Context, due chan<- []Change) error {
	defer close(due)
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-over.Done():
			return nil
		case <-t.C:
		}
		w.mu.Lock()
		w.queueAll(w.teller.Due(time.Now()))
		var ripe []Change
		if len(due) == 0 { // the last ones were taken: what is due now would only wait there
			ripe = w.changes.due(time.Now())
		}
		w.mu.Unlock()
		if len(ripe) > 0 {
			due <- ripe // has room: nobody else sends
		}
	}
}

// change hands changes over.
func (w *Watcher) change(ctx context.Context, due <-chan []Change) error {
	for some := range due {
		if w.c.Changed != nil && ctx.Err() == nil {
			w.c.Changed(ctx, some)
		}
	}
	return nil
}
