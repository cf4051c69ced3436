package gitrepo_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/gitrepo"
	"github.com/musternet/muster/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *gitrepo.Repo {
	t.Helper()
	r, err := gitrepo.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestHistory(t *testing.T) {
	t.Parallel()
	storetest.RunHistory(t, func(t *testing.T) store.History { return open(t, filepath.Join(t.TempDir(), "configs.git")) })
}
