package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

const (
	upsertHealth = `INSERT INTO health (device, state, since, reason, seen, flapping, recent) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (device) DO UPDATE SET state = excluded.state, since = excluded.since, reason = excluded.reason,
			seen = excluded.seen, flapping = excluded.flapping, recent = excluded.recent`

	selectHealths = `SELECT device, state, since, reason, seen, flapping, recent FROM health ORDER BY device`

	insertTransition = `INSERT INTO transitions (time, device, before, after, reason, quiet) VALUES (?, ?, ?, ?, ?, ?)`

	selectTransitions = `SELECT time, device, before, after, reason, quiet FROM transitions WHERE time >= ? ORDER BY time, seq`

	selectTransitionsOf = `SELECT time, device, before, after, reason, quiet FROM transitions
		WHERE device = ? AND time >= ? ORDER BY time, seq`

	upsertFiring = `INSERT INTO firings (rule, key, state) VALUES (?, ?, ?) ON CONFLICT (rule, key) DO UPDATE SET state = excluded.state`

	upsertSchedule = `INSERT INTO schedules (name, last, ended, next) VALUES (?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET last = excluded.last, ended = excluded.ended, next = excluded.next`
)

var _ store.Watch = (*DB)(nil)

// SaveHealth implements store.Watch. Rows are written in the order of their names: in any other order 50,000 of them took
// twice as long, and as one JSON text, taken apart by SQLite, twice as long again.
func (d *DB) SaveHealth(ctx context.Context, some []store.Health) error {
	byName := func(a, b store.Health) int { return cmp.Compare(a.Device, b.Device) }
	if !slices.IsSortedFunc(some, byName) {
		some = slices.Clone(some)
		slices.SortStableFunc(some, byName) // of two of a device the later one counts
	}
	return writeEach(ctx, d, upsertHealth, some, func(h store.Health) []any {
		return []any{h.Device, h.State, nanos(h.Since), h.Reason, nanos(h.Seen), h.Flapping, h.Recent}
	})
}

// DropHealth implements store.Watch.
func (d *DB) DropHealth(ctx context.Context, devices []string) error {
	return writeEach(ctx, d, `DELETE FROM health WHERE device = ?`, devices, func(name string) []any { return []any{name} })
}

// Healths implements store.Watch.
func (d *DB) Healths(ctx context.Context) ([]store.Health, error) {
	return readAll(ctx, d, "health", func(rows *sql.Rows) (h store.Health, err error) {
		var since, seen int64
		err = rows.Scan(&h.Device, &h.State, &since, &h.Reason, &seen, &h.Flapping, &h.Recent)
		h.Since, h.Seen = fromNanos(since), fromNanos(seen)
		return h, err
	}, selectHealths)
}

// AddTransitions implements store.Watch.
func (d *DB) AddTransitions(ctx context.Context, some []muster.Transition, forget time.Time) error {
	return d.within(ctx, func(tx *sql.Tx) error {
		err := execEach(ctx, tx, insertTransition, some, func(t muster.Transition) []any {
			return []any{nanos(t.Time), t.Device, t.From, t.To, t.Reason, t.Quiet}
		})
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM transitions WHERE time < ?`, nanos(forget))
		}
		return err
	})
}

// TransitionsSince implements store.Watch.
func (d *DB) TransitionsSince(ctx context.Context, device string, since time.Time) ([]muster.Transition, error) {
	query, args := selectTransitions, []any{nanos(since)}
	if device != "" {
		query, args = selectTransitionsOf, []any{device, nanos(since)}
	}
	return readAll(ctx, d, "transitions", func(rows *sql.Rows) (t muster.Transition, err error) {
		var at int64
		err = rows.Scan(&at, &t.Device, &t.From, &t.To, &t.Reason, &t.Quiet)
		t.Time = fromNanos(at)
		return t, err
	}, query, args...)
}

// SaveFirings implements store.Watch.
func (d *DB) SaveFirings(ctx context.Context, some []store.Firing) error {
	if len(some) == 0 {
		return nil
	}
	return d.within(ctx, func(tx *sql.Tx) error {
		upsert, err := tx.PrepareContext(ctx, upsertFiring)
		if err != nil {
			return err
		}
		defer upsert.Close()
		for _, f := range some {
			if f.State == nil {
				_, err = tx.ExecContext(ctx, `DELETE FROM firings WHERE rule = ? AND key = ?`, f.Rule, f.Key)
			} else {
				_, err = upsert.ExecContext(ctx, f.Rule, f.Key, f.State)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Firings implements store.Watch.
func (d *DB) Firings(ctx context.Context) ([]store.Firing, error) {
	return readAll(ctx, d, "firings", func(rows *sql.Rows) (f store.Firing, err error) {
		err = rows.Scan(&f.Rule, &f.Key, &f.State)
		if f.State == nil {
			f.State = []byte{} // nil would remove it when it is saved again
		}
		return f, err
	}, `SELECT rule, key, state FROM firings ORDER BY rule, key`)
}

// SaveSchedule implements store.Watch.
func (d *DB) SaveSchedule(ctx context.Context, s store.Schedule) error {
	_, err := d.write.ExecContext(ctx, upsertSchedule, s.Name, nanos(s.Last), nanos(s.Ended), nanos(s.Next))
	return explain(err)
}

// Schedules implements store.Watch.
func (d *DB) Schedules(ctx context.Context) ([]store.Schedule, error) {
	return readAll(ctx, d, "schedules", func(rows *sql.Rows) (s store.Schedule, err error) {
		var last, ended, next int64
		err = rows.Scan(&s.Name, &last, &ended, &next)
		s.Last, s.Ended, s.Next = fromNanos(last), fromNanos(ended), fromNanos(next)
		return s, err
	}, `SELECT name, last, ended, next FROM schedules ORDER BY name`)
}

// writeEach runs a statement for each item, all in one transaction.
func writeEach[T any](ctx context.Context, d *DB, query string, items []T, args func(T) []any) error {
	return d.within(ctx, func(tx *sql.Tx) error { return execEach(ctx, tx, query, items, args) })
}

func execEach[T any](ctx context.Context, tx *sql.Tx, query string, items []T, args func(T) []any) error {
	if len(items) == 0 {
		return nil
	}
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, item := range items {
		if _, err := stmt.ExecContext(ctx, args(item)...); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads rows of a table that a file of an older muster does not have: it holds none.
func readAll[T any](ctx context.Context, d *DB, table string, scan func(*sql.Rows) (T, error), query string, args ...any) (all []T, err error) {
	err = d.readTable(ctx, table, func(tx *sql.Tx) (err error) {
		rows, err := tx.QueryContext(ctx, query, args...)
		all, err = collect(rows, err, scan)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return all, err
}
