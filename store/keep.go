package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/musternet/muster"
)

const (
	flushCount = 256              // so many waiting results are written at once
	flushDelay = time.Second      // a result waits so long for company
	flushLimit = 2 * time.Minute  // one write takes no longer, or it failed
	endLimit   = 10 * time.Minute // packing takes no longer
	loadAll    = 200              // from so many devices on it is cheaper to read all latest revisions at once
)

// Store keeps configurations: each new text in History, its row in Index and the latest text in a file below configs/.
// Reading goes to History and Index directly. Begin needs the data directory's Lock.
type Store struct {
	History History
	Index   Index

	configs *os.Root

	write  chan struct{} // holds a token; who took it writes
	dirty  bool          // a write failed: recover before the next. Guarded by write
	behind bool          // a latest text could not be written. Guarded by write
	latest *latest       // what is known of the newest revisions. Guarded by write

	mu   sync.Mutex
	open int // batches begun and not ended
}

// New joins history and index in one Store that keeps the latest texts below the directory configs, which is made if
// need be.
func New(history History, index Index, configs string) (*Store, error) {
	if err := os.MkdirAll(configs, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of latest texts: %w", full(err))
	}
	root, err := os.OpenRoot(configs)
	if err != nil {
		return nil, fmt.Errorf("open directory of latest texts: %w", err)
	}
	s := &Store{History: history, Index: index, configs: root, write: make(chan struct{}, 1), latest: newLatest(index)}
	s.write <- struct{}{}
	return s, nil
}

// Close closes History and Index.
func (s *Store) Close() error {
	return errors.Join(s.History.Close(), s.Index.Close(), s.configs.Close())
}

// Begin starts a run over total devices, after Recover. The caller gives every device of the run to Keep or to Fail
// exactly once, and calls End when all those calls have returned. Several runs of one process may be open at once.
func (s *Store) Begin(ctx context.Context, job muster.Job, total int) (*Batch, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.release()
	if err := s.recoverIfAlone(ctx); err != nil {
		return nil, err
	}
	if err := s.Index.StartRun(ctx, job, total); err != nil {
		return nil, fmt.Errorf("start run: %w", err)
	}
	if total >= loadAll {
		if err := s.latest.loadAll(ctx); err != nil {
			return nil, fmt.Errorf("read latest revisions: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	return &Batch{store: s, job: job, total: total, now: make(chan struct{}, 1)}, nil
}

// recoverIfAlone recovers unless another batch is open: then what looks unfinished is that batch's own work.
func (s *Store) recoverIfAlone(ctx context.Context) error {
	s.mu.Lock()
	alone := s.open == 0
	s.mu.Unlock()
	if !alone {
		return nil
	}
	s.latest.forget() // another process may have written since
	return s.recover(ctx)
}

// end closes a batch, and after the last one packs the history and notes that all ended in order.
func (s *Store) end(ctx context.Context) error {
	if err := s.acquire(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	defer s.release()
	s.mu.Lock()
	s.open--
	last := s.open == 0
	s.mu.Unlock()
	if !last {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	var failed error
	if err := s.History.Maintain(ctx); err != nil {
		failed = fmt.Errorf("pack history: %w", err) // all is stored, only less well packed
	}
	if s.dirty || s.behind {
		return failed // the next Recover sees it
	}
	return errors.Join(failed, s.Index.SetClean(context.WithoutCancel(ctx)))
}

func (s *Store) acquire(ctx context.Context) error {
	select {
	case <-s.write:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Store) release() { s.write <- struct{}{} }
