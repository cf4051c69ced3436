package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/store"
)

// History returns the revisions of a device, newest first; limit 0: all. ErrNothing where there is none.
func (a *App) History(ctx context.Context, device string, limit int) ([]muster.Revision, error) {
	s, err := a.reader(ctx)
	if err != nil {
		return nil, err
	}
	revs, err := s.index.Revisions(ctx, device, limit)
	if err != nil {
		return nil, storeError(err)
	}
	if len(revs) == 0 {
		return nil, fmt.Errorf("%w: nothing is stored of %s; fetch it with: muster backup %s", ErrNothing, device, device)
	}
	return revs, nil
}

// Text returns the stored text of a device, byte for byte. rev is a revision's id or unique prefix, "~N" for N before
// the latest, or empty for the latest.
func (a *App) Text(ctx context.Context, device, rev string) (muster.Revision, []byte, error) {
	s, err := a.reader(ctx)
	if err != nil {
		return muster.Revision{}, nil, err
	}
	r, err := a.revision(ctx, device, rev)
	if err != nil {
		return r, nil, err
	}
	text, err := s.history.Text(ctx, r.Blob)
	if err != nil {
		return r, nil, storeError(fmt.Errorf("read revision %.7s of %s: %w", r.ID, device, err))
	}
	return r, text, nil
}

// revision finds one revision of a device by what a person typed after the "@".
func (a *App) revision(ctx context.Context, device, rev string) (muster.Revision, error) {
	back, isBack := 0, rev == ""
	if n, ok := strings.CutPrefix(rev, "~"); ok {
		k, err := strconv.Atoi(n)
		if err != nil || k < 0 {
			return muster.Revision{}, fmt.Errorf("%w: revision %q: a number belongs after the ~, as in ~1 for the one before the latest", ErrUsage, rev)
		}
		back, isBack = k, true
	}
	if isBack {
		revs, err := a.History(ctx, device, back+1)
		if err != nil {
			return muster.Revision{}, err
		}
		if len(revs) <= back {
			return muster.Revision{}, fmt.Errorf("%w: %s has no %s: it has %d in all; list them with: muster history %s", ErrNothing, device, rev, len(revs), device)
		}
		return revs[back], nil
	}
	s, err := a.reader(ctx)
	if err != nil {
		return muster.Revision{}, err
	}
	r, err := s.index.Revision(ctx, device, rev)
	if errors.Is(err, store.ErrNotFound) {
		return r, fmt.Errorf("%w: %s has no revision %s; list them with: muster history %s", ErrNothing, device, rev, device)
	}
	return r, storeError(err)
}

// Diff compares two revisions of a device. With no revision: the one before the latest and the latest; with one: that
// and the latest. A device with a single revision differs from nothing.
func (a *App) Diff(ctx context.Context, device string, revs ...string) (Diff, error) {
	from, to := "~1", ""
	switch len(revs) {
	case 0:
		all, err := a.History(ctx, device, 2)
		if err != nil {
			return Diff{}, err
		}
		if len(all) == 1 {
			return Diff{From: all[0], To: all[0]}, nil
		}
	case 1:
		from = revs[0]
	default:
		from, to = revs[0], revs[1]
	}
	f, err := a.revision(ctx, device, from)
	if err != nil {
		return Diff{}, err
	}
	t, err := a.revision(ctx, device, to)
	if err != nil {
		return Diff{}, err
	}
	return a.diff(ctx, f, t, nil)
}

// DiffDevices compares the latest texts of two devices.
func (a *App) DiffDevices(ctx context.Context, one, other string) (Diff, error) {
	f, err := a.revision(ctx, one, "")
	if err != nil {
		return Diff{}, err
	}
	t, err := a.revision(ctx, other, "")
	if err != nil {
		return Diff{}, err
	}
	return a.diff(ctx, f, t, nil)
}

func (a *App) diff(ctx context.Context, from, to muster.Revision, hide hide) (Diff, error) {
	s, err := a.reader(ctx)
	if err != nil {
		return Diff{}, err
	}
	var texts [2][]byte
	for i, r := range []muster.Revision{from, to} {
		if texts[i], err = s.history.Text(ctx, r.Blob); err != nil {
			return Diff{}, storeError(fmt.Errorf("read revision %.7s of %s: %w", r.ID, r.Device, err))
		}
	}
	return makeDiff(from, to, texts[0], texts[1], a.platformOf(ctx, to.Device), hide)
}

// platformOf returns the definition of the platform a stored device has, nil where it is not known.
func (a *App) platformOf(ctx context.Context, device string) *platform.Def {
	s, err := a.reader(ctx)
	if err != nil {
		return nil
	}
	d, err := s.index.Device(ctx, device)
	if err != nil {
		return nil
	}
	def, _ := platform.Lookup(d.Platform)
	return def
}

// Changes yields the diff of every revision since t that has one before it, oldest first.
func (a *App) Changes(ctx context.Context, since time.Time) iter.Seq2[Diff, error] {
	return func(yield func(Diff, error) bool) {
		s, err := a.reader(ctx)
		if err != nil {
			yield(Diff{}, err)
			return
		}
		revs, err := s.index.RevisionsSince(ctx, since)
		if err != nil {
			yield(Diff{}, storeError(err))
			return
		}
		before := map[string][]muster.Revision{} // of each device, newest first
		for _, r := range revs {
			if before[r.Device] == nil {
				if before[r.Device], err = s.index.Revisions(ctx, r.Device, 0); err != nil {
					yield(Diff{}, storeError(err))
					return
				}
			}
			history := before[r.Device]
			i := slices.IndexFunc(history, func(o muster.Revision) bool { return o.ID == r.ID })
			if i < 0 || i+1 >= len(history) {
				continue
			}
			if d, err := a.diff(ctx, history[i+1], r, nil); !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// Grep searches the latest texts of devices, or all their revisions (newest first), for a regular expression (RE2).
func (a *App) Grep(ctx context.Context, devices []muster.Device, pattern string, all, ignoreCase bool) iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		if ignoreCase {
			pattern = "(?i)" + pattern
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			yield(Match{}, fmt.Errorf("%w: the pattern is not a regular expression: %v", ErrUsage, err))
			return
		}
		s, err := a.reader(ctx)
		if err != nil {
			yield(Match{}, err)
			return
		}
		revs, err := a.grepped(ctx, devices, all)
		if err != nil {
			yield(Match{}, storeError(err))
			return
		}
		blobs := func(yield func(string) bool) {
			for _, r := range revs {
				if !yield(r.Blob) {
					return
				}
			}
		}
		i := 0
		for text, err := range s.history.Texts(ctx, blobs) {
			if err != nil {
				yield(Match{}, storeError(err))
				return
			}
			if !a.grepText(ctx, revs[i], text, re, yield) {
				return
			}
			i++
		}
	}
}

func (a *App) grepped(ctx context.Context, devices []muster.Device, all bool) ([]muster.Revision, error) {
	s, err := a.reader(ctx)
	if err != nil {
		return nil, err
	}
	limit := 1
	if all {
		limit = 0
	}
	var revs []muster.Revision
	for _, d := range devices {
		own, err := s.index.Revisions(ctx, d.Name, limit)
		if err != nil {
			return nil, err
		}
		revs = append(revs, own...)
	}
	return revs, nil
}

// grepText yields the matching lines of one text; its sections are worked out only where a line matches.
func (a *App) grepText(ctx context.Context, r muster.Revision, text []byte, re *regexp.Regexp, yield func(Match, error) bool) bool {
	var lines []string
	var def *platform.Def
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		if !re.Match(line) {
			continue
		}
		if lines == nil {
			lines, def = splitLines(text), a.platformOf(ctx, r.Device)
		}
		m := Match{Device: r.Device, Revision: r.ID, Line: i + 1, Text: string(line)}
		if def != nil {
			m.Section = def.Section(lines, i)
		}
		if !yield(m, nil) {
			return false
		}
	}
	return true
}

// Status returns the state of each device, in the order given.
func (a *App) Status(ctx context.Context, devices []muster.Device, maxAge time.Duration) ([]State, error) {
	s, err := a.reader(ctx)
	if err != nil && !errors.Is(err, errNoData) {
		return nil, err
	}
	known := map[string]store.Device{}
	if err == nil {
		all, err := s.index.Devices(ctx)
		if err != nil {
			return nil, storeError(err)
		}
		for _, d := range all {
			known[d.Name] = d
		}
	}
	states := make([]State, len(devices))
	for i, d := range devices {
		states[i] = state(d, known[d.Name], maxAge)
	}
	return states, nil
}

func state(dev muster.Device, k store.Device, maxAge time.Duration) State {
	s := State{Device: dev, Known: k, Age: -1, Stale: true}
	if !k.LastGood.IsZero() {
		s.Age = max(time.Since(k.LastGood), 0)
		s.Stale = s.Age > maxAge
	}
	if s.Device.Platform == "" {
		s.Device.Platform = k.Platform
	}
	return s
}
