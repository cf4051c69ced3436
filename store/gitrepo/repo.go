// Package gitrepo keeps every text ever stored as commits in a bare git repository: written by git fast-import, read by
// git cat-file, open to any git tool.
package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/musternet/muster/store"
)

const (
	branch  = "refs/heads/main"
	headRef = "ref: " + branch
)

var _ store.History = (*Repo)(nil)

// Repo is a bare git repository. Its methods may be called at once from anywhere; appends come one after another.
type Repo struct {
	dir string

	write chan struct{} // holds a token; who took it appends, recovers or packs. Guards in
	in    *importer     // the run's fast-import; nil: none

	mu  sync.Mutex // guards cat
	cat *catFile   // the kept cat-file; nil: none
}

// Open opens the repository at dir, or makes it. An existing one is opened without starting git. It refuses a directory
// that holds something else.
func Open(ctx context.Context, dir string) (*Repo, error) {
	if err := ensure(ctx, dir); err != nil {
		return nil, err
	}
	r := &Repo{dir: dir, write: make(chan struct{}, 1)}
	r.write <- struct{}{}
	return r, nil
}

// OpenExisting opens the repository at dir to read from it. store.ErrNotFound if there is none.
func OpenExisting(dir string) (*Repo, error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open history %s: %w", dir, store.ErrNotFound)
	}
	if err := check(dir); err != nil {
		return nil, err
	}
	r := &Repo{dir: dir, write: make(chan struct{}, 1)}
	r.write <- struct{}{}
	return r, nil
}

func ensure(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return create(ctx, dir)
	}
	if err != nil {
		return fmt.Errorf("open history: %w", err)
	}
	return check(dir)
}

// check tells whether dir looks like a repository of ours.
func check(dir string) error {
	head, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	if err != nil || strings.TrimSpace(string(head)) != headRef {
		return fmt.Errorf("open history: %s is no history of muster: its HEAD is not %s", dir, branch)
	}
	for _, sub := range []string{"objects", "refs"} {
		if info, err := os.Stat(filepath.Join(dir, sub)); err != nil || !info.IsDir() {
			return fmt.Errorf("open history: %s is no git repository: it has no directory %s", dir, sub)
		}
	}
	return nil
}

// create makes the repository beside its place and renames it there, so that a half made one is never met.
func create(ctx context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fmt.Errorf("make history: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".new-"+filepath.Base(dir)+"-")
	if err != nil {
		return fmt.Errorf("make history: %w", err)
	}
	defer os.RemoveAll(tmp)
	made := filepath.Join(tmp, "git")
	args := []string{"init", "--quiet", "--bare", "--template=", "--shared=0600", "--initial-branch=main", made}
	if err := run(ctx, "", args...); err != nil {
		return fmt.Errorf("make history: %w", err)
	}
	if err := os.Chmod(made, 0o700); err != nil {
		return fmt.Errorf("make history: %w", err)
	}
	if err := os.Rename(made, dir); err != nil {
		return fmt.Errorf("make history: %w", err)
	}
	return syncDirs(filepath.Dir(dir))
}

// Head returns the newest commit, read from the branch's file: no git process is started for it.
func (r *Repo) Head(context.Context) (string, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(branch)))
	if errors.Is(err, os.ErrNotExist) {
		return r.packedHead()
	}
	if err != nil {
		return "", fmt.Errorf("read branch: %w", err)
	}
	id := strings.TrimSpace(string(text))
	if !isID(id) {
		return "", fmt.Errorf("read branch: %s/%s does not hold a commit", r.dir, branch)
	}
	return id, nil
}

// packedHead looks where git gc of a person may have put the branch.
func (r *Repo) packedHead() (string, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, "packed-refs"))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read branch: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if id, name, _ := strings.Cut(strings.TrimSpace(line), " "); name == branch && isID(id) {
			return id, nil
		}
	}
	return "", nil
}

func isID(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}

// Close ends the git processes. What was appended is durable without it.
func (r *Repo) Close() error {
	<-r.write
	defer r.release()
	ctx, cancel := context.WithTimeout(context.Background(), endWait)
	defer cancel()
	err := r.finish(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropCat()
	return err
}

func (r *Repo) acquire(ctx context.Context) error {
	select {
	case <-r.write:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *Repo) release() { r.write <- struct{}{} }

// finish ends the run's fast-import, if there is one.
func (r *Repo) finish(ctx context.Context) error {
	in := r.in
	r.in = nil
	if in == nil {
		return nil
	}
	return in.end(ctx)
}
