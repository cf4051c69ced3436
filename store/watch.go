package store

import (
	"context"
	"time"

	"github.com/musternet/muster"
)

// Health is what a monitor knows of a device, kept so that a restart forgets nothing.
type Health struct {
	Device   string
	State    muster.Health
	Since    time.Time
	Reason   string
	Seen     time.Time // the last answer of any probe; zero: none ever
	Flapping bool
	// Recent is what the monitor itself needs to go on: the last outcomes of each probe, in a form of its own.
	Recent []byte
}

// Firing is the state of one rule for one subject, kept so that a restart neither forgets an alert nor raises it anew.
type Firing struct {
	Rule  string
	Key   string // what the rule tells its subjects apart by
	State []byte // in a form of the rule's own
}

// Schedule is when something last began and is to begin next.
type Schedule struct {
	Name  string    // "backup/core"
	Last  time.Time // zero: never
	Ended time.Time // of the last one; before Last: it was cut short
	Next  time.Time
}

// Watch keeps the state of what runs for ever. One process writes at a time; any may read. What a method wrote is durable
// when it returns.
type Watch interface {
	// SaveHealth writes the health of some devices in one transaction. DropHealth forgets devices.
	SaveHealth(ctx context.Context, some []Health) error
	DropHealth(ctx context.Context, devices []string) error
	Healths(ctx context.Context) ([]Health, error) // by name

	// Transitions are kept for reports: AddTransitions appends, and forgets those before the time given.
	AddTransitions(ctx context.Context, some []muster.Transition, forget time.Time) error
	// TransitionsSince returns them ascending; device empty: all.
	TransitionsSince(ctx context.Context, device string, since time.Time) ([]muster.Transition, error)

	// SaveFirings replaces the states of a rule's subjects that are given, and removes those whose State is nil.
	SaveFirings(ctx context.Context, some []Firing) error
	Firings(ctx context.Context) ([]Firing, error)

	SaveSchedule(ctx context.Context, s Schedule) error
	Schedules(ctx context.Context) ([]Schedule, error) // by name
}

// Samples keeps measured values and answers PromQL about them.
type Samples interface {
	// Write appends samples, durable after a crash of the process when it returns. Samples older than the newest of their
	// series beyond what the store takes are counted and dropped, with an error that matches ErrTooOld after the others were written.
	Write(ctx context.Context, some []muster.Sample) error
	// Query evaluates a PromQL expression at a time. ErrQuery where the expression is wrong.
	Query(ctx context.Context, expr string, at time.Time) ([]muster.Series, error)
	// QueryRange evaluates it at each step from first to last.
	QueryRange(ctx context.Context, expr string, first, last time.Time, step time.Duration) ([]muster.Series, error)
	Close() error
}
