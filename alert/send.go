package alert

import (
	"context"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

const (
	// Resend is how often what fires is sent again, as Prometheus does: a Sender takes an alert that it did not hear of for
	// some minutes for ended.
	Resend = time.Minute
	// MostSent is how many alerts are given to a Sender at once.
	MostSent = 500
	// sendTime bounds one call of a Sender, saveTime what it waits for the store; after one that failed Run waits for retryFirst, doubled each time up to retryMost.
	sendTime   = 30 * time.Second
	saveTime   = 5 * time.Second
	retryFirst = time.Second
	retryMost  = time.Minute
)

// Sender takes alerts to people: it groups, silences and notifies.
type Sender interface {
	// Send takes alerts over. nil means that it has them all: what fires comes again every Resend, what has ended for another
	// 15 minutes. After an error the same ones come again, with what has changed meanwhile, so that it may have taken some.
	// It returns when ctx ends, and is called by one goroutine at a time. The alerts are its own, but not their Labels, which
	// it does not change.
	Send(ctx context.Context, alerts []muster.Alert) error
}

// parcel is an alert on its way, and what it tells.
type parcel struct {
	subject *subject
	change  int
	news    int
	alert   muster.Alert
}

// send sends what there is to tell.
func (e *Engine) send(ctx context.Context) error {
	wait := retryFirst
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.wake:
		}
		err := e.sendAll(ctx)
		if err == nil || ctx.Err() != nil {
			wait = retryFirst
			continue
		}
		e.log.Error("alerts were not taken: they are sent again", "err", err, "in", wait)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, retryMost)
		e.stir()
	}
}

// sendAll sends all that is due, in the order of the rules. What was sent and taken is noted, whatever becomes of the rest.
// It is kept first, so that no kill makes an alert that was sent start at another time; but a store that fails, which
// keepTime logs, keeps nobody from being told.
func (e *Engine) sendAll(ctx context.Context) error {
	due := e.parcels()
	if len(due) == 0 {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, saveTime)
	_ = e.save(bounded)
	cancel()
	for some := range slices.Chunk(due, MostSent) {
		if err := e.sendSome(ctx, some); err != nil {
			return err
		}
		e.sent(some)
	}
	return nil
}

func (e *Engine) sendSome(ctx context.Context, some []parcel) error {
	if e.c.Sender == nil {
		return nil
	}
	alerts := make([]muster.Alert, len(some))
	for i, p := range some {
		alerts[i] = p.alert
	}
	_, err := task.Timeout(ctx, sendTime, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, e.c.Sender.Send(ctx, alerts)
	})
	return err
}

// parcels packs all that is due.
func (e *Engine) parcels() []parcel {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.now()
	var all []parcel
	for _, r := range e.desk.rules {
		for _, s := range r.subjects {
			if s.wants(now) {
				all = append(all, parcel{s, s.change, s.news, s.alert(now)})
			}
		}
	}
	return all
}

// sent notes what was taken. What has changed meanwhile is sent again.
func (e *Engine) sent(some []parcel) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.now()
	for _, p := range some {
		p.subject.told, p.subject.known, p.subject.sent = p.change, p.news, now.run
	}
}

// sleep waits for a while, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
