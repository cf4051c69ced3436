package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/sqlite"
)

// alter changes the file behind the package's back.
func alter(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestFilesThatAreNotOursAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"a newer muster's": {func(t *testing.T, path string) {
			db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
			alter(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
		}, "newer muster (schema 999"},
		"another program's": {func(t *testing.T, path string) { alter(t, path, `CREATE TABLE photos (x)`) }, "database of something else"},
		"no database at all": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("hello ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "no intact SQLite database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "muster.db")
			c.make(t, path)
			for _, opts := range []sqlite.Options{{}, {ReadOnly: true}} {
				_, err := sqlite.Open(t.Context(), path, opts)
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("%+v: got %v, want %q and the path", opts, err, c.want)
				}
			}
		})
	}
}

func TestReadingNeedsAFileThatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "muster.db"), sqlite.Options{ReadOnly: true}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Error("reading made a file")
	}
}

func TestAFileThatWasNeverFilledHoldsNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	alter(t, path, "PRAGMA journal_mode=WAL")
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want store.ErrNotFound", err)
	}
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatalf("a writer must fill it: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestReadersWorkBesideAWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "odd name?%20#.db")
	writer := open(t, path, sqlite.Options{})
	reader := open(t, path, sqlite.Options{ReadOnly: true})
	for i := range 3 {
		run := string(rune('a' + i))
		if err := writer.StartRun(t.Context(), muster.Job{Run: run, Started: time.Unix(int64(i), 0)}, 1); err != nil {
			t.Fatal(err)
		}
		if runs, err := reader.Runs(t.Context(), 0); err != nil || len(runs) != i+1 || runs[0].Run != run {
			t.Errorf("the reader sees %v, %v after run %s", runs, err, run)
		}
	}
	if err := reader.StartRun(t.Context(), muster.Job{Run: "x"}, 1); err == nil {
		t.Error("a reader wrote")
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, filepath.Join(dir, "muster.db"), sqlite.Options{})
	if err := db.StartRun(t.Context(), muster.Job{Run: "x"}, 1); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 2 {
		t.Fatalf("%d files, %v: want the log beside the file", len(entries), err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestOutcomesOfOldRunsGo(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "muster.db"), sqlite.Options{})
	o := []store.Outcome{{Result: muster.Result{Device: muster.Device{Name: "r1"}, Status: muster.StatusUnchanged}}}
	for i := range 102 {
		run := muster.Job{Run: time.Unix(int64(i), 0).UTC().Format("150405"), Started: time.Unix(int64(i), 0)}
		if err := errors.Join(db.StartRun(t.Context(), run, 1), db.Record(t.Context(), run.Run, o), db.FinishRun(t.Context(), run.Run, run.Started)); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := db.Runs(t.Context(), 0)
	if err != nil || len(runs) != 102 {
		t.Fatalf("got %d runs, %v", len(runs), err)
	}
	for i, r := range runs {
		names, err := db.RunDevices(t.Context(), r.Run, muster.StatusUnchanged)
		if want := i < 100; err != nil || (len(names) == 1) != want {
			t.Errorf("run %d from the newest knows %v, %v", i, names, err)
		}
	}
}

func TestSchemaVersionIsTheNewestMigration(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "muster.db")
	open(t, path, sqlite.Options{}).Close()
	if got := fileVersion(t, path); got != len(files) {
		t.Fatalf("a new file has schema %d, want %d", got, len(files))
	}
	alter(t, path, fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, 1)`, len(files)+1))
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); err == nil {
		t.Errorf("schema %d was opened", len(files)+1)
	}
}

// fileVersion reads a file's schema version behind the package's back.
func fileVersion(t *testing.T, path string) (version int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT max(version_id) FROM goose_db_version`).Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version
}

// makeOld makes the file that a muster of that schema made.
func makeOld(t *testing.T, path string, version int64) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

// Files of released versions must go on to be read, and be brought up to date with all that they hold.
func TestAnOlderMustersFileIsReadAsItIsAndUpgradedByAWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	makeOld(t, path, 1)
	alter(t, path, `INSERT INTO runs (run, kind, "trigger", started, total) VALUES ('run1', 'backup', 'manual', 1, 1)`)
	reader := open(t, path, sqlite.Options{ReadOnly: true})
	check := func(who string, db *sqlite.DB) {
		t.Helper()
		if runs, err := db.Runs(t.Context(), 0); err != nil || len(runs) != 1 || runs[0].Run != "run1" {
			t.Errorf("%s: got runs %v, %v", who, runs, err)
		}
		if _, err := db.LastScan(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", who, err)
		}
		if scans, err := db.Scans(t.Context(), 0); len(scans) != 0 || err != nil {
			t.Errorf("%s: got %v, %v", who, scans, err)
		}
	}
	check("a reader", reader)
	if got := fileVersion(t, path); got != 1 {
		t.Errorf("a reader brought the file to schema %d", got)
	}
	writer := open(t, path, sqlite.Options{})
	check("a writer", writer)
	if err := writer.KeepScan(t.Context(), store.Scan{ID: "1", Targets: "a"}); err != nil {
		t.Fatal(err)
	}
	if s, err := reader.LastScan(t.Context(), "a"); err != nil || s.ID != "1" {
		t.Errorf("the reader from before sees %+v, %v", s, err)
	}
}
