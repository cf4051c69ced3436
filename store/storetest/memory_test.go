package storetest_test

import (
	"testing"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/storetest"
)

func TestHistoryInMemory(t *testing.T) {
	t.Parallel()
	storetest.RunHistory(t, func(*testing.T) store.History { return new(storetest.History) })
}

func TestIndexInMemory(t *testing.T) {
	t.Parallel()
	storetest.RunIndex(t, func(*testing.T) store.Index { return new(storetest.Index) })
}

func TestStoreInMemory(t *testing.T) {
	t.Parallel()
	storetest.RunStore(t, func(t *testing.T) *store.Store {
		s, err := store.New(new(storetest.History), new(storetest.Index), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	})
}

func TestScansInMemory(t *testing.T) {
	t.Parallel()
	storetest.RunScans(t, func(*testing.T) store.Scans { return new(storetest.Scans) })
}

func TestWatchInMemory(t *testing.T) {
	t.Parallel()
	storetest.RunWatch(t, func(*testing.T) store.Watch { return new(storetest.Watch) })
}
