package monitor

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/task"
)

const (
	seenEvery    = time.Minute      // how often a device is saved of which only the last reply is new
	writeLimit   = 30 * time.Second // for one write
	keptMost     = 100_000          // transitions that wait for a store or a subscriber
	atOnce       = 256              // devices that are read at once
	publishMost  = 1000             // events that are published at once
	publishAgain = 10 * time.Second
)

// keeper saves what is known and tells what changed, in this order.
type keeper struct {
	m         *Monitor
	seed      maphash.Seed
	save      []muster.Transition
	tell      []muster.Event
	drop      []string
	self      bool // the state of this machine is to be saved
	ill, deaf bool // the store or the subscriber took none last time
	deafAt    time.Time
}

// keep saves at once whose health changed, and once a second what else is new.
func (m *Monitor) keep(ctx context.Context) error {
	k := &keeper{m: m, seed: maphash.MakeSeed()}
	turns := time.NewTicker(time.Second)
	defer turns.Stop()
	for ctx.Err() == nil {
		turn := false
		select {
		case <-turns.C:
			turn = true
		case <-m.told:
		case <-ctx.Done():
		}
		k.work(ctx, turn)
	}
	k.work(ctx, true)
	return nil
}

// work does one round. The end of ctx does not cut it short.
func (k *keeper) work(ctx context.Context, turn bool) {
	waiting := len(k.tell)
	rows := k.collect()
	if turn {
		rows = append(rows, k.news()...)
	}
	some := encoded(rows)
	if k.m.cfg.States == nil {
		k.save, k.drop = nil, nil
	} else {
		k.note(task.Shield(ctx, writeLimit, func(ctx context.Context) error { return k.store(ctx, some) }), some)
	}
	if k.m.cfg.Events == nil {
		k.tell = nil
	}
	if len(k.tell) > waiting || k.deaf && time.Since(k.deafAt) >= publishAgain || len(k.tell) > 0 && !k.deaf {
		k.publish(ctx)
	}
}

// collect takes the transitions, and the health of the devices whose it was.
func (k *keeper) collect() (some []row) {
	m := k.m
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &m.fleet
	for _, t := range f.out {
		if d := f.byName[t.Device]; d != nil {
			k.tell = append(k.tell, event(t, d.Device))
		} else if t.Device == "" {
			k.tell = append(k.tell, event(t, muster.Device{}))
			k.self = true
		}
	}
	k.save = append(k.save, f.out...)
	k.bound(&m.lost)
	if k.self {
		some = append(some, row{Health: f.self()})
	}
	k.drop = append(k.drop, m.dropped...)
	changed := f.unsaved
	f.out, f.unsaved, m.dropped = nil, nil, nil
	for i, d := range changed {
		if d.unsaved && !d.gone {
			k.isNew(d)
			some = append(some, m.row(d))
		}
		m.breathe(i)
	}
	return some
}

// breathe lets pings in now and then while all devices are looked at: each time for as long as they need, a millisecond at
// most. m.mu is held before and after.
func (m *Monitor) breathe(i int) {
	if i%atOnce == atOnce-1 {
		m.mu.Unlock()
		runtime.Gosched() // or the lock would be taken again before anybody else has woken
		m.mu.Lock()
	}
}

// bound keeps what waits from growing for ever: quiet transitions are given up first.
func (k *keeper) bound(l *Lost) {
	if n := len(k.tell) - keptMost; n > 0 {
		k.tell = slices.DeleteFunc(k.tell, func(e muster.Event) bool {
			give := n > 0 && e.Transition.Quiet
			if give {
				n--
				l.Events++
			}
			return give
		})
	}
	if n := len(k.save) - keptMost; n > 0 && k.ill {
		k.save = slices.Delete(k.save, 0, n)
		l.Transitions += n
	}
}

// event tells of a transition.
func event(t muster.Transition, d muster.Device) muster.Event {
	name := d.Name
	if name == "" {
		name = "this machine"
	}
	return muster.Event{
		ID:   "health/" + t.Device + "/" + strconv.FormatInt(t.Time.UnixNano(), 36),
		Time: t.Time, Kind: muster.EventHealth, Device: d, Transition: &t,
		Text: name + " is " + string(t.To) + ": " + t.Reason,
	}
}

// news is the health of the devices of which there is something new.
func (k *keeper) news() (some []row) {
	m := k.m
	if m.cfg.States == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := 0; i < len(m.fleet.devices); i++ {
		if d := m.fleet.devices[i]; k.isNew(d) {
			some = append(some, m.row(d))
		}
		m.breathe(i)
	}
	return some
}

// isNew tells whether there is something to save of a device, and notes that it is saved.
func (k *keeper) isNew(d *device) bool {
	now, sum := k.m.now(), d.sum(k.seed)
	if !d.unsaved && d.savedSum == sum && (now-d.savedAt < seenEvery || d.heard <= d.savedAt) {
		return false
	}
	d.savedSum, d.savedAt, d.unsaved = sum, now, false
	return true
}

// sum is a sum of what the next verdict of a device stands on.
func (d *device) sum(seed maphash.Seed) uint64 {
	stands := max(d.Down.Of, d.Up.Of)
	total := maphash.Comparable(seed, [...]string{string(d.told), string(d.settled), d.hidden, d.reason})
	for _, c := range d.checks {
		total = total*31 + maphash.Comparable(seed, c.evidence(stands))
	}
	return total
}

// evidence is against the verdict: what speaks for it is nothing new.
type evidence struct {
	verdict verdict
	lossy   bool
	known   int
	against uint64
}

func (h *history) evidence(of int) evidence {
	known := last(min(int(h.run), of))
	e := evidence{verdict: h.verdict, lossy: h.lossy}
	switch h.verdict {
	case well:
		e.against = ^h.answered & known
	case failing:
		e.against = h.answered & known
	default:
		e.known, e.against = int(h.run), h.answered&known
	}
	return e
}

// store writes.
func (k *keeper) store(ctx context.Context, some []store.Health) error {
	s := k.m.cfg.States
	if len(k.drop) > 0 {
		if err := s.DropHealth(ctx, k.drop); err != nil {
			return err
		}
		k.drop = nil
	}
	if len(some) > 0 {
		if err := s.SaveHealth(ctx, some); err != nil {
			return err
		}
		k.self = false
	}
	if len(k.save) > 0 {
		if err := s.AddTransitions(ctx, k.save, time.Now().Add(-k.m.cfg.Keep)); err != nil {
			return err
		}
		k.save = nil
	}
	return nil
}

// note has what could not be written written in its next turn.
func (k *keeper) note(err error, some []store.Health) {
	log := k.m.cfg.Log
	switch {
	case err != nil && !k.ill:
		log.Error("states were not kept", "err", err)
	case err == nil && k.ill:
		log.Info("states are kept again")
	}
	if k.ill = err != nil; !k.ill {
		return
	}
	k.m.mu.Lock()
	defer k.m.mu.Unlock()
	for _, h := range some {
		if d := k.m.fleet.byName[h.Device]; d != nil {
			d.unsaved = true
		}
	}
}

// publish tells of events in their order. What cannot be told now is told with the next ones, or after a while.
func (k *keeper) publish(ctx context.Context) {
	err := task.Shield(ctx, writeLimit, func(ctx context.Context) error {
		for len(k.tell) > 0 {
			n := min(publishMost, len(k.tell))
			if err := k.m.cfg.Events.PublishAll(ctx, k.tell[:n]); err != nil {
				return err
			}
			k.tell = k.tell[n:]
		}
		k.tell = nil
		return nil
	})
	if err != nil && !k.deaf {
		k.m.cfg.Log.Error("events could not be published", "waiting", len(k.tell), "err", err)
	}
	k.deaf, k.deafAt = err != nil, time.Now()
}

// row is what is saved of a device, before it is encoded.
type row struct {
	store.Health
	memory
}

// memory is what a device stands on, in Health.Recent.
type memory struct {
	Told    muster.Health `json:"told,omitempty"`
	Settled muster.Health `json:"settled,omitempty"`
	Hidden  string        `json:"hidden,omitempty"`
	Checks  []memo        `json:"checks,omitempty"`
}

// memo is the history of a check.
type memo struct {
	Name     string  `json:"name"`
	Verdict  verdict `json:"verdict"`
	Answered uint64  `json:"answered"`
	Late     uint64  `json:"late,omitempty"`
	Known    uint8   `json:"known"`
	Run      uint8   `json:"run"`
	Lossy    bool    `json:"lossy,omitempty"`
}

// row is what is saved of a device. m.mu is held.
func (m *Monitor) row(d *device) row {
	recent := memory{Told: d.told, Settled: d.settled, Hidden: d.hidden, Checks: make([]memo, len(d.checks))}
	for i, c := range d.checks {
		recent.Checks[i] = memo{c.name, c.verdict, c.answered, c.late, c.known, c.run, c.lossy}
	}
	return row{store.Health{
		Device: d.Device.Name, State: d.health, Since: d.since, Reason: d.reason, Seen: m.seen(d), Flapping: d.flapping,
	}, recent}
}

// encoded makes rows such that a store takes them, which costs too much to do it while pings wait.
func encoded(rows []row) []store.Health {
	some := make([]store.Health, len(rows))
	for i, r := range rows {
		text, err := json.Marshal(r.memory)
		if err != nil {
			panic(err) // it is made of numbers and words
		}
		some[i] = r.Health
		some[i].Recent = text
	}
	return some
}

// seen is when the device was heard last.
func (m *Monitor) seen(d *device) time.Time {
	if d.heard == 0 {
		return d.seen
	}
	return m.fleet.wall().Add(d.heard - m.now())
}

// self is what is saved of this machine.
func (f *fleet) self() store.Health {
	h := store.Health{State: muster.HealthUp, Since: f.cutSince}
	if f.cut {
		h.State, h.Reason = muster.HealthDown, f.cutReason
	}
	return h
}
