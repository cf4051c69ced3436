package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/musternet/muster/session"
)

// Config is what a device's configuration commands gave: LF lines, volatile lines removed, complete.
type Config struct {
	Text                             []byte
	Hostname, Model, Version, Serial string // empty where unknown
}

// Config runs the commands that make the configuration and returns it whole, or a *session.Error (truncated, empty,
// command-rejected, ...).
func (c *Conn) Config(ctx context.Context) (Config, error) {
	if !c.Def.HasConfig() {
		return Config{}, c.incomplete("empty", fmt.Errorf("platform %s has no configuration command", c.Def.Name))
	}
	var raw []byte
	for _, a := range c.Def.file.Config {
		out, err := c.oneOf(ctx, a)
		if err != nil {
			return Config{}, err
		}
		if raw == nil {
			raw = out
			continue
		}
		raw = append(raw, out...)
	}
	cfg := Config{Text: c.Def.Clean(raw)}
	if len(cfg.Text) == 0 {
		return Config{}, c.incomplete("empty", errors.New("the device printed no configuration"))
	}
	c.facts(ctx, raw, &cfg)
	return cfg, nil
}

// oneOf runs a command, or what to say instead where the device rejects it, and returns its whole answer.
func (c *Conn) oneOf(ctx context.Context, a alternatives) ([]byte, error) {
	cmd := a.Command
	out, err := c.Run(ctx, cmd)
	for _, other := range a.Or {
		if !rejected(err) {
			break
		}
		cmd = other
		out, err = c.Run(ctx, cmd)
	}
	if err != nil {
		return nil, err
	}
	raw := []byte(out.Text)
	if lacks := c.Def.lacks(raw, out.ExitStatus); lacks != "" {
		if len(c.Def.Clean(raw)) == 0 {
			return nil, c.incomplete("empty", fmt.Errorf("the answer to %s holds no configuration", brief(cmd)))
		}
		return nil, c.incomplete("truncated", fmt.Errorf("the answer to %s is not whole: %s", brief(cmd), lacks))
	}
	return raw, c.inStep(ctx, cmd)
}

// inStep makes sure that nothing more of an answer comes, where its end cannot be told by its own last line: an empty
// line, sent after it, must be answered with nothing but the prompt.
func (c *Conn) inStep(ctx context.Context, cmd string) error {
	if !c.shell || !c.Def.file.Complete.Sync {
		return nil
	}
	out, err := c.Session.Run(ctx, "") // no part of a recording: a terminal answers Enter by itself
	if err != nil {
		return err
	}
	if len(c.Def.Clean([]byte(out.Text))) > 0 {
		return c.incomplete("truncated", fmt.Errorf("more of the answer to %s came after what looked like its end", brief(cmd)))
	}
	return nil
}

func rejected(err error) bool {
	var e *session.Error
	return errors.As(err, &e) && e.Code == "command-rejected"
}

func (c *Conn) incomplete(code string, err error) error {
	return &session.Error{Stage: "incomplete", Code: code, Err: err, Transcript: c.Session.Transcript()}
}

// facts learns what the device says of itself. A configuration is kept without them: a rejected command, or a server
// that takes no second request, costs nothing but a fact.
func (c *Conn) facts(ctx context.Context, raw []byte, cfg *Config) {
	for i, f := range c.Def.file.Facts {
		text := raw
		if f.Command != "" {
			out, err := c.Run(ctx, f.Command)
			if err != nil {
				continue
			}
			text = []byte(out.Text)
		}
		c.Def.lines().facts[i].read(text, cfg)
	}
}

// factRules find facts in an answer, line by line.
type factRules struct {
	finder *finder
	which  []int // of each pattern: 0 hostname, 1 model, 2 version, 3 serial
}

func newFactRules(f factsOf) factRules {
	var r factRules
	var sources []string
	for i, pattern := range []string{f.Hostname, f.Model, f.Version, f.Serial} {
		if pattern != "" {
			sources = append(sources, pattern)
			r.which = append(r.which, i)
		}
	}
	r.finder = newFinder(sources)
	return r
}

// read fills what is still unknown; of several lines that fit, the first counts. It looks no further than it must.
func (r factRules) read(text []byte, cfg *Config) {
	fields := [...]*string{&cfg.Hostname, &cfg.Model, &cfg.Version, &cfg.Serial}
	var scratch []uint16
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n\t ")
		scratch = r.finder.candidates(line, scratch[:0])
		for _, p := range scratch {
			field := fields[r.which[p]]
			if *field != "" {
				continue
			}
			if m := r.finder.patterns[p].FindSubmatch(line); len(m) > 1 {
				*field = string(bytes.TrimSpace(m[1]))
			}
		}
		if len(scratch) > 0 && !slices.ContainsFunc(r.which, func(i int) bool { return *fields[i] == "" }) {
			return
		}
	}
}
