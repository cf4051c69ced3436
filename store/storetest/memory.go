package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

var (
	_ store.History = (*History)(nil)
	_ store.Index   = (*Index)(nil)
)

// History is a history in memory. The zero value is empty. Fault, where set, is asked before each Append.
type History struct {
	Fault func(ctx context.Context, commits []store.Commit) error

	mu    sync.Mutex
	texts map[string][]byte
	revs  []muster.Revision // oldest first
}

// Append implements store.History.
func (h *History) Append(ctx context.Context, commits []store.Commit) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if h.Fault != nil {
		if err := h.Fault(ctx, commits); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.texts == nil {
		h.texts = make(map[string][]byte)
	}
	var ids []string
	for _, c := range commits {
		blob := store.BlobID(c.Text)
		h.texts[blob] = slices.Clone(c.Text)
		id := store.BlobID(fmt.Appendf(nil, "%d %s %s", len(h.revs), c.Path, blob))
		h.revs = append(h.revs, muster.Revision{
			ID: id, Blob: blob, Device: c.Device, Path: c.Path, Time: c.Time, Author: store.PersonName(c.Author),
			Trigger: c.Trigger, Run: c.Run, Added: c.Added, Removed: c.Removed, Bytes: len(c.Text),
		})
		ids = append(ids, id)
	}
	return ids, nil
}

// Text implements store.History.
func (h *History) Text(_ context.Context, blob string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text, ok := h.texts[blob]
	if !ok {
		return nil, fmt.Errorf("blob %q: %w", blob, store.ErrNotFound)
	}
	return slices.Clone(text), nil
}

// Texts implements store.History.
func (h *History) Texts(ctx context.Context, blobs iter.Seq[string]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for blob := range blobs {
			text, err := h.Text(ctx, blob)
			if !yield(text, err) || err != nil {
				return
			}
		}
	}
}

// Newest implements store.History.
func (h *History) Newest(context.Context) iter.Seq2[muster.Revision, error] {
	h.mu.Lock()
	revs := slices.Clone(h.revs)
	h.mu.Unlock()
	return func(yield func(muster.Revision, error) bool) {
		for _, r := range slices.Backward(revs) {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Head implements store.History.
func (h *History) Head(context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.revs) == 0 {
		return "", nil
	}
	return h.revs[len(h.revs)-1].ID, nil
}

// Recover implements store.History.
func (h *History) Recover(context.Context) error { return nil }

// Maintain implements store.History.
func (h *History) Maintain(context.Context) error { return nil }

// Close implements store.History.
func (h *History) Close() error { return nil }

// Index is an index in memory. The zero value is empty. Fault, where set, is asked before each Record.
type Index struct {
	Fault func(ctx context.Context, outcomes []store.Outcome) error

	mu       sync.Mutex
	runs     []store.Run
	outcomes map[string][]store.Outcome
	devices  map[string]store.Device
	revs     []muster.Revision // in the order of the commits
	head     string
	unclean  bool
}

// StartRun implements store.Index.
func (x *Index) StartRun(_ context.Context, job muster.Job, total int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unclean = true
	if x.run(job.Run) == nil {
		x.runs = append(x.runs, store.Run{Job: job, Total: total})
	}
	return nil
}

func (x *Index) run(id string) *store.Run {
	i := slices.IndexFunc(x.runs, func(r store.Run) bool { return r.Run == id })
	if i < 0 {
		return nil
	}
	return &x.runs[i]
}

// FinishRun implements store.Index.
func (x *Index) FinishRun(_ context.Context, run string, at time.Time) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r := x.run(run); r != nil {
		r.Finished = at
	}
	return nil
}

// Record implements store.Index.
func (x *Index) Record(ctx context.Context, run string, outcomes []store.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if x.Fault != nil {
		if err := x.Fault(ctx, outcomes); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.outcomes == nil {
		x.outcomes, x.devices = make(map[string][]store.Outcome), make(map[string]store.Device)
	}
	x.outcomes[run] = append(x.outcomes[run], outcomes...)
	for _, o := range outcomes {
		if o.Revision != nil {
			x.add(*o.Revision)
		}
		x.note(run, o)
	}
	return nil
}

func (x *Index) add(rev muster.Revision) {
	if i := slices.IndexFunc(x.revs, func(r muster.Revision) bool { return r.ID == rev.ID }); i >= 0 {
		rev = x.revs[i]
		x.revs = slices.Delete(x.revs, i, i+1)
	}
	x.revs = append(x.revs, rev)
	x.head = rev.ID
}

func (x *Index) note(run string, o store.Outcome) {
	d := x.devices[o.Result.Device.Name]
	in := o.Result.Device
	d.Name, d.Address, d.Port, d.Group = in.Name, in.Address, in.Port, in.GroupName()
	d.Platform = cmp.Or(in.Platform, d.Platform)
	d.Facts = muster.Facts{
		Hostname: cmp.Or(o.Facts.Hostname, d.Facts.Hostname), Model: cmp.Or(o.Facts.Model, d.Facts.Model),
		Version: cmp.Or(o.Facts.Version, d.Facts.Version), Serial: cmp.Or(o.Facts.Serial, d.Facts.Serial),
	}
	if o.Session.Kex != "" || o.Session.ServerVersion != "" {
		d.Session = o.Session
	}
	d.LastRun, d.LastTry, d.LastStatus, d.Failure = run, time.Now(), o.Result.Status, nil
	if f := o.Result.Failure; f != nil {
		short := *f
		short.Transcript = slices.Clone(f.Transcript[max(0, len(f.Transcript)-64<<10):])
		d.Failure = &short
	}
	if r := x.run(run); r != nil {
		*map[muster.Status]*int{muster.StatusNew: &r.New, muster.StatusChanged: &r.Changed,
			muster.StatusUnchanged: &r.Unchanged, muster.StatusFailed: &r.Failed}[o.Result.Status]++
	}
	if o.Result.Status != muster.StatusFailed {
		d.LastGood = d.LastTry
	}
	x.devices[in.Name] = d
}

// State implements store.Index.
func (x *Index) State(context.Context) (store.State, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return store.State{Head: x.head, Clean: !x.unclean}, nil
}

// SetClean implements store.Index.
func (x *Index) SetClean(context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unclean = false
	return nil
}

// AddRevisions implements store.Index.
func (x *Index) AddRevisions(_ context.Context, revs []muster.Revision) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range revs {
		x.add(r)
	}
	return nil
}

// RetainRevisions implements store.Index.
func (x *Index) RetainRevisions(_ context.Context, exists func(id string) bool) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := len(x.revs)
	x.revs = slices.DeleteFunc(x.revs, func(r muster.Revision) bool { return !exists(r.ID) })
	x.head = ""
	return before - len(x.revs), nil
}

// Latest implements store.Index.
func (x *Index) Latest(context.Context) ([]muster.Revision, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	newest := make(map[string]muster.Revision)
	for _, r := range x.revs {
		newest[r.Device] = r
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b muster.Revision) int { return cmp.Compare(a.Device, b.Device) }), nil
}

// Device implements store.Index.
func (x *Index) Device(ctx context.Context, name string) (store.Device, error) {
	revs, err := x.Revisions(ctx, name, 1)
	x.mu.Lock()
	defer x.mu.Unlock()
	d, ok := x.devices[name]
	if !ok {
		return d, fmt.Errorf("device %q: %w", name, store.ErrNotFound)
	}
	if len(revs) > 0 {
		d.Revision = revs[0].ID
	}
	return d, err
}

// Devices implements store.Index.
func (x *Index) Devices(ctx context.Context) (out []store.Device, err error) {
	x.mu.Lock()
	names := slices.Sorted(maps.Keys(x.devices))
	x.mu.Unlock()
	for _, name := range names {
		d, e := x.Device(ctx, name)
		out, err = append(out, d), errors.Join(err, e)
	}
	return out, err
}

// RemoveDevice implements store.Index.
func (x *Index) RemoveDevice(_ context.Context, name string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.devices[name]; !ok {
		return fmt.Errorf("device %q: %w", name, store.ErrNotFound)
	}
	delete(x.devices, name)
	return nil
}

// SetPlatform implements store.Index.
func (x *Index) SetPlatform(_ context.Context, device, platform string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.devices == nil {
		x.outcomes, x.devices = make(map[string][]store.Outcome), make(map[string]store.Device)
	}
	d := x.devices[device]
	d.Name, d.Platform = device, platform
	x.devices[device] = d
	return nil
}

// Runs implements store.Index.
func (x *Index) Runs(_ context.Context, limit int) ([]store.Run, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := slices.SortedFunc(slices.Values(x.runs), func(a, b store.Run) int { return b.Started.Compare(a.Started) })
	return head(out, limit), nil
}

// RunDevices implements store.Index.
func (x *Index) RunDevices(_ context.Context, run string, status muster.Status) (names []string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	byIndex := func(a, b store.Outcome) int { return cmp.Compare(a.Result.Index, b.Result.Index) }
	for _, o := range slices.SortedFunc(slices.Values(x.outcomes[run]), byIndex) {
		if o.Result.Status == status {
			names = append(names, o.Result.Device.Name)
		}
	}
	return names, nil
}

// Revisions implements store.Index.
func (x *Index) Revisions(_ context.Context, device string, limit int) ([]muster.Revision, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []muster.Revision
	for _, r := range slices.Backward(x.revs) {
		if r.Device == device {
			out = append(out, r)
		}
	}
	return head(out, limit), nil
}

// RevisionsSince implements store.Index.
func (x *Index) RevisionsSince(_ context.Context, t time.Time) ([]muster.Revision, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := slices.DeleteFunc(slices.Clone(x.revs), func(r muster.Revision) bool { return r.Time.Before(t) })
	slices.SortStableFunc(out, func(a, b muster.Revision) int { return a.Time.Compare(b.Time) })
	return out, nil
}

// Revision implements store.Index.
func (x *Index) Revision(_ context.Context, device, prefix string) (muster.Revision, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found []muster.Revision
	for _, r := range x.revs {
		if len(prefix) >= 4 && strings.HasPrefix(r.ID, strings.ToLower(prefix)) && (device == "" || device == r.Device) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return muster.Revision{}, fmt.Errorf("revision %s: %w", prefix, store.ErrNotFound)
	case 1:
		return found[0], nil
	}
	return muster.Revision{}, fmt.Errorf("revision %s: %w", prefix, store.ErrAmbiguous)
}

// HasRevision implements store.Index.
func (x *Index) HasRevision(_ context.Context, id string) (bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.revs, func(r muster.Revision) bool { return r.ID == id }), nil
}

// Close implements store.Index.
func (x *Index) Close() error { return nil }

func head[T any](list []T, limit int) []T {
	if limit > 0 && len(list) > limit {
		return list[:limit]
	}
	return list
}
