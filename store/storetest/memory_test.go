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
