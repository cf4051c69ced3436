package route

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
)

// longest is how long a notification may take that its dispatcher gives no time; Alertmanager's gives each the interval of its
// group.
const longest = 10 * time.Minute

// finishing is a stage around all others that lets a notification under way come to its end when its dispatcher is stopped:
// a receiver that took it, but whose answer nobody waited for, would be told twice.
type finishing struct {
	next  notify.Stage
	grace time.Duration

	running sync.WaitGroup // the notifications under way
	mu      sync.Mutex
	ended   bool
}

var _ notify.Stage = (*finishing)(nil)

// Exec implements notify.Stage.
func (s *finishing) Exec(ctx context.Context, l *slog.Logger, alerts ...*alert.Alert) (context.Context, []*alert.Alert, error) {
	if ctx.Err() != nil || !s.begin() {
		return ctx, nil, context.Canceled
	}
	defer s.running.Done()
	end, bounded := ctx.Deadline()
	if !bounded {
		end = time.Now().Add(longest)
	}
	later, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		grace := time.AfterFunc(s.grace, cancel)
		context.AfterFunc(later, func() { grace.Stop() })
	})()
	return s.next.Exec(later, l, alerts...)
}

func (s *finishing) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.running.Add(1)
	}
	return !s.ended
}

// end lets no notification begin any more, and returns when none is under way.
func (s *finishing) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.running.Wait()
}
