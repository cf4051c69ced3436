package alert

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

const (
	// step is how late a time that is over may be noticed.
	step = time.Second
	// askTime bounds a question to the history, and asking how many are asked at once.
	askTime = 10 * time.Second
	asking  = 4
)

// Run lets time pass, asks the history, and sends, until ctx ends; then it keeps what it knows and returns nil. A store or a
// Sender that fails is logged and tried again.
func (e *Engine) Run(ctx context.Context) error {
	err := task.Scope(ctx, "alert", func(ctx context.Context, g *task.Group) error {
		g.Go("watch the time", e.keepTime)
		g.Go("ask the history", e.ask)
		g.Go("send", e.send)
		return nil
	})
	e.mu.Lock()
	e.desk.dirty[clockRow] = struct{}{}
	e.mu.Unlock()
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, task.Shield(ctx, askTime, e.save))
}

// keepTime does what is due, and keeps the time that has run.
func (e *Engine) keepTime(ctx context.Context) error {
	t := time.NewTicker(step)
	defer t.Stop()
	var kept, said time.Duration
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		now := e.tick(&kept)
		e.stir()
		if err := e.save(ctx); err != nil && ctx.Err() == nil && (said == 0 || now-said >= time.Minute) {
			e.log.Error("the state of alerts is not kept: a restart would forget it", "err", err)
			said = now
		}
	}
}

// tick lets time do what it does. While something is measured the time is kept every Interval.
func (e *Engine) tick(kept *time.Duration) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.desk.now = e.clock.now()
	e.desk.tick()
	now := e.desk.now.run
	if now-*kept >= Interval && e.desk.measures() {
		*kept = now
		e.desk.dirty[clockRow] = struct{}{}
	}
	return now
}

// measures tells whether any subject waits for time to pass.
func (d *desk) measures() bool {
	return slices.ContainsFunc(d.rules, func(r *rule) bool { return len(r.subjects) > 0 })
}

// ask asks the history each rule's expression when it is due.
func (e *Engine) ask(ctx context.Context) error {
	t := time.NewTicker(step)
	defer t.Stop()
	for {
		if due := e.due(); len(due) > 0 {
			task.Settle(ctx, due, e.askOne, task.Limit(asking), task.Named("rules"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

// question is an expression that is due to be asked.
type question struct {
	rule *rule
	expr string
	at   time.Time
}

func (e *Engine) due() []question {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.now()
	var all []question
	for _, r := range e.desk.rules {
		if r.Expr != "" && now.run-r.asked >= cmp.Or(r.Every, DefaultEvery) {
			r.asked = now.run
			all = append(all, question{r, r.Expr, now.wall})
		}
	}
	return all
}

// askOne asks one expression. That it cannot be asked is the rule's to say, and no error here.
func (e *Engine) askOne(ctx context.Context, q question) (struct{}, error) {
	series, err := e.query(ctx, q)
	if ctx.Err() != nil {
		return struct{}{}, ctx.Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.desk.rules, q.rule) {
		return struct{}{}, nil // it was replaced meanwhile
	}
	if err != nil && q.rule.subjects[failingKey] == nil {
		e.log.Warn("a rule cannot be asked", "rule", q.rule.Name, "err", err)
	}
	e.desk.now = e.clock.now()
	promqlJudge{}.answer(e.desk, q.rule, series, err)
	e.stir()
	return struct{}{}, nil
}

func (e *Engine) query(ctx context.Context, q question) ([]muster.Series, error) {
	if e.c.Samples == nil {
		return nil, errNoHistory
	}
	return task.Timeout(ctx, askTime, func(ctx context.Context) ([]muster.Series, error) {
		return e.c.Samples.Query(ctx, q.expr, q.at)
	})
}

// compareLabels orders alerts of one rule.
func compareLabels(a, b map[string]string) int {
	return strings.Compare(muster.Alert{Labels: a}.Key(), muster.Alert{Labels: b}.Key())
}
