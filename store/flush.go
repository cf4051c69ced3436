package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/musternet/muster"
)

// flush writes a batch: history, rows, latest texts. Its error is the store's own; the entries it concerns have failed.
func (s *Store) flush(ctx context.Context, job muster.Job, batch []*entry) error {
	if err := s.acquire(ctx); err != nil {
		return failAll(batch, fmt.Errorf("wait for another write: %w", err))
	}
	defer s.release()
	if s.dirty {
		if err := s.recover(ctx); err != nil {
			return failAll(batch, err)
		}
	}
	refused := s.decide(ctx, job, batch)
	s.dirty = true
	if err := s.put(ctx, job, batch); err != nil {
		s.latest.forget()
		return failAll(batch, err)
	}
	s.dirty = false
	for _, e := range batch {
		s.settle(e)
	}
	return refused
}

// put makes a batch durable.
func (s *Store) put(ctx context.Context, job muster.Job, batch []*entry) error {
	var commits []Commit
	var changed []*entry
	for _, e := range batch {
		if e.out.Revision != nil {
			commits = append(commits, s.commit(job, e))
			changed = append(changed, e)
		}
	}
	if len(commits) > 0 {
		ids, err := s.History.Append(ctx, commits)
		if err != nil {
			return fmt.Errorf("write history: %w", err)
		}
		for i, e := range changed {
			e.out.Revision.ID = ids[i]
			e.out.Result.Revision = ids[i]
			s.latest.set(*e.out.Revision)
		}
	}
	outcomes := make([]Outcome, len(batch))
	for i, e := range batch {
		outcomes[i] = e.out
	}
	if err := s.Index.Record(ctx, job.Run, outcomes); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

func (s *Store) commit(job muster.Job, e *entry) Commit {
	rev := e.out.Revision
	c := Commit{
		Device: rev.Device, Path: rev.Path, Text: e.text, Time: rev.Time, Author: rev.Author, Run: job.Run,
		Trigger: job.Trigger, New: e.out.Result.Status == muster.StatusNew, Added: rev.Added, Removed: rev.Removed,
	}
	if e.oldPath != rev.Path {
		c.OldPath = e.oldPath
	}
	return c
}

// decide compares each entry with its device's newest revision and gives the changed ones a new one. An entry it cannot
// decide fails alone; the first such error is returned.
func (s *Store) decide(ctx context.Context, job muster.Job, batch []*entry) error {
	var first error
	now := time.Now().Truncate(time.Second)
	once := make(map[string]bool, len(batch))
	for _, e := range batch {
		if e.out.Result.Status == muster.StatusFailed {
			continue
		}
		err := s.decideOne(ctx, job, e, now)
		if name := e.out.Result.Device.Name; err == nil && once[name] {
			err = fmt.Errorf("device %q came twice at once", name)
		}
		once[e.out.Result.Device.Name] = true
		if err != nil {
			e.fail(failure(e, err))
			first = cmp.Or(first, err)
		}
	}
	return first
}

func (s *Store) decideOne(ctx context.Context, job muster.Job, e *entry, now time.Time) error {
	dev := e.out.Result.Device
	path, err := TextPath(dev.GroupName(), dev.Name)
	if err != nil {
		return err
	}
	old, known, err := s.latest.of(ctx, dev.Name)
	if err != nil {
		return fmt.Errorf("read latest revision: %w", err)
	}
	e.path, e.oldPath = path, old.Path
	if known && old.Blob == e.blob {
		e.out.Result.Status, e.out.Result.Revision = muster.StatusUnchanged, old.ID
		return nil
	}
	rev := muster.Revision{
		Blob: e.blob, Device: dev.Name, Path: path, Time: now, Author: PersonName(e.author), Trigger: job.Trigger,
		Run: job.Run, Bytes: len(e.text),
	}
	e.out.Result.Status = muster.StatusNew
	var before []byte
	if known {
		e.out.Result.Status = muster.StatusChanged
		before = s.before(ctx, e, old)
		if 2*len(e.text) < len(before) {
			e.warn(fmt.Sprintf("the configuration shrank from %d to %d bytes: is it whole?", len(before), len(e.text)))
		}
	}
	var first int
	rev.Added, rev.Removed, first = compare(before, e.text)
	if known {
		e.out.Result.Line = first
	}
	e.out.Result.Added, e.out.Result.Removed = rev.Added, rev.Removed
	e.out.Revision = &rev
	return nil
}

// before reads the text that a new one is counted against. A text that cannot be read must not keep the new one from
// being stored: then all its lines count as added, and the result says so.
func (s *Store) before(ctx context.Context, e *entry, old muster.Revision) []byte {
	text, err := s.textOf(ctx, old)
	if err != nil {
		e.warn("the text before could not be read, so all lines count as new: " + err.Error())
	}
	return text
}

func (e *entry) warn(text string) {
	if e.out.Result.Warning == "" {
		e.out.Result.Warning = text
	}
}

// settle does what follows once an entry is durable: its file of the latest text is replaced.
func (s *Store) settle(e *entry) {
	if e.out.Result.Status == muster.StatusFailed {
		return
	}
	if err := s.showLatest(e); err != nil {
		s.behind = true
		e.warn("stored, but its file of the latest text could not be written: " + err.Error())
	}
}

// failAll makes every entry of a batch one that failed in the store. Those that had failed before keep their reason.
func failAll(batch []*entry, err error) error {
	for _, e := range batch {
		if e.out.Result.Status != muster.StatusFailed {
			e.fail(failure(e, err))
		}
	}
	return err
}

func (e *entry) fail(f *muster.Failure) {
	r := &e.out.Result
	r.Status, r.Failure, r.Revision, r.Added, r.Removed = muster.StatusFailed, f, "", 0, 0
	e.out.Revision = nil
}

func failure(e *entry, err error) *muster.Failure {
	r := e.out.Result
	code := "store-failed"
	if errors.Is(err, ErrDiskFull) {
		code = "disk-full"
	}
	return &muster.Failure{
		Device: r.Device.Name, Stage: muster.StageStore, Code: code, Err: err, Attempts: r.Attempts, Elapsed: r.Elapsed,
	}
}

// refuse says why a text must not be stored at all; nil if it may.
func refuse(k Kept) *muster.Failure {
	if len(k.Config.Text) > 0 {
		return nil
	}
	return &muster.Failure{
		Device: k.Result.Device.Name, Stage: muster.StageIncomplete, Code: "empty",
		Err: errors.New("the configuration is empty"), Attempts: k.Result.Attempts, Elapsed: k.Result.Elapsed,
	}
}
