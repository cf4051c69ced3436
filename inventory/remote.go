package inventory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"

	"github.com/musternet/muster"
)

// found is one row that another machine gave, before groups and defaults complete it.
type found struct {
	Place string // URL and id
	Row   Row
	Err   error `json:"-"` // what is wrong with it
}

// remote is a Source that asks another machine. It has the whole answer before it yields the first device, so that an
// answer that breaks off is none, and the last good one takes its place.
type remote struct {
	spec  Spec
	env   *Env
	fetch func(ctx context.Context) ([]found, error)
}

var _ Source = (*remote)(nil)

// Devices asks and yields what was answered.
func (s *remote) Devices(ctx context.Context) iter.Seq2[muster.Device, error] {
	return func(yield func(muster.Device, error) bool) {
		err := context.Cause(ctx)
		var all []made
		if err == nil {
			all, err = s.answer(ctx)
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			yield(muster.Device{}, err)
			return
		}
		for _, m := range all {
			if !yield(m.dev, m.err) {
				return
			}
			if ctx.Err() != nil {
				yield(muster.Device{}, context.Cause(ctx))
				return
			}
		}
	}
}

// answer asks, where what was answered last is not fresh enough to do.
func (s *remote) answer(ctx context.Context) ([]made, error) {
	if rows, ok := s.fresh(); ok {
		all, _ := s.complete(rows)
		return all, nil
	}
	return s.lastGood(s.ask(ctx))
}

// made is a row that was completed, or a *RowError.
type made struct {
	dev muster.Device
	err error
}

// ErrServer marks that a server which is a source could not be asked, and that there is no answer of it from before.
var ErrServer = errors.New("the server of an inventory is out of reach")

// serverError is an error of the server and not of what is known of it here.
type serverError struct{ error }

func (e *serverError) Is(target error) bool { return target == ErrServer }

func (e *serverError) Unwrap() error { return e.error }

// ask fetches within askTime.
func (s *remote) ask(ctx context.Context) ([]found, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askTime, &serverError{fmt.Errorf("%s: not all of it came within %v", s.spec.place(), askTime)})
	defer cancel()
	rows, err := s.fetch(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return rows, err
}

// complete makes devices of rows, and says how many.
func (s *remote) complete(rows []found) (all []made, devices int) {
	for _, f := range rows {
		if f.Err == nil {
			f.Row.Platform = s.spec.platform(f.Row.Platform)
			dev, err := s.env.device(f.Row, f.Place)
			if err == nil {
				all, devices = append(all, made{dev: dev}), devices+1
				continue
			}
			f.Err = err
		}
		all = append(all, made{err: &RowError{File: f.Place, Err: f.Err}})
	}
	return all, devices
}

// pages is who takes the pages of a list: each item, in order, numbered from 1, and if wanted each page as a whole.
type pages struct {
	item func(n int, item any)
	page func(data []byte)
}

// fetchPages asks for a list of JSON objects page by page. Its errors are those of the server.
func (w *web) fetchPages(ctx context.Context, u *url.URL, m Mapping, to pages) error {
	if err := w.fetch(ctx, u, m, to); err != nil {
		return &serverError{err}
	}
	return nil
}

func (w *web) fetch(ctx context.Context, u *url.URL, m Mapping, to pages) error {
	n, seen := 0, map[string]bool{}
	for {
		if seen[u.String()] || len(seen) >= maxPages {
			return fmt.Errorf("%s: its pages have no end", shown(u))
		}
		seen[u.String()] = true
		data, err := w.get(ctx, u)
		if err != nil {
			return err
		}
		if to.page != nil {
			to.page(data)
		}
		err = jsonList(data, m.List, func(_ int, item any) bool {
			n++
			to.item(n, item)
			return n < maxRows
		})
		if err == nil && n >= maxRows {
			err = errors.New("it gives more rows than anybody has devices")
		}
		next := ""
		if err == nil && m.Next != "" {
			next, err = jsonField(data, m.Next)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", shown(u), err)
		}
		if next == "" {
			return nil
		}
		if u, err = w.next(u, next); err != nil {
			return fmt.Errorf("%s: %w", shown(w.base), err)
		}
	}
}

// maxRows bounds what one source may give.
const maxRows = 1_000_000
