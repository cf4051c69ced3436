package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/task"
)

const (
	// lookAgain is how long a Runner waits at most before it looks at the clock, which may have been set meanwhile, and
	// which goes on while the machine sleeps.
	lookAgain = 10 * time.Second
	// jump is by how much more the clock goes on between two looks when it was set, or the machine slept.
	jump = time.Minute
	// notAgain is how far back a clock may jump without a time of a cron expression coming a second time.
	notAgain = 24 * time.Hour
	// lastSave is the time for writing down that work has ended, when the context has ended too.
	lastSave = 5 * time.Second
)

// Entry is work and when it is due.
type Entry struct {
	Name string // by which its state is kept, "backup/core"
	Plan Plan
	// Do does the work, in a task of its own. It ends soon after its context; its error is logged.
	Do func(ctx context.Context) error
}

// States keeps when work began and ended. store.Watch is one.
type States interface {
	SaveSchedule(ctx context.Context, s store.Schedule) error
	Schedules(ctx context.Context) ([]store.Schedule, error)
}

// Config of a Runner.
type Config struct {
	States States
	Log    *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: time.Now; for tests in which the clock jumps
}

// Runner does the work of its entries when it is due. It is made by New, and its methods may be called by many goroutines.
type Runner struct {
	states States
	log    *slog.Logger
	now    func() time.Time
	wake   chan struct{} // holds one when the entries changed, or work ended

	mu      sync.Mutex
	entries map[string]Entry
	known   map[string]store.Schedule // nil until Run has read it; also of entries that are gone
	running map[string]bool
	settled map[string]bool // Next is right unless the clock jumps
	looked  time.Time       // when begin last looked at the clock

	saving sync.Mutex // what is saved last is what is known last
}

// New makes a Runner. An entry without name, plan or work, or a name given twice, is an error.
func New(c Config, entries []Entry) (*Runner, error) {
	r := &Runner{
		states: c.States, log: c.Log, now: c.Now, wake: make(chan struct{}, 1),
		running: make(map[string]bool), settled: make(map[string]bool),
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.now == nil {
		r.now = time.Now
	}
	return r, r.Replace(entries)
}

// Replace changes the entries, for a reload. An entry whose name stays keeps its state; one whose plan is another now is due
// by that, an interval counted from when the work last began. Work that is running goes on to its end, also that of an entry
// that is gone. After an error the entries are those of before.
func (r *Runner) Replace(entries []Entry) error {
	byName := make(map[string]Entry, len(entries))
	for _, e := range entries {
		_, twice := byName[e.Name]
		switch {
		case e.Name == "":
			return fmt.Errorf("schedule: an entry has no name")
		case twice:
			return fmt.Errorf("schedule: there are two entries %q", e.Name)
		case e.Plan.String() == "" || e.Do == nil:
			return fmt.Errorf("schedule: entry %q has no plan or nothing to do", e.Name)
		}
		byName[e.Name] = e
	}
	r.mu.Lock()
	r.entries = byName
	clear(r.settled)
	r.mu.Unlock()
	r.rouse()
	return nil
}

// Next is when an entry is due next; not before Run has read what is known. While its work runs it is the time after that.
func (r *Runner) Next(name string) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.entries[name]; !ok {
		return time.Time{}, false
	}
	s, ok := r.known[name]
	return s.Next, ok && !s.Next.IsZero()
}

// Run does what is due until ctx ends, and waits for what is running then: that is no error. An error says that the states
// could not be read at the start. Run may be called once.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.load(ctx); err != nil {
		return err
	}
	return task.Scope(ctx, "schedule", func(ctx context.Context, g *task.Group) error {
		for ctx.Err() == nil {
			r.wait(ctx, r.begin(ctx, g))
		}
		return nil
	})
}

func (r *Runner) load(ctx context.Context) error {
	states, err := r.states.Schedules(ctx)
	if err != nil {
		return fmt.Errorf("read schedules: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = make(map[string]store.Schedule, len(states))
	for _, s := range states {
		r.known[s.Name] = s
	}
	return nil
}

// begin starts what is due and returns how long nothing else will be.
func (r *Runner) begin(ctx context.Context, g *task.Group) time.Duration {
	sleep := lookAgain
	r.mu.Lock()
	now := r.clock()
	moved := r.settle(now)
	for name, e := range r.entries {
		s := r.known[name]
		switch {
		case r.running[name], s.Next.IsZero():
		case s.Next.After(now):
			sleep = min(sleep, s.Next.Sub(now))
		default:
			r.known[name] = store.Schedule{Name: name, Last: now, Ended: s.Ended, Next: e.Plan.Next(name, now)}
			r.running[name] = true
			g.Go(name, func(ctx context.Context) error { return r.do(ctx, e) })
		}
	}
	r.mu.Unlock()
	for _, name := range moved {
		r.save(ctx, name)
	}
	return sleep
}

// settle finds when entries are due of which that is not known, or not any more, and returns their names.
func (r *Runner) settle(now time.Time) (moved []string) {
	if now.Before(r.looked) || now.After(r.looked.Add(jump)) {
		clear(r.settled)
	}
	r.looked = now
	for name, e := range r.entries {
		s := r.known[name]
		if r.settled[name] && !s.Next.IsZero() {
			continue
		}
		r.settled[name] = true
		if next := due(e, s, now); !next.Equal(s.Next) {
			s.Name, s.Next = name, next
			r.known[name] = s
			moved = append(moved, name)
		}
	}
	return moved
}

// due is when an entry is due, by what is known of it. No plan leads further than its next time from now on, unless the
// clock was put back.
func due(e Entry, s store.Schedule, now time.Time) time.Time {
	if !s.Last.IsZero() && s.Next.Equal(s.Last) {
		return s.Next // cut short by the end of the process before
	}
	next, slack := dueByClock(e, s, now), notAgain
	if e.Plan.every > 0 {
		next, slack = dueByInterval(e, s, now), 0
	}
	if latest := e.Plan.Next(e.Name, now); !latest.IsZero() && next.After(latest.Add(slack)) {
		return latest
	}
	return next
}

func dueByInterval(e Entry, s store.Schedule, now time.Time) time.Time {
	switch {
	case !s.Last.IsZero() && !s.Last.After(now):
		return e.Plan.Next(e.Name, s.Last)
	case s.Next.IsZero():
		return now.Add(e.Plan.share(e.Name))
	}
	return s.Next
}

func dueByClock(e Entry, s store.Schedule, now time.Time) time.Time {
	switch {
	case s.Next.IsZero(), s.Next.After(now) && !e.Plan.has(e.Name, s.Next):
		return e.Plan.Next(e.Name, now) // new, or Next was found by another plan
	case !s.Last.IsZero() && !s.Last.After(now) && !s.Next.After(now):
		return e.Plan.Next(e.Name, s.Last) // Next again, unless that was found while the clock was wrong
	}
	return s.Next
}

// has tells whether a time is one of the plan's.
func (p Plan) has(name string, t time.Time) bool { return p.Next(name, t.Add(-1)).Equal(t) }

// do does the work of an entry once. That it began is on the disk before: it is not done anew when the process dies in it.
func (r *Runner) do(ctx context.Context, e Entry) error {
	defer r.rouse()
	defer r.rest(e.Name)
	r.save(ctx, e.Name)
	if ctx.Err() != nil {
		return nil
	}
	err := e.Do(ctx)
	cut := err != nil && ctx.Err() != nil
	if err != nil && !cut {
		r.log.Error("scheduled work failed", "name", e.Name, "err", err)
	}
	r.mu.Lock()
	s := r.known[e.Name]
	if cut {
		s.Next = s.Last // which says that it is due still
	} else {
		s.Ended = r.clock()
	}
	r.known[e.Name] = s
	r.mu.Unlock()
	return task.Shield(ctx, lastSave, func(ctx context.Context) error {
		r.save(ctx, e.Name)
		return nil
	})
}

// save writes down what is known of an entry. Where that fails the work is done all the same: only a restart would not
// know of it.
func (r *Runner) save(ctx context.Context, name string) {
	r.saving.Lock()
	defer r.saving.Unlock()
	r.mu.Lock()
	s := r.known[name]
	r.mu.Unlock()
	if err := r.states.SaveSchedule(ctx, s); err != nil && ctx.Err() == nil {
		r.log.Error("the state of scheduled work cannot be kept", "name", name, "err", err)
	}
}

func (r *Runner) rest(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, name)
}

// rouse has the loop look at everything again. It never blocks.
func (r *Runner) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Runner) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-r.wake:
	case <-t.C:
	}
}

// clock is the time on the wall alone: what passes by the monotonic clock does not count.
func (r *Runner) clock() time.Time { return r.now().Round(0) }
