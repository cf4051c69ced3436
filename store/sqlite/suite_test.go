package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/event"
	"github.com/musternet/muster/event/eventtest"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/sqlite"
	"github.com/musternet/muster/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(keeperEnv); path != "" {
		os.Exit(keepFromOutside(path))
	}
	if path := os.Getenv(publisherEnv); path != "" {
		os.Exit(publishUntilKilled(path))
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, path string, opts sqlite.Options) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestIndex(t *testing.T) {
	t.Parallel()
	storetest.RunIndex(t, func(t *testing.T) store.Index {
		return open(t, filepath.Join(t.TempDir(), "muster.db"), sqlite.Options{})
	})
}

func TestScans(t *testing.T) {
	t.Parallel()
	storetest.RunScans(t, func(t *testing.T) store.Scans {
		return open(t, filepath.Join(t.TempDir(), "muster.db"), sqlite.Options{})
	})
}

func TestWatch(t *testing.T) {
	t.Parallel()
	storetest.RunWatch(t, func(t *testing.T) store.Watch {
		return open(t, filepath.Join(t.TempDir(), "muster.db"), sqlite.Options{})
	})
}

func TestJournal(t *testing.T) {
	t.Parallel()
	eventtest.RunJournal(t, func(t *testing.T) event.Journal {
		return open(t, filepath.Join(t.TempDir(), "muster.db"), sqlite.Options{})
	})
}
