package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

const (
	revisionColumns = `id, blob, device, path, time, author, "trigger", run, added, removed, bytes`

	insertRevision = `INSERT INTO revisions (` + revisionColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET seq = (SELECT max(seq) + 1 FROM revisions)`

	minPrefix = 4
)

// AddRevisions implements store.Index.
func (d *DB) AddRevisions(ctx context.Context, revs []muster.Revision) error {
	if len(revs) == 0 {
		return nil
	}
	return d.within(ctx, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, insertRevision)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, r := range revs {
			if err := addRevision(ctx, insert, r); err != nil {
				return err
			}
		}
		return setHead(ctx, tx, revs[len(revs)-1].ID)
	})
}

func addRevision(ctx context.Context, insert *sql.Stmt, r muster.Revision) error {
	_, err := insert.ExecContext(ctx, r.ID, r.Blob, r.Device, r.Path, r.Time.Unix(), r.Author, r.Trigger, r.Run, r.Added,
		r.Removed, r.Bytes)
	return err
}

func setHead(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE state SET head = ?`, id)
	return err
}

// RetainRevisions implements store.Index. The newest revision of a device is looked up when asked for, so removing rows
// points it at the newest one left.
func (d *DB) RetainRevisions(ctx context.Context, exists func(id string) bool) (removed int, err error) {
	err = d.within(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id FROM revisions`)
		ids, err := collect(rows, err, func(rows *sql.Rows) (id string, err error) {
			err = rows.Scan(&id)
			return id, err
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if exists(id) {
				continue
			}
			removed++
			if _, err := tx.ExecContext(ctx, `DELETE FROM revisions WHERE id = ?`, id); err != nil {
				return err
			}
		}
		return setHead(ctx, tx, "")
	})
	return removed, err
}

// Latest implements store.Index.
func (d *DB) Latest(ctx context.Context) ([]muster.Revision, error) {
	return d.revisions(ctx, `WHERE seq IN (SELECT max(seq) FROM revisions GROUP BY device) ORDER BY device`)
}

// Revisions implements store.Index.
func (d *DB) Revisions(ctx context.Context, device string, limit int) ([]muster.Revision, error) {
	return d.revisions(ctx, `WHERE device = ? ORDER BY seq DESC LIMIT ?`, device, orAll(limit))
}

// RevisionsSince implements store.Index.
func (d *DB) RevisionsSince(ctx context.Context, t time.Time) ([]muster.Revision, error) {
	return d.revisions(ctx, `WHERE time >= ? ORDER BY time, seq`, t.Unix())
}

// Revision implements store.Index.
func (d *DB) Revision(ctx context.Context, device, prefix string) (muster.Revision, error) {
	prefix = strings.ToLower(prefix)
	if len(prefix) < minPrefix || strings.Trim(prefix, "0123456789abcdef") != "" {
		return muster.Revision{}, fmt.Errorf("revision %q: it takes %d hexadecimal digits at least: %w", prefix, minPrefix, store.ErrNotFound)
	}
	where, args := `WHERE id >= ? AND id < ?`, []any{prefix, prefix + "g"}
	if device != "" {
		where, args = where+` AND device = ?`, append(args, device)
	}
	revs, err := d.revisions(ctx, where+` LIMIT 2`, args...)
	if err != nil {
		return muster.Revision{}, err
	}
	if len(revs) == 0 {
		return muster.Revision{}, fmt.Errorf("revision %s: %w", prefix, store.ErrNotFound)
	}
	if len(revs) > 1 {
		return muster.Revision{}, fmt.Errorf("revision %s: %w", prefix, store.ErrAmbiguous)
	}
	return revs[0], nil
}

// HasRevision implements store.Index.
func (d *DB) HasRevision(ctx context.Context, id string) (bool, error) {
	var one int
	err := d.read.QueryRowContext(ctx, `SELECT 1 FROM revisions WHERE id = ?`, id).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, explain(err)
}

func (d *DB) revisions(ctx context.Context, where string, args ...any) ([]muster.Revision, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT `+revisionColumns+` FROM revisions `+where, args...)
	return collect(rows, err, func(rows *sql.Rows) (r muster.Revision, err error) {
		var seconds int64
		err = rows.Scan(&r.ID, &r.Blob, &r.Device, &r.Path, &seconds, &r.Author, &r.Trigger, &r.Run, &r.Added, &r.Removed, &r.Bytes)
		r.Time = time.Unix(seconds, 0).UTC()
		return r, err
	})
}
