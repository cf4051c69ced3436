package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// keepOutcomes is for how many of the newest runs it is kept how each device ended; the runs' own rows stay.
const keepOutcomes = 100

// StartRun implements store.Index.
func (d *DB) StartRun(ctx context.Context, job muster.Job, total int) error {
	return d.within(ctx, func(tx *sql.Tx) error {
		const insert = `INSERT INTO runs (run, kind, "trigger", started, total) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
		_, err := tx.ExecContext(ctx, insert, job.Run, job.Kind, job.Trigger, nanos(job.Started), total)
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE state SET clean = 0`)
		}
		return err
	})
}

// FinishRun implements store.Index.
func (d *DB) FinishRun(ctx context.Context, run string, at time.Time) error {
	return d.within(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET finished = ? WHERE run = ?`, nanos(at), run)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM outcomes WHERE run IN
				(SELECT run FROM runs ORDER BY started DESC, run DESC LIMIT -1 OFFSET ?)`, keepOutcomes)
		}
		return err
	})
}

// SetClean implements store.Index.
func (d *DB) SetClean(ctx context.Context) error {
	_, err := d.write.ExecContext(ctx, `UPDATE state SET clean = 1`)
	return explain(err)
}

// State implements store.Index.
func (d *DB) State(ctx context.Context) (store.State, error) {
	var s store.State
	err := d.read.QueryRowContext(ctx, `SELECT head, clean FROM state`).Scan(&s.Head, &s.Clean)
	return s, explain(err)
}

// Runs implements store.Index.
func (d *DB) Runs(ctx context.Context, limit int) ([]store.Run, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT run, kind, "trigger", started, finished, total, new, changed, unchanged, failed
		FROM runs ORDER BY started DESC, run DESC LIMIT ?`, orAll(limit))
	return collect(rows, err, func(rows *sql.Rows) (r store.Run, err error) {
		var started int64
		var finished sql.NullInt64
		err = rows.Scan(&r.Run, &r.Kind, &r.Trigger, &started, &finished, &r.Total, &r.New, &r.Changed, &r.Unchanged, &r.Failed)
		r.Started, r.Finished = fromNanos(started), fromNanos(finished.Int64)
		return r, err
	})
}

// RunDevices implements store.Index. It knows the newest 100 runs.
func (d *DB) RunDevices(ctx context.Context, run string, status muster.Status) ([]string, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT devices FROM outcomes WHERE run = ? AND status = ?`, run, status)
	lists, err := collect(rows, err, func(rows *sql.Rows) (list []place, err error) {
		var text []byte
		if err = rows.Scan(&text); err == nil {
			err = json.Unmarshal(text, &list)
		}
		return list, err
	})
	if err != nil {
		return nil, err
	}
	places := slices.Concat(lists...)
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.Index, b.Index) })
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = p.Name
	}
	return names, nil
}

// collect reads all rows.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read rows: %w", explain(err))
		}
		out = append(out, v)
	}
	return out, explain(rows.Err())
}

func orAll(limit int) int {
	if limit <= 0 {
		return -1
	}
	return limit
}

// nanos keeps the zero time as 0.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
