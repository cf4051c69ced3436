package app

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/backup"
	"github.com/musternet/muster/job"
	"github.com/musternet/muster/secret"
	"github.com/musternet/muster/session"
)

// dialer makes the Dialer of one run: a fresh lock-out guard, the host keys on record, the limits of the settings.
func (a *App) dialer(limiter *job.Limiter) (*backup.Dialer, error) {
	keys, err := a.hostKeys()
	if err != nil {
		return nil, err
	}
	d := &backup.Dialer{
		Keyring: a.keyring, Jump: a.jumpHost, HostKeys: keys, Guard: guard{&secret.Guard{}},
		Limits: session.Limits{
			CommandBytes: int64(a.settings.Limits.CommandBytes),
			SessionBytes: int64(a.settings.Limits.SessionBytes),
		},
	}
	if limiter != nil {
		d.Login = limiter.Login
	}
	if a.opts.Log.Enabled(context.Background(), slog.LevelDebug) {
		d.Trace = func(dev muster.Device, stage string, took time.Duration, detail string) {
			a.opts.Log.Debug("stage done", "device", dev.Name, "stage", stage, "took", took, "detail", detail)
		}
	}
	if a.opts.AskPass {
		d.Defaults = []string{askedCredential}
	}
	return d, nil
}

// hostKeys opens the host keys on record. New ones are accepted unless the settings say strict.
func (a *App) hostKeys() (session.HostKeys, error) {
	keys, err := session.OpenKnownHosts(a.settings.Defaults.HostKeys != "strict", filepath.Join(a.dir, hostsFile))
	if err != nil {
		return nil, storeError(fmt.Errorf("host keys on record: %w", err))
	}
	return keys, nil
}

// jumpHost finds a jump host in the inventory, or makes it of its name as ssh would.
func (a *App) jumpHost(ctx context.Context, name string) (muster.Device, error) {
	if dev, ok := a.inv.Lookup(name); ok {
		return dev, nil
	}
	return a.inv.Argument(ctx, name)
}

// limit is how many conversations run at once: the flag, the settings' default, or 0 for the adaptive limit.
func (a *App) limit(o RunOptions) int {
	if o.Limit > 0 {
		return o.Limit
	}
	return a.settings.Defaults.Limit
}

// groupLimits are the limits that the groups of some devices have beside the fleet's.
func (a *App) groupLimits(devices []muster.Device) map[string]*job.Limiter {
	limits := map[string]*job.Limiter{}
	for _, d := range devices {
		name := d.GroupName()
		if n := a.inv.GroupLimit(name); n > 0 && limits[name] == nil {
			limits[name] = job.NewLimiter(n)
		}
	}
	return limits
}

// timeout is what one device may take in all.
func (a *App) timeout(dev muster.Device, o RunOptions) time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	if t := time.Duration(a.inv.Group(dev.GroupName()).Timeout); t > 0 {
		return t
	}
	return job.DefaultTimeout
}

// withTimeout bounds a conversation with one device by that time.
func (a *App) withTimeout(ctx context.Context, dev muster.Device, o RunOptions) (context.Context, context.CancelFunc) {
	limit := a.timeout(dev, o)
	return context.WithTimeoutCause(ctx, limit, &job.TimeUp{After: limit})
}

// guard lets the lock-out guard of package secret stand guard in a session, which knows no package of ours.
type guard struct{ *secret.Guard }

// Acquire waits until the credential may be tried on the device.
func (g guard) Acquire(ctx context.Context, credential, device string) (func(session.AuthOutcome), error) {
	done, err := g.Guard.Acquire(ctx, credential, device)
	if err != nil {
		return nil, err
	}
	return func(o session.AuthOutcome) { done(secret.Outcome(o)) }, nil
}
