package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/musternet/muster"
)

// Recover mends what a killed writer left: files of git that are in the way, commits without rows, rows without
// commits, latest texts that are behind. It needs the data directory's Lock, costs little where nothing is to be mended,
// and does no harm twice. Begin calls it.
func (s *Store) Recover(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	return s.recover(ctx)
}

// recover is Recover for who may write already.
func (s *Store) recover(ctx context.Context) error {
	if err := s.History.Recover(ctx); err != nil {
		return fmt.Errorf("recover history: %w", err)
	}
	state, err := s.Index.State(ctx)
	if err != nil {
		return fmt.Errorf("recover rows: %w", err)
	}
	head, err := s.History.Head(ctx)
	if err != nil {
		return fmt.Errorf("recover history: %w", err)
	}
	mended := false
	if head != state.Head {
		if mended, err = s.recoverRows(ctx, state.Head); err != nil {
			return fmt.Errorf("recover rows: %w", err)
		}
		s.latest.forget()
	}
	if mended || !state.Clean {
		if err := s.recoverFiles(ctx); err != nil {
			return fmt.Errorf("recover latest texts: %w", err)
		}
	}
	s.dirty, s.behind = false, false
	return nil
}

// recoverRows walks back to the commit up to which all rows are known to be there. Stopping at the first commit that
// has a row would be wrong after two writes of which only the second got its rows. Where the walk does not meet that
// commit, the history is another one than the rows were made from, and rows without a commit go.
func (s *Store) recoverRows(ctx context.Context, known string) (mended bool, err error) {
	var revs []muster.Revision
	met := false
	for rev, err := range s.History.Newest(ctx) {
		if err != nil {
			return false, err
		}
		if met = rev.ID == known; met {
			break
		}
		revs = append(revs, rev)
	}
	slices.Reverse(revs)
	if !met && known != "" {
		exists := make(map[string]bool, len(revs))
		for _, r := range revs {
			exists[r.ID] = true
		}
		if _, err := s.Index.RetainRevisions(ctx, func(id string) bool { return exists[id] }); err != nil {
			return false, err
		}
	}
	return !met || len(revs) > 0, s.Index.AddRevisions(ctx, revs)
}

// recoverFiles writes the latest texts that are missing or differ.
func (s *Store) recoverFiles(ctx context.Context) error {
	if err := s.clearTemps(); err != nil {
		return err
	}
	revs, err := s.Index.Latest(ctx)
	if err != nil {
		return err
	}
	stale := slices.DeleteFunc(revs, s.sameFile)
	blobs := func(yield func(string) bool) {
		for _, r := range stale {
			if !yield(r.Blob) {
				return
			}
		}
	}
	i := 0
	for text, err := range s.History.Texts(ctx, blobs) {
		if err != nil {
			return err
		}
		if err := s.writeLatest(stale[i].Path, text); err != nil {
			return err
		}
		i++
	}
	return nil
}
