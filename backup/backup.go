// Package backup fetches one device's configuration and keeps it: dial, ask, clean, keep, tell. It is the line itself;
// everything else is in the packages that it joins.
package backup

import (
	"bytes"
	"context"

	"github.com/musternet/muster"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/store"
)

// Keeper is where configurations go: a *store.Batch.
type Keeper interface {
	// Keep stores a configuration and returns how that ended; it returns when the text and its row are durable.
	Keep(ctx context.Context, k store.Kept) muster.Result
	// Fail records a device that failed.
	Fail(ctx context.Context, o store.Outcome) muster.Result
}

// Backup backs devices up. It is safe for concurrent use.
type Backup struct {
	*Dialer
	Keeper  Keeper
	HashKey []byte            // for devices whose secrets are stored as hashes
	Authors map[string]string // who changed the configuration of a device, by the name of the device; not written to
}

// Fetched is what one conversation gave.
type Fetched struct {
	Config  muster.Config
	Session store.SessionFacts
}

// Do backs one device up. The failure is in the result.
func (b *Backup) Do(ctx context.Context, dev muster.Device) muster.Result {
	f, err := b.Talk(ctx, dev)
	r := muster.Result{Device: dev, Attempts: 1}
	if err != nil {
		r.Status, r.Failure = muster.StatusFailed, Failure(dev, err)
	}
	return b.Keep(ctx, r, f)
}

// Talk fetches the configuration whole, or fails with a *muster.Failure.
func (b *Backup) Talk(ctx context.Context, dev muster.Device) (Fetched, error) {
	conn, err := b.Open(ctx, dev)
	if err != nil {
		return Fetched{}, err
	}
	defer conn.Close()
	f := Fetched{Session: sessionFacts(conn)}
	c, err := conn.Config(ctx)
	if err != nil {
		return f, Failure(dev, err)
	}
	f.Config = muster.Config{
		Device: dev.Name, Platform: conn.Def.Name, Text: b.secrets(conn.Def, dev, c.Text),
		Facts: muster.Facts{Hostname: c.Hostname, Model: c.Model, Version: c.Version, Serial: c.Serial},
	}
	return f, nil
}

// Keep stores what came of a conversation: the configuration, or the failure that r holds. A new revision is by its author,
// where one is known.
func (b *Backup) Keep(ctx context.Context, r muster.Result, f Fetched) muster.Result {
	if name := b.Authors[r.Device.Name]; name != "" {
		r.Author = store.PersonName(name) // a device's word: what is told of it is what git has
	}
	if r.Failure != nil {
		return b.Keeper.Fail(ctx, store.Outcome{Result: r, Facts: f.Config.Facts, Session: f.Session})
	}
	r = b.Keeper.Keep(ctx, store.Kept{Result: r, Config: f.Config, Session: f.Session, Author: r.Author})
	if r.Line > 0 {
		r.Taste = taste(f.Config, r.Line)
	}
	return r
}

// taste is one line of a configuration as anybody may see it. The whole text is masked, because what is a secret in a line
// may depend on the section that it stands in.
func taste(c muster.Config, line int) string {
	text := platform.MaskAny
	if def, ok := platform.Lookup(c.Platform); ok {
		text = def.Mask
	}
	for l := range bytes.Lines(text(c.Text)) {
		if line--; line == 0 {
			return string(bytes.TrimSpace(l))
		}
	}
	return ""
}

// secrets treats the secrets of a configuration as its device wants.
func (b *Backup) secrets(def *platform.Def, dev muster.Device, text []byte) []byte {
	switch dev.Secrets {
	case muster.SecretsMask:
		return def.Mask(text)
	case muster.SecretsHash:
		return def.Hash(text, b.HashKey)
	default:
		return text
	}
}

func sessionFacts(conn *platform.Conn) store.SessionFacts {
	i := conn.Session.Info()
	return store.SessionFacts{
		ServerVersion: i.ServerVersion, Kex: i.Kex, HostKey: i.HostKey, Cipher: i.Cipher, MAC: i.MAC,
		Fingerprint: i.Fingerprint, Weak: i.Weak, Credential: i.Credential,
	}
}
