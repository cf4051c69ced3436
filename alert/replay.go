package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// Past is what was, for Replay.
type Past struct {
	From, To    time.Time
	Devices     []muster.Device     // those that were watched; they are taken to have been up at first
	Transitions []muster.Transition // as store.Watch keeps them
	Events      []muster.Event      // beside the transitions
	Samples     Ranger              // for rules of kind promql
}

// Ranger answers PromQL over a time, as store.Samples does.
type Ranger interface {
	QueryRange(ctx context.Context, expr string, first, last time.Time, step time.Duration) ([]muster.Series, error)
}

// replaySteps is how many steps of time the history is asked for at once.
const replaySteps = 5000

// ErrNotReplayed says that a rule cannot be replayed here.
var ErrNotReplayed = errors.New("what devices have logged is replayed by: muster syslog rules test")

// Replay tells how often a rule would have begun to fire in the past. Rules that are wrong are refused as by Check, and those of
// kind log with ErrNotReplayed: what they watch for only the archive of the log knows.
func Replay(ctx context.Context, r Rule, p Past) (int, error) {
	if err := Check([]Rule{r}, nil); err != nil {
		return 0, err
	}
	if r.Kind == "log" {
		return 0, &RuleError{Rule: r.Name, Err: ErrNotReplayed}
	}
	if r.Expr != "" {
		return replayExpr(ctx, r, p)
	}
	d := newDesk(p.Devices)
	for _, dev := range p.Devices {
		d.beliefs[dev.Name] = belief{State: muster.HealthUp, Told: muster.HealthUp}
	}
	d.replace([]Rule{r})
	d.look()
	for _, ev := range p.events() {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		d.advance(p.From, ev.Time)
		d.take(ev)
	}
	d.advance(p.From, p.To)
	return d.fired, nil
}

// events are all that happened, in their order.
func (p Past) events() []muster.Event {
	all := slices.Clone(p.Events)
	for _, t := range p.Transitions {
		all = append(all, muster.Event{Time: t.Time, Kind: muster.EventHealth, Transition: &t})
	}
	slices.SortStableFunc(all, func(a, b muster.Event) int { return a.Time.Compare(b.Time) })
	return all
}

// advance lets time pass, and everything happen that is due on the way.
func (d *desk) advance(from, to time.Time) {
	end := max(d.now.run, to.Sub(from))
	for {
		due := d.due()
		if due > end {
			break
		}
		d.now = moment{from.Add(due), due}
		d.tick()
	}
	d.now = moment{to, end}
	d.tick()
}

// due tells when time alone changes anything.
func (d *desk) due() time.Duration {
	at := forever
	for _, r := range d.rules {
		for _, s := range r.subjects {
			at = min(at, s.due())
		}
	}
	return at
}

// streak is how long a series has been there without a gap.
type streak struct {
	since, last time.Time
	fired       bool
}

// replayExpr asks the history for each point in time at which the rule would have asked.
func replayExpr(ctx context.Context, r Rule, p Past) (int, error) {
	if p.Samples == nil {
		return 0, &RuleError{Rule: r.Name, Err: errNoHistory}
	}
	step := cmp.Or(r.Every, DefaultEvery)
	streaks := map[string]*streak{}
	count := 0
	for at := p.From; !at.After(p.To); at = at.Add(replaySteps * step) {
		last := earlier(at.Add((replaySteps-1)*step), p.To)
		all, err := p.Samples.QueryRange(ctx, r.Expr, at, last, step)
		if errors.Is(err, store.ErrQuery) {
			return 0, &RuleError{Rule: r.Name, Err: err}
		}
		if err != nil {
			return 0, fmt.Errorf("replay rule %s: %w", r.Name, err)
		}
		for _, s := range all {
			key := seriesKey(s.Labels)
			if streaks[key] == nil {
				streaks[key] = &streak{}
			}
			count += streaks[key].add(s.Points, step, r.For)
		}
	}
	return count, nil
}

// add goes through the points of a series, and tells how often it began to fire.
func (k *streak) add(points []muster.Point, step, wait time.Duration) int {
	count := 0
	for _, p := range points {
		if k.last.IsZero() || p.Time.Sub(k.last) > step+step/2 {
			k.since, k.fired = p.Time, false
		}
		k.last = p.Time
		if !k.fired && p.Time.Sub(k.since) >= wait {
			k.fired = true
			count++
		}
	}
	return count
}
