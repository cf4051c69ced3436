package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/task"
)

// Interval is how often the time that has run is kept, and at most what of it is forgotten by kill -9.
const Interval = 15 * time.Second

// Config says what an Engine stands on.
type Config struct {
	Rules []Rule // see Defaults
	// Parse says what is wrong with a PromQL expression; nil: rules are not looked at for that, and a wrong one fails when it
	// is asked.
	Parse func(expr string) error
	// Sender gets the alerts; nil: they are seen by Alerts alone.
	Sender Sender
	// States keeps what the rules know, and has the health of devices; nil: a restart forgets all.
	States store.Watch
	// Samples is the history that expressions are asked of; nil: rules of kind promql cannot be asked.
	Samples store.Samples
	// Devices is the inventory, asked by New and Replace. Alerts of devices that it has no more end. nil or none: devices are
	// those of the events.
	Devices func() []muster.Device
	Log     *slog.Logger // nil: nothing is logged
}

// Engine judges what happens by rules, and sends the alerts that come of it. Its methods may be called by several
// goroutines.
type Engine struct {
	c     Config
	log   *slog.Logger
	clock clock
	wake  chan struct{} // there may be something to send

	saving *task.Semaphore // who has it writes rows, so that they are in order; taken before mu
	mu     sync.Mutex
	desk   *desk
}

// New makes an Engine that goes on where the last one of the same States has stopped. It sends nothing before Run. Rules
// that are wrong are refused as by Check.
func New(ctx context.Context, c Config) (*Engine, error) {
	if err := Check(c.Rules, c.Parse); err != nil {
		return nil, err
	}
	e := &Engine{c: c, log: c.Log, wake: make(chan struct{}, 1), saving: task.NewSemaphore(1)}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	e.clock = clock{wall: time.Now, began: time.Now()}
	e.desk = newDesk(e.devices())
	if err := e.load(ctx); err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	return e, nil
}

func (e *Engine) devices() []muster.Device {
	if e.c.Devices == nil {
		return nil
	}
	return e.c.Devices()
}

// load takes over what was kept, and judges it by the rules of now.
func (e *Engine) load(ctx context.Context) error {
	var healths []store.Health
	if e.c.States != nil {
		rows, err := e.c.States.Firings(ctx)
		if err != nil {
			return err
		}
		run, bad := e.desk.restore(rows)
		for _, err := range bad {
			e.log.Error("what was kept of an alert cannot be read", "err", err)
		}
		e.clock.base = run
		if healths, err = e.c.States.Healths(ctx); err != nil {
			return err
		}
	}
	e.desk.now = e.clock.now()
	e.desk.replace(e.c.Rules)
	e.desk.agree(healths)
	e.desk.forget()
	e.desk.look()
	return e.save(ctx)
}

// Take tells the rules what happened, in this order. Events of one device have to come in the order in which they happened;
// of the last MostTaken any may come again, as a bus does it after a restart: they are known by their ID. When it returns nil all that came of the events is kept;
// after an error the rules know it all the same, and it is kept as soon as the store can be written.
func (e *Engine) Take(ctx context.Context, some ...muster.Event) error {
	e.mu.Lock()
	e.desk.now = e.clock.now()
	for _, ev := range some {
		e.desk.take(ev)
	}
	e.mu.Unlock()
	e.stir()
	return e.save(ctx)
}

// Replace puts other rules in place and reads the inventory anew. A rule that has the name and the kind of one before keeps
// its alerts and the time it has measured; what fires of a rule that is gone, or of a device that is gone or watched no
// more, ends. Rules that are wrong are refused as by Check, and those before stay.
func (e *Engine) Replace(ctx context.Context, rules []Rule) error {
	if err := Check(rules, e.c.Parse); err != nil {
		return err
	}
	var healths []store.Health
	if e.c.States != nil {
		var err error
		if healths, err = e.c.States.Healths(ctx); err != nil {
			return fmt.Errorf("alerts: %w", err)
		}
	}
	devices := e.devices()
	e.mu.Lock()
	e.desk.now = e.clock.now()
	e.desk.know(devices)
	e.desk.replace(rules)
	if e.c.States != nil {
		e.desk.unwatch(healths)
	}
	e.desk.forget()
	e.desk.look()
	e.mu.Unlock()
	e.stir()
	return e.save(ctx)
}

// save writes what the store does not know yet. Whoever waits for another one's writing has mostly nothing left to write.
func (e *Engine) save(ctx context.Context) error {
	if e.c.States == nil {
		return nil
	}
	if err := e.saving.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("keep the state of alerts: %w", err)
	}
	defer e.saving.Release(1)
	e.mu.Lock()
	rows := e.desk.unsaved()
	e.mu.Unlock()
	if len(rows) == 0 {
		return nil
	}
	err := e.c.States.SaveFirings(ctx, rows)
	if err == nil {
		return nil
	}
	e.mu.Lock()
	for _, r := range rows {
		e.desk.dirty[row{r.Rule, r.Key}] = struct{}{}
	}
	e.mu.Unlock()
	return fmt.Errorf("keep the state of alerts: %w", err)
}

// stir lets Run look whether there is something to send.
func (e *Engine) stir() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Phase is how far an alert is.
type Phase string

// The phases.
const (
	Pending Phase = "pending" // it does not last long enough yet
	Firing  Phase = "firing"
	Ended   Phase = "ended" // it has fired, and its end is being told
)

// State is one alert as it stands now.
type State struct {
	Rule        string
	Phase       Phase
	Labels      map[string]string
	Summary     string
	Description string
	Since       time.Time // when it was first seen; of Firing and Ended: when it began to fire
	Ended       time.Time // zero: it has not
	Count       int
	First, Last time.Time
	Sample      string
}

// Alerts returns all that is pending, fires, or has ended a short while ago: by rule, in the order of the rules, then by
// labels.
func (e *Engine) Alerts() []State {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []State
	for _, r := range e.desk.rules {
		from := len(all)
		for _, s := range r.subjects {
			all = append(all, s.state(r.Name))
		}
		slices.SortFunc(all[from:], func(a, b State) int { return compareLabels(a.Labels, b.Labels) })
	}
	return all
}

func (s *subject) state(rule string) State {
	st := State{
		Rule: rule, Phase: Firing, Labels: s.Labels, Summary: s.Summary, Description: s.Description, Since: s.Fired,
		Ended: s.Ended, Count: s.Count, First: s.First, Last: s.Last, Sample: s.Sample,
	}
	switch {
	case s.Pending:
		st.Phase, st.Since, st.Ended = Pending, s.First, time.Time{}
	case s.ended():
		st.Phase = Ended
	}
	return st
}

// errNoHistory is why an expression cannot be asked where there is no history.
var errNoHistory = errors.New("no history is kept here")
