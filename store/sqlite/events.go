package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/musternet/muster"
)

// Append implements event.Journal.
func (d *DB) Append(ctx context.Context, events []muster.Event) (newest int64, err error) {
	err = d.within(ctx, func(tx *sql.Tx) error {
		if newest, err = newestPlace(ctx, tx); err != nil || len(events) == 0 {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, `INSERT INTO events (place, id, time, event) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, e := range events {
			text, err := encodeEvent(e)
			if err != nil {
				return err
			}
			res, err := stmt.ExecContext(ctx, newest+1, e.ID, nanos(e.Time), text)
			if err != nil {
				return err
			}
			added, err := res.RowsAffected()
			if err != nil {
				return err
			}
			newest += added
		}
		return nil
	})
	return newest, err
}

func newestPlace(ctx context.Context, tx *sql.Tx) (place int64, err error) {
	return place, tx.QueryRowContext(ctx, `SELECT coalesce(max(place), 0) FROM events`).Scan(&place)
}

// Since implements event.Journal.
func (d *DB) Since(ctx context.Context, after int64, limit int) (first int64, events []muster.Event, err error) {
	events, err = readAll(ctx, d, "events", func(rows *sql.Rows) (muster.Event, error) {
		var place int64
		var text sql.RawBytes
		if err := rows.Scan(&place, &text); err != nil {
			return muster.Event{}, err
		}
		if first == 0 {
			first = place
		}
		return decodeEvent(text)
	}, `SELECT place, event FROM events WHERE place > ? ORDER BY place LIMIT ?`, after, limit)
	return first, events, err
}

// Cursor implements event.Journal.
func (d *DB) Cursor(ctx context.Context, subscriber string) (place int64, err error) {
	err = d.within(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT place FROM subscribers WHERE name = ?`, subscriber).Scan(&place)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if place, err = newestPlace(ctx, tx); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO subscribers (name, place) VALUES (?, ?)`, subscriber, place)
		return err
	})
	return place, err
}

// SetCursor implements event.Journal.
func (d *DB) SetCursor(ctx context.Context, subscriber string, place int64) error {
	_, err := d.write.ExecContext(ctx, `INSERT INTO subscribers (name, place) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET place = excluded.place`, subscriber, place)
	return explain(err)
}

// Forget implements event.Journal.
func (d *DB) Forget(ctx context.Context, before time.Time, most int) error {
	return d.within(ctx, func(tx *sql.Tx) error {
		newest, err := newestPlace(ctx, tx)
		if err != nil {
			return err
		}
		young := newest
		const first = `SELECT place FROM events WHERE time >= ? ORDER BY place LIMIT 1`
		if err := tx.QueryRowContext(ctx, first, nanos(before)).Scan(&young); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM events WHERE place < ?`, min(max(young, newest-int64(most)+1), newest))
		return err
	})
}

// event is how a muster.Event is written down. Kind, ID and Time stand in it too: it is whole.
type event struct {
	ID         string           `json:"id"`
	Time       time.Time        `json:"time"`
	Kind       muster.EventKind `json:"kind"`
	Device     *muster.Device   `json:"device,omitempty"`
	Text       string           `json:"text,omitempty"`
	Detail     string           `json:"detail,omitempty"`
	Transition *transition      `json:"transition,omitempty"`
	Result     *result          `json:"result,omitempty"`
	Log        *logHit          `json:"log,omitempty"`
}

type logHit struct {
	Rule  string         `json:"rule"`
	Key   string         `json:"key"`
	Count int            `json:"count"`
	First time.Time      `json:"first"`
	Last  time.Time      `json:"last"`
	Line  muster.LogLine `json:"line"`
}

type transition struct {
	Time   time.Time     `json:"time"`
	Device string        `json:"device,omitempty"`
	From   muster.Health `json:"from"`
	To     muster.Health `json:"to"`
	Reason string        `json:"reason,omitempty"`
	Quiet  bool          `json:"quiet,omitempty"`
}

type result struct {
	Index    int            `json:"index"`
	Device   *muster.Device `json:"device,omitempty"` // where it is not that of the event
	Status   muster.Status  `json:"status"`
	Revision string         `json:"revision,omitempty"`
	Added    int            `json:"added,omitempty"`
	Removed  int            `json:"removed,omitempty"`
	Line     int            `json:"line,omitempty"`
	Taste    string         `json:"taste,omitempty"`
	Bytes    int            `json:"bytes,omitempty"`
	Attempts int            `json:"attempts,omitempty"`
	Elapsed  time.Duration  `json:"elapsed,omitempty"`
	Warning  string         `json:"warning,omitempty"`
	Author   string         `json:"author,omitempty"`
	Failure  *failure       `json:"failure,omitempty"`
	Failed   string         `json:"failed,omitempty"` // the failure's device
}

func encodeEvent(e muster.Event) (string, error) {
	out := event{ID: e.ID, Time: e.Time, Kind: e.Kind, Text: e.Text, Detail: e.Detail, Transition: (*transition)(e.Transition), Log: (*logHit)(e.Log)}
	if !reflect.ValueOf(e.Device).IsZero() {
		out.Device = &e.Device
	}
	if e.Result != nil {
		out.Result = asResult(*e.Result, e.Device)
	}
	text, err := json.Marshal(out)
	return string(text), err
}

func asResult(r muster.Result, of muster.Device) *result {
	out := &result{
		Index: r.Index, Status: r.Status, Revision: r.Revision, Added: r.Added, Removed: r.Removed, Line: r.Line, Taste: r.Taste,
		Bytes: r.Bytes, Attempts: r.Attempts, Elapsed: r.Elapsed, Warning: r.Warning, Author: r.Author,
	}
	if !reflect.DeepEqual(r.Device, of) {
		out.Device = &r.Device
	}
	if r.Failure != nil {
		f := asFailure(r.Failure)
		out.Failure, out.Failed = &f, r.Failure.Device
	}
	return out
}

func decodeEvent(text []byte) (muster.Event, error) {
	var in event
	if err := json.Unmarshal(text, &in); err != nil {
		return muster.Event{}, fmt.Errorf("event: %w", err)
	}
	e := muster.Event{
		ID: in.ID, Time: in.Time, Kind: in.Kind, Text: in.Text, Detail: in.Detail, Transition: (*muster.Transition)(in.Transition),
		Log: (*muster.LogHit)(in.Log),
	}
	if in.Device != nil {
		e.Device = *in.Device
	}
	if in.Result != nil {
		e.Result = in.Result.restore(e.Device)
	}
	return e, nil
}

func (r *result) restore(of muster.Device) *muster.Result {
	out := &muster.Result{
		Index: r.Index, Device: of, Status: r.Status, Revision: r.Revision, Added: r.Added, Removed: r.Removed, Line: r.Line,
		Taste: r.Taste, Bytes: r.Bytes, Attempts: r.Attempts, Elapsed: r.Elapsed, Warning: r.Warning, Author: r.Author,
	}
	if r.Device != nil {
		out.Device = *r.Device
	}
	if r.Failure != nil {
		out.Failure = r.Failure.restore(r.Failed, nil)
	}
	return out
}
