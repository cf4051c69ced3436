// Package sqlite keeps the rows of package store in one SQLite file, devices, runs, outcomes, revisions, scans and the state
// of the watch, and the journal of package event.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/musternet/muster/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the number of the newest file in migrations; a test compares them. Readers take older files as they
// are, so that everything that reads works from the first start of a newer muster on: a migration adds, and who reads
// what it added looks whether it is there.
const schemaVersion = 3

var _ store.Index = (*DB)(nil)

// DB is one SQLite file in WAL mode: readers of any process work beside the one writer. What a method wrote has been
// synced to the disk when it returns.
type DB struct {
	write *sql.DB // one connection: who wants to write waits here, not in SQLite's busy handler
	read  *sql.DB // reads see the last commit and wait for nobody
}

// Options for Open. The zero value opens for writing.
type Options struct {
	ReadOnly bool // the file must be there; that of an older muster is read as it is
}

// Open opens the file, makes it if need be and brings its schema up to date. A file of a newer muster is refused, and
// so is a file that is no database.
func Open(ctx context.Context, path string, opts Options) (*DB, error) {
	if err := prepare(path, opts); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	d := &DB{}
	var err error
	if d.write, err = sql.Open("sqlite", dsn(path, opts)); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	d.write.SetMaxOpenConns(1)
	if err := migrate(ctx, d.write, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("open index %s: %w", path, explain(err)), d.write.Close())
	}
	if d.read, err = sql.Open("sqlite", dsn(path, Options{ReadOnly: true})); err != nil {
		return nil, errors.Join(fmt.Errorf("open index: %w", err), d.write.Close())
	}
	d.read.SetMaxOpenConns(max(2, runtime.GOMAXPROCS(0)))
	return d, nil
}

// prepare makes the file first, because SQLite would make it readable for others; its side files take its mode.
func prepare(path string, opts Options) error {
	if opts.ReadOnly {
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", path, store.ErrNotFound)
		}
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn is synchronous(FULL) because a result is reported after its commit: with NORMAL a power loss could take it back.
func dsn(path string, opts Options) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	q := url.Values{"_pragma": {"busy_timeout(5000)", "synchronous(FULL)", "foreign_keys(ON)"}}
	if opts.ReadOnly {
		q.Set("mode", "ro")
		q.Add("_pragma", "query_only(ON)")
	} else {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}
	return u.String()
}

// migrate compares versions first: building goose's provider costs more than the rest of opening.
func migrate(ctx context.Context, db *sql.DB, opts Options) error {
	version, err := currentVersion(ctx, db)
	if err != nil {
		return err
	}
	switch {
	case version > schemaVersion:
		return fmt.Errorf("it was written by a newer muster (schema %d, this one knows %d)", version, schemaVersion)
	case opts.ReadOnly && version == 0: // made, and never filled: a full disk leaves that
		return store.ErrNotFound
	case opts.ReadOnly, version == schemaVersion:
		return nil
	}
	return upgrade(ctx, db, version)
}

// upgrade applies the migrations after version. Another process may do the same at this moment: a migration that fails
// because the other one was faster is no failure.
func upgrade(ctx context.Context, db *sql.DB, version int) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	for {
		_, failed := p.Up(ctx)
		if failed == nil {
			return nil
		}
		now, err := currentVersion(ctx, db)
		if err != nil || now <= version {
			return failed
		}
		version = now
	}
}

// currentVersion returns 0 for an empty database, and an error for one that is not ours.
func currentVersion(ctx context.Context, db *sql.DB) (int, error) {
	var ours, tables int
	const count = `SELECT count(*) FILTER (WHERE name = 'goose_db_version'), count(*) FROM sqlite_master WHERE type = 'table'`
	if err := db.QueryRowContext(ctx, count).Scan(&ours, &tables); err != nil {
		return 0, err
	}
	if ours == 0 && tables > 0 {
		return 0, errors.New("it is a database of something else")
	}
	if ours == 0 {
		return 0, nil
	}
	var version int
	const newest = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	return version, db.QueryRowContext(ctx, newest).Scan(&version)
}

// Close closes the file. The writer goes last: it folds the log into the file.
func (d *DB) Close() error { return errors.Join(d.read.Close(), d.write.Close()) }

// explain joins store's sentinels to SQLite's codes.
func explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch code := e.Code(); {
	case code&0xff == sqlite3.SQLITE_FULL, code == sqlite3.SQLITE_IOERR_SHMSIZE:
		return fmt.Errorf("%w (%w)", store.ErrDiskFull, err)
	case code&0xff == sqlite3.SQLITE_NOTADB, code&0xff == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("it is no intact SQLite database (%w)", err)
	case code&0xff == sqlite3.SQLITE_BUSY:
		return fmt.Errorf("another process holds it (%w)", err)
	}
	return err
}

// readTable runs f on one state of the file, where that has the table: the file of a muster that knew nothing of it is
// ErrNotFound.
func (d *DB) readTable(ctx context.Context, table string, f func(tx *sql.Tx) error) error {
	tx, err := d.read.BeginTx(ctx, nil)
	if err != nil {
		return explain(err)
	}
	defer tx.Rollback()
	var tables int
	const count = `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?`
	if err := tx.QueryRowContext(ctx, count, table).Scan(&tables); err != nil {
		return explain(err)
	}
	if tables == 0 {
		return store.ErrNotFound
	}
	return explain(f(tx))
}

// within runs f in one transaction.
func (d *DB) within(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return explain(err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // err says why
		return explain(err)
	}
	return explain(tx.Commit())
}
