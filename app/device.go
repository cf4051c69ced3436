package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster"
	"github.com/musternet/muster/backup"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/task"
)

// Test goes through a device stage by stage, the configuration included, and yields each stage as it ends. It stores
// nothing but the host key. The last step is the failure, if there is one.
func (a *App) Test(ctx context.Context, dev muster.Device, o RunOptions) iter.Seq[Step] {
	return func(yield func(Step) bool) {
		ctx, cancel := a.withTimeout(ctx, dev, o)
		defer cancel()
		steps := make(chan Step)
		_ = task.Scope(ctx, "test "+dev.Name, func(ctx context.Context, g *task.Group) error {
			g.Go("stages", func(ctx context.Context) error {
				defer close(steps)
				last := time.Now()
				say := func(s Step) {
					last = time.Now()
					select {
					case steps <- s:
					case <-ctx.Done():
					}
				}
				if err := a.test(ctx, dev, say); err != nil {
					f := backup.Failure(dev, err)
					steps <- Step{Stage: string(f.Stage), Took: time.Since(last), Failure: f}
				}
				return nil
			})
			more := true
			for s := range steps {
				if more && !yield(s) {
					more = false
					g.Cancel(errors.New("nobody looks any more"))
				}
			}
			return nil
		})
	}
}

// test has the conversation of a test and says each stage that went well.
func (a *App) test(ctx context.Context, dev muster.Device, say func(Step)) error {
	d, err := a.dialer(nil)
	if err != nil {
		return err
	}
	if s, err := a.reader(ctx); err == nil {
		dev = a.remembered(ctx, s, []muster.Device{dev})[0]
	}
	d.Trace = func(_ muster.Device, stage string, took time.Duration, detail string) {
		say(Step{Stage: stage, Took: took, Detail: detail})
	}
	if dev.Platform == "" {
		begun := time.Now()
		def, err := a.detect(ctx, d, dev)
		if err != nil {
			return err
		}
		dev.Platform = def.Name
		say(Step{Stage: "platform", Took: time.Since(begun), Detail: "detected " + def.Name})
	}
	conn, err := d.Open(ctx, dev)
	if err != nil {
		return err
	}
	defer conn.Close()
	say(Step{Stage: "login", Detail: loginDetail(conn)})
	if !conn.Def.HasConfig() {
		say(Step{Stage: "config", Detail: conn.Def.Name + " has no command for the configuration"})
		return nil
	}
	begun := time.Now()
	c, err := conn.Config(ctx)
	if err != nil {
		return err
	}
	say(Step{Stage: "config", Took: time.Since(begun), Detail: configDetail(c)})
	return nil
}

// detect finds out the platform of a device in a conversation of its own.
func (a *App) detect(ctx context.Context, d *backup.Dialer, dev muster.Device) (*platform.Def, error) {
	addr, c, o, err := d.Config(ctx, dev)
	if err != nil {
		return nil, err
	}
	return platform.Detect(ctx, addr, c, o)
}

func loginDetail(conn *platform.Conn) string {
	i := conn.Session.Info()
	parts := []string{"as " + conn.Def.Name}
	if i.Credential != "" {
		parts = append(parts, "with credential "+i.Credential)
	}
	if i.ServerVersion != "" {
		parts = append(parts, i.ServerVersion, i.Kex, i.HostKey, i.Cipher)
	}
	if i.MAC != "" {
		parts = append(parts, i.MAC)
	}
	if len(i.Weak) > 0 {
		parts = append(parts, "WEAK: "+strings.Join(i.Weak, " "))
	}
	if i.Prompt != "" {
		parts = append(parts, fmt.Sprintf("prompt %q", i.Prompt))
	}
	return strings.Join(parts, ", ")
}

func configDetail(c platform.Config) string {
	detail := fmt.Sprintf("%d lines, %d bytes, whole", strings.Count(string(c.Text), "\n"), len(c.Text))
	for _, f := range []struct{ name, value string }{{"hostname", c.Hostname}, {"model", c.Model}, {"version", c.Version}, {"serial", c.Serial}} {
		if f.value != "" {
			detail += ", " + f.name + " " + f.value
		}
	}
	return detail
}

// Trust fetches the host key of a device and, unless dryRun, puts it on record in place of the old one. It returns the
// fingerprint on record before (empty: none) and the one now. Only what the device shows at this moment is trusted: the
// caller shows both to a person.
func (a *App) Trust(ctx context.Context, dev muster.Device, dryRun bool) (old, now string, err error) {
	d, err := a.dialer(nil)
	if err != nil {
		return "", "", err
	}
	addr, c, _, err := d.Config(ctx, dev)
	if err != nil {
		return "", "", backup.Failure(dev, err)
	}
	key, err := session.FetchHostKey(ctx, addr, c)
	if err != nil {
		return "", "", backup.Failure(dev, err)
	}
	now = ssh.FingerprintSHA256(key)
	file := filepath.Join(a.dir, hostsFile)
	keys, err := session.RecordedKeys(file, addr)
	if err != nil {
		return "", now, storeError(err)
	}
	if len(keys) > 0 {
		old = ssh.FingerprintSHA256(keys[0])
	}
	if dryRun || old == now {
		return old, now, nil
	}
	return old, now, storeError(session.TrustKey(file, addr, key))
}

// AddDevice writes a device to the devices.yaml beside the settings file and returns its path. One that could not be read
// again is refused.
func (a *App) AddDevice(_ context.Context, dev muster.Device, dryRun bool) (file string, err error) {
	file = a.settings.DevicesFile
	if file == "" {
		return "", fmt.Errorf("%w: there is no place for devices.yaml: name a settings file with --config", ErrUsage)
	}
	if known, ok := a.inv.Lookup(dev.Name); ok {
		return "", fmt.Errorf("%w: %s is already in %s", ErrUsage, dev.Name, known.Origin)
	}
	if err := a.inv.Check(dev); err != nil {
		return "", usage(err)
	}
	if dryRun {
		return file, nil
	}
	if err := settings.AddDevices(file, dev); err != nil {
		return "", usage(err)
	}
	return file, nil
}

// RemoveDevice takes a device out of devices.yaml and returns its path. Its history stays.
func (a *App) RemoveDevice(_ context.Context, name string, dryRun bool) (file string, err error) {
	known, ok := a.inv.Lookup(name)
	if !ok {
		return "", fmt.Errorf("%w: no inventory knows %s", ErrNothing, name)
	}
	file = a.settings.DevicesFile
	if where, _, _ := strings.Cut(known.Origin, ":"); where != file {
		return "", fmt.Errorf("%w: %s is not in %s but in %s: take it out there", ErrUsage, name, file, known.Origin)
	}
	if dryRun {
		return file, nil
	}
	if err := settings.RemoveDevice(file, name); err != nil {
		return "", usage(err)
	}
	return file, nil
}

// Record talks to a device and returns the conversation as a recording, masked.
func (a *App) Record(ctx context.Context, dev muster.Device, o RunOptions) ([]byte, error) {
	ctx, cancel := a.withTimeout(ctx, dev, o)
	defer cancel()
	d, err := a.dialer(nil)
	if err != nil {
		return nil, err
	}
	addr, c, po, err := d.Config(ctx, dev)
	if err != nil {
		return nil, backup.Failure(dev, err)
	}
	def, ok := platform.Lookup(dev.Platform)
	if !ok {
		if def, err = platform.Detect(ctx, addr, c, po); err != nil {
			return nil, backup.Failure(dev, err)
		}
	}
	rec, err := platform.Record(ctx, addr, def, c, po)
	if err != nil {
		return nil, backup.Failure(dev, err)
	}
	return rec.Format(), nil
}
