package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/lmittmann/tint"

	"github.com/musternet/muster"
	"github.com/musternet/muster/app"
)

// program is one run of the command line: its streams, what they are, and the flags that every command has.
type program struct {
	stdin          io.Reader
	stdout         io.Writer
	stderr         *screen
	stdoutTerminal bool
	colour         bool
	closers        []io.Closer

	settings  string
	dataDir   string
	inventory []string
	format    format
	noColour  bool
	quiet     bool
	verbose   bool
	user      string
	legacy    bool
	askPass   bool
	maxAge    span
	shrunk    bool

	getenv func(string) string

	dump    atomic.Pointer[func()] // what SIGUSR1 prints
	level   slog.Level             // of what is logged
	forever bool                   // the command ends by a signal: that is no interruption
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer, env []string) *program {
	_, outTerminal := terminalOf(stdout)
	_, errTerminal := terminalOf(stderr)
	dumb := lookup(env, "TERM") == "dumb"
	p := &program{
		stdin:          stdin,
		stdout:         stdout,
		stderr:         &screen{w: stderr, terminal: errTerminal && !dumb},
		stdoutTerminal: outTerminal,
		colour:         outTerminal && !dumb && lookup(env, "NO_COLOR") == "",
		format:         formatTable,
		level:          slog.LevelWarn,
		maxAge:         span(app.DefaultMaxAge),
		getenv:         func(name string) string { return lookup(env, name) },
	}
	p.onDump(p.dumpTasks)
	return p
}

// onDump says what SIGUSR1 prints from now on.
func (p *program) onDump(dump func()) { p.dump.Store(&dump) }

// lookup finds a variable in an environment of the form of os.Environ; the last one counts.
func lookup(env []string, name string) (value string) {
	for _, e := range env {
		if k, v, ok := strings.Cut(e, "="); ok && k == name {
			value = v
		}
	}
	return value
}

func (p *program) close() {
	for _, c := range p.closers {
		_ = c.Close()
	}
}

// print writes data to standard output.
func (p *program) print(text string) error {
	return p.printed(func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

func (p *program) printed(f func(io.Writer) error) error {
	if err := f(p.stdout); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// hint says something to the person at the terminal, unless -q is given.
func (p *program) hint(format string, args ...any) {
	if !p.quiet {
		p.stderr.say(fmt.Sprintf(format, args...))
	}
}

func (p *program) warn(warnings []string) {
	for _, w := range warnings {
		p.stderr.say("muster: warning: " + w)
	}
}

// log is what happens inside, on standard error: warnings, with -v everything.
func (p *program) log() *slog.Logger {
	level := p.level
	if p.verbose {
		level = slog.LevelDebug
	}
	if p.stderr.terminal {
		return slog.New(tint.NewHandler(p.stderr, &tint.Options{Level: level, NoColor: p.noColour || !p.colour}))
	}
	return slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level}))
}

// options are the flags as package app takes them.
func (p *program) options() app.Options {
	o := app.Options{
		Settings:  p.settings,
		DataDir:   p.dataDir,
		Inventory: p.inventory,
		User:      p.user,
		Legacy:    p.legacy,
		AskPass:   p.askPass,
		MaxAge:    p.maxAge.duration(),
		Shrunk:    p.shrunk,
		Stdin:     p.stdin,
		Getenv:    p.getenv,
		Log:       p.log(),
	}
	o.Prompt = p.prompter()
	return o
}

// with opens settings, inventory and data directory for body.
func (p *program) with(ctx context.Context, body func(*app.App) error) error {
	return p.withOptions(ctx, p.options(), body)
}

func (p *program) withOptions(ctx context.Context, o app.Options, body func(*app.App) error) (err error) {
	if p.askPass && o.Prompt == nil {
		return usage("--ask-pass needs a terminal to ask at: set MUSTER_PASSWORD, or give the devices a credential")
	}
	a, err := app.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return body(a)
}

// withSelection opens everything and selects devices for body.
func (p *program) withSelection(ctx context.Context, terms []string, body func(*app.App, app.Selection) error) error {
	return p.with(ctx, func(a *app.App) error {
		s, err := a.Select(ctx, terms)
		p.warn(s.Warnings)
		if err != nil {
			return err
		}
		return body(a, s)
	})
}

// withDevices is withSelection for commands that need no more than the devices.
func (p *program) withDevices(ctx context.Context, terms []string, body func(*app.App, []muster.Device) error) error {
	return p.withSelection(ctx, terms, func(a *app.App, s app.Selection) error {
		if s.Shrunk != nil {
			p.warn([]string{s.Shrunk.Error()})
		}
		return body(a, s.Devices)
	})
}

// withDevice opens everything and selects the one device that name stands for.
func (p *program) withDevice(ctx context.Context, name string, body func(*app.App, muster.Device) error) error {
	return p.with(ctx, func(a *app.App) error {
		dev, warnings, err := a.SelectOne(ctx, name)
		p.warn(warnings)
		if err != nil {
			return err
		}
		return body(a, dev)
	})
}
