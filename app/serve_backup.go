package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/store"
)

// A scheduled backup waits for another writer of the data directory, such as a backup by hand.
const (
	writerTries = 20
	writerPause = 30 * time.Second
)

// backUp backs the devices of one group up and publishes what came of it.
func (s *server) backUp(ctx context.Context, group string) error {
	return s.backUpSelected(ctx, batchOf{terms: []string{"@" + group}, called: "group " + group, group: group, options: RunOptions{Retries: -1, Trigger: "schedule"}})
}

// batchOf is devices that are backed up in one run.
type batchOf struct {
	terms   []string
	called  string // as people call them
	group   string // empty: they are no group
	options RunOptions
	from    map[string]string // from where the configurations of some were changed, by device
}

// backUpSelected backs devices up and publishes what came of it. Runs take turns.
func (s *server) backUpSelected(ctx context.Context, b batchOf) (err error) {
	if err := s.turn.Acquire(ctx, 1); err != nil {
		return nil // ctx has ended
	}
	defer s.turn.Release(1)
	a := s.current().apart() // a reload closes the current one
	defer func() { err = errors.Join(err, a.Close()) }()
	sel, err := a.Select(ctx, b.terms)
	if errors.Is(err, ErrNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	if sel.Shrunk != nil {
		return sel.Shrunk
	}
	var sum Summary
	for range writerTries {
		if err = s.backUpOnce(ctx, a, sel.Devices, b, &sum); !isLocked(err) {
			break
		}
		s.log.Info("the backup waits for another writer", "group", b.group, "trigger", b.options.Trigger, "err", err)
		if !pause(ctx, writerPause) {
			return nil
		}
	}
	if err != nil || ctx.Err() != nil {
		return err
	}
	s.log.Info("backup done", "group", b.group, "trigger", b.options.Trigger, "run", sum.Run, "devices", sum.Total, "new", sum.New, "changed", sum.Changed, "failed", sum.Failed)
	return s.PublishAll(ctx, []muster.Event{{
		ID: "run/" + sum.Run, Time: time.Now(), Kind: muster.EventRunDone,
		Text: fmt.Sprintf("backup of %s: %d devices, %d new, %d changed, %d failed", b.called, sum.Total, sum.New, sum.Changed, sum.Failed),
	}})
}

func isLocked(err error) bool {
	_, locked := errors.AsType[*store.LockedError](err)
	return locked
}

// pause waits; it returns false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// tellAtOnce is how many events of a backup are told together: each telling waits for the disk.
const tellAtOnce = 64

func (s *server) backUpOnce(ctx context.Context, a *App, devices []muster.Device, b batchOf, sum *Summary) error {
	failed, err := s.failing(ctx)
	if err != nil {
		return err
	}
	var events []muster.Event
	var problems []error
	// What is stored is stored, also when ctx ends: that it could not be told is said, and the next device goes on.
	tell := func() {
		if err := s.PublishAll(context.WithoutCancel(ctx), events); err != nil {
			problems = append(problems, fmt.Errorf("tell of %d backups: %w", len(events), err))
		}
		events = nil
	}
	for r, err := range a.Backup(ctx, devices, b.options, sum) {
		if err != nil {
			problems = append(problems, err)
			break
		}
		if e, ok := s.event(context.WithoutCancel(ctx), a, r, sum.Run, failed[r.Device.Name], b.from[r.Device.Name]); ok {
			events = append(events, e)
		}
		if len(events) >= tellAtOnce {
			tell()
		}
	}
	if len(events) > 0 {
		tell()
	}
	return errors.Join(problems...)
}

// failing are the devices whose last backup failed: that they are well again is worth an event.
func (s *server) failing(ctx context.Context) (map[string]bool, error) {
	known, err := s.index.Devices(ctx)
	if err != nil {
		return nil, storeError(err)
	}
	failed := map[string]bool{}
	for _, d := range known {
		if d.Failure != nil {
			failed[d.Name] = true
		}
	}
	return failed, nil
}

// event makes the event of one result; there is none of what was well before and has not changed.
func (s *server) event(ctx context.Context, a *App, r muster.Result, run string, failedBefore bool, from string) (muster.Event, bool) {
	e := muster.Event{ID: "backup/" + run + "/" + r.Device.Name, Time: time.Now(), Device: r.Device, Result: &r}
	switch r.Status {
	case muster.StatusNew:
		e.Kind, e.Text = muster.EventBackupNew, fmt.Sprintf("first backup of %s: %d bytes", r.Device.Name, r.Bytes)
	case muster.StatusChanged:
		e.Kind, e.Text = muster.EventBackupChanged, fmt.Sprintf("configuration of %s changed%s: +%d -%d", r.Device.Name, by(r, from), r.Added, r.Removed)
		e.Detail = s.maskedDiff(ctx, a, r)
	case muster.StatusUnchanged:
		if !failedBefore {
			return e, false
		}
		e.Kind, e.Text = muster.EventBackupGood, fmt.Sprintf("backup of %s works again", r.Device.Name)
	default:
		if r.Failure == nil || r.Failure.Stage == muster.StageCanceled {
			return e, false
		}
		s.log.Warn("backup failed", "device", r.Device.Name, "stage", string(r.Failure.Stage), "code", r.Failure.Code, "err", r.Failure.Err)
		e.Kind, e.Text = muster.EventBackupFailed, fmt.Sprintf("backup of %s failed: %s %s: %v", r.Device.Name, r.Failure.Stage, r.Failure.Code, r.Failure.Err)
		e.Detail = r.Failure.Try()
	}
	return e, true
}

// diffMost bounds a diff in a notification.
const diffMost = 16 << 10

// maskedDiff is what changed, with its secrets masked whatever the store keeps.
func (s *server) maskedDiff(ctx context.Context, a *App, r muster.Result) string {
	text, err := a.lastChange(ctx, r.Device.Name)
	if err != nil {
		return fmt.Sprintf("the difference cannot be read: %v", err)
	}
	if len(text) <= diffMost {
		return text
	}
	cut := text[:strings.LastIndexByte(text[:diffMost], '\n')+1]
	return cut + fmt.Sprintf("... %d bytes more: muster diff %s", len(text)-len(cut), r.Device.Name)
}

// lastChange is the masked difference between the latest revision of a device and the one before.
func (a *App) lastChange(ctx context.Context, device string) (string, error) {
	from, err := a.revision(ctx, device, "~1")
	if err != nil {
		return "", err
	}
	to, err := a.revision(ctx, device, "")
	if err != nil {
		return "", err
	}
	d, err := a.diff(ctx, from, to, hidden)
	return d.Unified, err
}

// hidden masks the secrets of a text of a platform; nil: it is not known.
func hidden(def *platform.Def, text []byte) []byte {
	if def == nil {
		return platform.MaskAny(text)
	}
	return def.Mask(text)
}
