package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/gitrepo"
	"github.com/musternet/muster/store/sqlite"
)

// Where things lie in the data directory.
const (
	historyDir  = "configs.git"
	latestDir   = "configs"
	indexFile   = "muster.db"
	hostsFile   = "known_hosts"
	devicesFile = "devices.yaml" // beside the settings file
)

// errNoData says that nothing was ever stored.
var errNoData = errors.New("there is no data directory yet")

// storage is the opened data directory.
type storage struct {
	index   store.Index
	history store.History
	store   *store.Store // only for writing
	lock    *store.Lock  // only for writing
}

// readers opens the data directory for reading, once.
type readers struct {
	mu      sync.Mutex
	storage *storage
}

// reader returns the data directory opened for reading. It needs no lock and works beside a writer. ErrNothing where
// nothing was ever stored.
func (a *App) reader(ctx context.Context) (*storage, error) {
	a.readers.mu.Lock()
	defer a.readers.mu.Unlock()
	if a.readers.storage != nil {
		return a.readers.storage, nil
	}
	index, err := sqlite.Open(ctx, filepath.Join(a.dir, indexFile), sqlite.Options{ReadOnly: true})
	if errors.Is(err, store.ErrNotFound) {
		return nil, a.nothingStored()
	}
	if err != nil {
		return nil, storeError(err)
	}
	history, err := gitrepo.OpenExisting(filepath.Join(a.dir, historyDir))
	if err != nil {
		return nil, errors.Join(a.noHistory(ctx, index, err), index.Close())
	}
	a.readers.storage = &storage{index: index, history: history}
	return a.readers.storage, nil
}

// noHistory tells why there is no history: nothing was ever backed up, as where a scan alone was made, or it is gone.
func (a *App) noHistory(ctx context.Context, index store.Index, cause error) error {
	runs, err := index.Runs(ctx, 1)
	if errors.Is(cause, store.ErrNotFound) && err == nil && len(runs) == 0 {
		return a.nothingStored()
	}
	return storeError(cause)
}

func (a *App) nothingStored() error {
	return fmt.Errorf("%w: %w: nothing is stored in %s; fetch something with: muster backup", ErrNothing, errNoData, a.dir)
}

// writer opens the data directory for writing, making it if need be. The caller calls unlock when it is done.
func (a *App) writer(ctx context.Context, command string) (*storage, error) {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, storeError(fmt.Errorf("make data directory: %w", err))
	}
	lock, err := store.LockDir(ctx, a.dir, command)
	if err != nil {
		return nil, storeError(err)
	}
	s := &storage{lock: lock}
	if err := s.open(ctx, a.dir); err != nil {
		return nil, storeError(errors.Join(err, s.unlock()))
	}
	return s, nil
}

// readIndex opens the rows alone for reading. ErrNothing where nothing was ever kept.
func (a *App) readIndex(ctx context.Context) (*sqlite.DB, error) {
	index, err := sqlite.Open(ctx, filepath.Join(a.dir, indexFile), sqlite.Options{ReadOnly: true})
	if errors.Is(err, store.ErrNotFound) {
		return nil, a.nothingStored()
	}
	return index, storeError(err)
}

// writableIndex opens the rows alone for writing, making the data directory if need be. No lock is needed for what any
// process may write at any time.
func (a *App) writableIndex(ctx context.Context) (*sqlite.DB, error) {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, storeError(fmt.Errorf("make data directory: %w", err))
	}
	index, err := sqlite.Open(ctx, filepath.Join(a.dir, indexFile), sqlite.Options{})
	return index, storeError(err)
}

func (s *storage) open(ctx context.Context, dir string) error {
	history, err := gitrepo.Open(ctx, filepath.Join(dir, historyDir))
	if err != nil {
		return err
	}
	s.history = history
	index, err := sqlite.Open(ctx, filepath.Join(dir, indexFile), sqlite.Options{})
	if err != nil {
		return err
	}
	s.index = index
	s.store, err = store.New(history, index, filepath.Join(dir, latestDir))
	return err
}

func (s *storage) close() error {
	if s.store != nil {
		return s.store.Close()
	}
	var errs []error
	if s.history != nil {
		errs = append(errs, s.history.Close())
	}
	if s.index != nil {
		errs = append(errs, s.index.Close())
	}
	return errors.Join(errs...)
}

// unlock closes what was opened for writing and gives the lock back.
func (s *storage) unlock() error {
	return errors.Join(s.close(), s.lock.Unlock())
}
