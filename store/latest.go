package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/musternet/muster"
)

// latest remembers the newest revision of devices while a run writes.
type latest struct {
	index Index
	revs  map[string]muster.Revision
	all   bool // revs holds every device that has a revision
}

func newLatest(index Index) *latest {
	return &latest{index: index, revs: make(map[string]muster.Revision)}
}

func (l *latest) forget() { l.revs, l.all = make(map[string]muster.Revision), false }

func (l *latest) loadAll(ctx context.Context) error {
	if l.all {
		return nil
	}
	revs, err := l.index.Latest(ctx)
	if err != nil {
		return err
	}
	for _, r := range revs {
		l.revs[r.Device] = r
	}
	l.all = true
	return nil
}

func (l *latest) of(ctx context.Context, device string) (muster.Revision, bool, error) {
	if r, ok := l.revs[device]; ok || l.all {
		return r, ok, nil
	}
	revs, err := l.index.Revisions(ctx, device, 1)
	if err != nil || len(revs) == 0 {
		return muster.Revision{}, false, err
	}
	l.revs[device] = revs[0]
	return revs[0], true, nil
}

func (l *latest) set(r muster.Revision) { l.revs[r.Device] = r }

// textOf returns a newest revision's text, from its file where that is still true: it spares a git process.
func (s *Store) textOf(ctx context.Context, rev muster.Revision) ([]byte, error) {
	text, err := s.configs.ReadFile(rev.Path)
	if err == nil && len(text) == rev.Bytes && BlobID(text) == rev.Blob {
		return text, nil
	}
	return s.History.Text(ctx, rev.Blob)
}

// showLatest makes a device's file hold its newest text, and removes the one in the group it was in before.
func (s *Store) showLatest(e *entry) error {
	info, err := s.configs.Lstat(e.path)
	if e.out.Revision != nil || err != nil || info.Size() != int64(len(e.text)) || !info.Mode().IsRegular() {
		if err := s.writeLatest(e.path, e.text); err != nil {
			return err
		}
	}
	if e.oldPath == "" || e.oldPath == e.path {
		return nil
	}
	return s.removeLatest(e.oldPath)
}

// writeLatest replaces a file by rename, so that a reader sees the old text or the new one. It is not synced, because
// history holds the text: after an unclean end Recover compares every file, and a file that a loss of power left with
// another size is written again by the next backup of its device.
func (s *Store) writeLatest(name string, text []byte) error {
	tmp := path.Join(path.Dir(name), tempPrefix+path.Base(name))
	err := s.configs.WriteFile(tmp, text, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.configs.Mkdir(path.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make directory of group: %w", full(err))
		}
		err = s.configs.WriteFile(tmp, text, 0o600)
	}
	if err == nil {
		err = s.configs.Rename(tmp, name)
	}
	if err != nil {
		_ = s.configs.Remove(tmp) // best effort: Recover removes it too
		return fmt.Errorf("write latest text: %w", full(err))
	}
	return nil
}

// tempPrefix begins the names of files being written; no device's file begins with a dot.
const tempPrefix = ".new-"

func (s *Store) removeLatest(name string) error {
	if err := s.configs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove latest text of another group: %w", err)
	}
	_ = s.configs.Remove(path.Dir(name)) // goes only when empty
	return nil
}

// sameFile tells whether the file holds exactly a revision's text.
func (s *Store) sameFile(rev muster.Revision) bool {
	text, err := s.configs.ReadFile(rev.Path)
	return err == nil && len(text) == rev.Bytes && BlobID(text) == rev.Blob
}

// clearTemps removes files whose writing was cut short.
func (s *Store) clearTemps() error {
	return fs.WalkDir(s.configs.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), tempPrefix) {
			return err
		}
		if err := s.configs.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	})
}
