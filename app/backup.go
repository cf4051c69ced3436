package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/backup"
	"github.com/musternet/muster/job"
	"github.com/musternet/muster/store"
)

// newRun makes the id of a run: its time, so that ids sort, and enough chance to tell two runs of one second apart.
func newRun(now time.Time) string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:])
}

// Backup backs devices up and yields the results as they are complete; one for each device. The error is not nil only
// once, at the end, where the run as a whole could not be kept: ErrStore. sum is right after the loop.
func (a *App) Backup(ctx context.Context, devices []muster.Device, o RunOptions, sum *Summary) iter.Seq2[muster.Result, error] {
	return func(yield func(muster.Result, error) bool) {
		started := time.Now()
		j := muster.Job{Run: newRun(started), Kind: "backup", Trigger: o.trigger(), Started: started}
		*sum = Summary{Run: j.Run, Total: len(devices)}
		s, err := a.writer(ctx, "muster backup")
		if err != nil {
			yield(muster.Result{}, err)
			return
		}
		defer s.unlock()
		if err := a.countSources(); err != nil {
			yield(muster.Result{}, storeError(err))
			return
		}
		err = a.backup(ctx, s, j, devices, o, func(r muster.Result) bool {
			sum.count(r)
			return yield(r, nil)
		})
		sum.Duration = time.Since(started)
		if err != nil {
			yield(muster.Result{}, storeError(err))
		}
	}
}

func (o RunOptions) trigger() string {
	if o.Trigger == "" {
		return "manual"
	}
	return o.Trigger
}

func (s *Summary) count(r muster.Result) {
	switch r.Status {
	case muster.StatusNew:
		s.New++
	case muster.StatusChanged:
		s.Changed++
	case muster.StatusUnchanged:
		s.Unchanged++
	default:
		s.Failed++
	}
}

func (a *App) backup(ctx context.Context, s *storage, j muster.Job, devices []muster.Device, o RunOptions, yield func(muster.Result) bool) error {
	found := a.remembered(ctx, s, devices)
	batch, err := s.store.Begin(ctx, j, len(devices))
	if err != nil {
		return err
	}
	limiter := job.NewLimiter(a.limit(o))
	dialer, err := a.dialer(limiter)
	if err != nil {
		return errors.Join(err, batch.End(ctx))
	}
	key, err := hashKey(a.dir, devices)
	if err != nil {
		return errors.Join(err, batch.End(ctx))
	}
	b := &backup.Backup{Dialer: dialer, Keeper: batch, HashKey: key, Authors: o.Authors}
	opts := a.jobOptions(limiter, devices, o)
	opts.Quiet = batch.Flush
	for r := range job.Run(ctx, found, opts, job.Work[backup.Fetched]{Talk: b.Talk, Keep: b.Keep}) {
		if devices[r.Index].Platform == "" && misfit(r.Failure) {
			if err := s.index.SetPlatform(ctx, r.Device.Name, ""); err != nil {
				a.opts.Log.Warn("forget a detected platform", "device", r.Device.Name, "err", err)
			}
		}
		if !yield(r) {
			break
		}
	}
	return batch.End(ctx)
}

// jobOptions joins the flags with what the groups say.
func (a *App) jobOptions(limiter *job.Limiter, devices []muster.Device, o RunOptions) job.Options {
	opts := job.Options{
		Limiter: limiter, Started: o.Started,
		Timeout: func(d muster.Device) time.Duration { return a.timeout(d, o) },
		Retries: func(d muster.Device) int {
			if o.Retries >= 0 {
				return o.Retries
			}
			if r := a.inv.Group(d.GroupName()).Retries; r != nil {
				return *r
			}
			return defaultRetries
		},
	}
	groups := a.groupLimits(devices)
	if len(groups) > 0 {
		opts.Group = func(d muster.Device) *job.Limiter { return groups[d.GroupName()] }
	}
	return opts
}

// defaultRetries is how often a device that failed for a passing reason is tried again.
const defaultRetries = 1

// remembered gives the devices whose platform was detected before that platform.
func (a *App) remembered(ctx context.Context, s *storage, devices []muster.Device) []muster.Device {
	out := make([]muster.Device, len(devices))
	for i, d := range devices {
		if d.Platform == "" {
			if known, err := s.index.Device(ctx, d.Name); err == nil {
				d.Platform = known.Platform
			}
		}
		out[i] = d
	}
	return out
}

// misfit tells whether a failure may be that of a device that is not any more what it was detected as. Then it is
// detected anew the next time.
func misfit(f *muster.Failure) bool {
	return f != nil && slices.Contains([]string{"no-prompt", "command-rejected", "empty", "truncated", "enable-rejected"}, f.Code)
}

// hashKey returns the key of the data directory for secrets stored as hashes, making it at its first use.
func hashKey(dir string, devices []muster.Device) ([]byte, error) {
	wanted := false
	for _, d := range devices {
		wanted = wanted || d.Secrets == muster.SecretsHash
	}
	if !wanted {
		return nil, nil
	}
	path := filepath.Join(dir, "hash.key")
	key, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		key, err = newHashKey(path)
	case err == nil && len(key) != hashKeyBytes: // an empty key would hash all the same, and anybody could guess along
		err = fmt.Errorf("%s holds %d bytes instead of %d; without it the hashes stored so far cannot be compared with new ones", path, len(key), hashKeyBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("key for secrets stored as hashes: %w", err)
	}
	return key, nil
}

const hashKeyBytes = 32

// newHashKey writes a new key beside its place and renames it there: a key of which only a part is written is never met.
func newHashKey(path string) ([]byte, error) {
	key := make([]byte, hashKeyBytes)
	_, _ = rand.Read(key)                                      // crypto/rand.Read never fails
	f, err := os.CreateTemp(filepath.Dir(path), ".hash.key-*") // created with mode 0600
	if err != nil {
		return nil, err
	}
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return nil, err
	}
	return key, nil
}

// storeError marks an error of the data directory, so that a face tells it from others; nil stays nil.
func storeError(err error) error {
	if err == nil || errors.Is(err, ErrStore) || errors.Is(err, ErrNothing) || errors.Is(err, ErrUsage) || errors.Is(err, context.Canceled) {
		return err
	}
	if locked, ok := errors.AsType[*store.LockedError](err); ok {
		return fmt.Errorf("%w: %w; try again when it is done", ErrStore, locked)
	}
	return fmt.Errorf("%w: %w", ErrStore, err)
}
