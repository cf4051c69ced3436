// Package app joins the steps of the line and gives what a face of the product (the command line, later the API) needs:
// one method for each thing a person can ask for. It prints nothing.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/secret"
)

// Errors a face branches on, for its exit code. All carry one clear sentence.
var (
	ErrUsage   = errors.New("usage")            // 2: settings, inventory, arguments
	ErrNothing = errors.New("nothing selected") // 3: no device matched, nothing stored
	ErrStore   = errors.New("store")            // 4: data directory, git, database, or a server that was asked out of reach
)

// Options say where things are and what the caller's flags override.
type Options struct {
	Settings  string        // --config; empty: looked for in the usual places
	DataDir   string        // --data-dir; empty: the settings', MUSTER_DATA_DIR, or the default
	Inventory []string      // -i FILE, instead of the settings' inventory
	User      string        // --user, for devices named on the command line
	Legacy    bool          // --legacy-crypto, likewise
	AskPass   bool          // --ask-pass: one password for devices that have no credential
	MaxAge    time.Duration // what @stale goes by; 0: DefaultMaxAge
	Shrunk    bool          // --accept-shrunk: a source may give less than half of what it gave before
	Stdin     io.Reader
	Getenv    func(string) string                                           // nil: os.Getenv
	Prompt    func(ctx context.Context, text string) (secret.Secret, error) // without echo; nil: there is nobody to ask
	Log       *slog.Logger                                                  // nil: nothing is logged
}

// App is one opened settings file, inventory and data directory. It is safe for concurrent use.
type App struct {
	opts     Options
	settings *settings.Settings
	keyring  *secret.Keyring
	inv      *inventory.Inventory
	dir      string
	readers  readers
}

// Open reads settings and inventory. Nothing is created and no device is spoken to.
func Open(ctx context.Context, o Options) (*App, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	set, err := settings.Load(o.forSettings())
	if err != nil {
		return nil, usage(err)
	}
	a := &App{opts: o, settings: set, dir: set.DataDir}
	if o.DataDir != "" {
		a.dir = o.DataDir
	}
	if a.dir == "" {
		return nil, fmt.Errorf("%w: there is no home directory to keep data in: name one with --data-dir", ErrUsage)
	}
	if a.dir, err = filepath.Abs(a.dir); err != nil {
		return nil, usage(err)
	}
	if a.keyring, err = set.Keyring(o.Prompt); err != nil {
		return nil, usage(err)
	}
	if err := a.load(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

func (o Options) forSettings() settings.Options {
	return settings.Options{
		File: o.Settings, Getenv: o.Getenv, Platform: canonical, Platforms: platform.Names,
		Cron: checkPlan, Probes: probeNames, Probe: checkProbe, Rules: ruleNames, Rule: checkRule,
		Severity: checkSeverity, Facility: checkFacility, Noises: noiseNames, Noise: checkNoise, Log: o.Log,
	}
}

func canonical(name string) (string, bool) {
	def, ok := platform.Lookup(name)
	if !ok {
		return "", false
	}
	return def.Name, true
}

// load reads the inventory: the files of -i, or those of the settings.
func (a *App) load(ctx context.Context) error {
	specs := a.settings.Specs()
	if len(a.opts.Inventory) > 0 {
		specs = nil
		for _, arg := range a.opts.Inventory {
			spec, err := inventory.ParseSpec(arg)
			if err != nil {
				return usage(err)
			}
			specs = append(specs, a.settings.WithISE(spec))
		}
	}
	env := a.settings.Env(a.keyring, a.opts.Prompt)
	env.Argument = inventory.Settings{Username: a.opts.User}
	if a.opts.Legacy {
		env.Argument.LegacyCrypto = &a.opts.Legacy
	}
	env.Stdin, env.Getenv = a.opts.Stdin, a.opts.Getenv
	env.Keep, env.AcceptShrunk = settings.KeepDir(a.dir), a.opts.Shrunk
	inv, err := inventory.Load(ctx, env, specs...)
	if errors.Is(err, inventory.ErrServer) {
		return &markedError{err, ErrStore}
	}
	if err != nil {
		return usage(err)
	}
	a.inv = inv
	return a.askPass(ctx)
}

// askPass asks for the one password of --ask-pass and makes it the credential of devices that have none.
func (a *App) askPass(ctx context.Context) error {
	if !a.opts.AskPass {
		return nil
	}
	if a.opts.Prompt == nil {
		return fmt.Errorf("%w: --ask-pass needs a terminal to ask on; without one use MUSTER_PASSWORD or a credential of the settings", ErrUsage)
	}
	pass, err := a.opts.Prompt(ctx, "password: ")
	if err != nil {
		return usage(fmt.Errorf("ask for the password: %w", err))
	}
	a.keyring.Add(secret.Credential{Name: askedCredential, Password: secret.Literal(pass)})
	return nil
}

// askedCredential is the credential that --ask-pass makes.
const askedCredential = "asked"

// usage marks an error of settings, inventory or arguments.
func usage(err error) error { return fmt.Errorf("%w: %w", ErrUsage, err) }

// apart is the same App with readers of its own, for work that outlives it: the caller closes it.
func (a *App) apart() *App {
	return &App{opts: a.opts, settings: a.settings, keyring: a.keyring, inv: a.inv, dir: a.dir}
}

// Close frees everything. A second time it does nothing.
func (a *App) Close() error {
	a.readers.mu.Lock()
	defer a.readers.mu.Unlock()
	if a.readers.storage == nil {
		return nil
	}
	err := a.readers.storage.close()
	a.readers.storage = nil
	return err
}
