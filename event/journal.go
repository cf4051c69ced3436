package event

import (
	"context"
	"time"

	"github.com/musternet/muster"
)

// Journal keeps events, in the order in which they came, and how far each subscriber has read. An event has a place, from 1
// and without gaps: each one's is that of the one before plus 1.
type Journal interface {
	// Append keeps events at the next places, all or none, durable when it returns, and returns the newest place. An event
	// whose ID is kept already is left out. Of a Failure the transcript is not kept, and the error only as its text.
	Append(ctx context.Context, events []muster.Event) (newest int64, err error)
	// Since returns the events after a place, the oldest first and at most limit of them, and the place of the first one.
	// That is further away than the next place where events have been forgotten.
	Since(ctx context.Context, after int64, limit int) (first int64, events []muster.Event, err error)
	// Cursor returns the place up to which a subscriber has read. A new one begins at the newest place, from now on.
	Cursor(ctx context.Context, subscriber string) (int64, error)
	// SetCursor remembers the place, durable when it returns.
	SetCursor(ctx context.Context, subscriber string, place int64) error
	// Forget removes the oldest events: those before the first one that is not older than a time, and what is more than most.
	// The newest event always stays.
	Forget(ctx context.Context, before time.Time, most int) error
}
