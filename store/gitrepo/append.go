package gitrepo

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/musternet/muster/store"
)

// chunk is how many commits are sent before their ids are read: few enough that the answers fit into a pipe's buffer,
// so that git never waits for us while we wait for it.
const chunk = 512

// Append stores the commits through the run's fast-import, which it starts at the first use, and returns when a
// checkpoint made them durable and the branch points at the last. After an error the next Append starts anew.
func (r *Repo) Append(ctx context.Context, commits []store.Commit) ([]string, error) {
	if len(commits) == 0 {
		return nil, nil
	}
	if err := r.acquire(ctx); err != nil {
		return nil, err
	}
	defer r.release()
	if r.in == nil {
		in, err := r.startImport(ctx)
		if err != nil {
			return nil, err
		}
		r.in = in
	}
	ids, err := r.in.append(ctx, commits)
	if err == nil {
		err = r.confirm(ctx, ids[len(ids)-1])
	}
	if err != nil {
		r.in.kill()
		r.in = nil
		return nil, err
	}
	return ids, nil
}

// confirm makes sure that the branch moved: fast-import goes on without an error when somebody else moved it meanwhile.
// Then it makes the names of the new files durable.
func (r *Repo) confirm(ctx context.Context, id string) error {
	head, err := r.Head(ctx)
	if err != nil {
		return err
	}
	if head != id {
		return fmt.Errorf("branch main of %s was moved by somebody else", r.dir)
	}
	if err := syncDirs(packDir(r.dir), filepath.Join(r.dir, "refs", "heads")); err != nil {
		return fmt.Errorf("sync history: %w", err)
	}
	return nil
}

func (r *Repo) startImport(ctx context.Context) (*importer, error) {
	if err := checkVersion(ctx); err != nil {
		return nil, err
	}
	lock, err := waitWriterLock(ctx, r.dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close() // git has inherited it
	head, err := r.Head(ctx)
	if err != nil {
		return nil, err
	}
	return startImporter(r.dir, head, lock)
}

func packDir(dir string) string { return filepath.Join(dir, "objects", "pack") }
