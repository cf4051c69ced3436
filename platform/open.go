package platform

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/musternet/muster/session"
)

// Options are what a conversation needs beside the session's own Config.
type Options struct {
	Enable func(context.Context) (string, error) // the enable secret; nil: none. Not asked for where the login is privileged already
}

// Conn is a session with a device whose platform is known: privileged, paging off, errors of the device recognised.
type Conn struct {
	Def     *Def
	Session *session.Session

	shell bool                                         // one interactive shell, and not an exec request a command
	heard func(*Conn, session.Command, session.Output) // hears each answer; nil: nobody
	first string                                       // the prompt after login
}

// talkRules are what a conversation needs, compiled.
type talkRules struct {
	shell session.Shell
	modes []compiledMode
}

type compiledMode struct {
	modeChange
	when, ask, prompt *regexp.Regexp
}

func newTalkRules(f *definition) *talkRules {
	t := &talkRules{shell: session.Shell{
		Prompt: compile(f.Prompt), Newline: f.Terminal.Newline, Term: f.Terminal.Term,
		Width: f.Terminal.Width, Height: f.Terminal.Height,
	}}
	for _, p := range f.Pagers {
		t.shell.Pagers = append(t.shell.Pagers, session.Pager{Match: regexp.MustCompile(p.Match), Answer: p.Send})
	}
	for _, l := range f.Login {
		t.shell.Login = append(t.shell.Login, l.reply())
	}
	for _, m := range f.Modes {
		t.modes = append(t.modes, compiledMode{m, compile(m.When), compile(m.Ask), compile(m.Prompt)})
	}
	return t
}

func (l loginReply) reply() session.Reply {
	r := session.Reply{Match: regexp.MustCompile(l.Match), Raw: l.Raw}
	if l.Fail != "" {
		r.Fail = &session.Error{Stage: "prompt", Code: l.Fail, Err: errors.New("the device asks for something else than commands")}
		return r
	}
	r.Answer = func(context.Context) (string, error) { return l.Send, nil }
	return r
}

// Open dials addr as the platform wants it (exec or shell, prompts, pagers), gets to the privileged mode and switches
// paging off. The error is a *session.Error.
func (d *Def) Open(ctx context.Context, addr string, c session.Config, o Options) (*Conn, error) {
	return d.open(ctx, addr, c, o, nil)
}

func (d *Def) open(ctx context.Context, addr string, c session.Config, o Options, heard func(*Conn, session.Command, session.Output)) (*Conn, error) {
	conn := &Conn{Def: d, shell: d.file.Mode == "shell" || c.Transport == "telnet", heard: heard}
	if c.Mask == nil {
		c.Mask = d.Mask
	}
	c.Shell = nil
	if conn.shell {
		shell := d.talk().shell
		c.Shell = &shell
		c.Credentials = withSuffix(c.Credentials, d.file.LoginSuffix)
	}
	var err error
	if conn.Session, err = session.Dial(ctx, addr, c); err != nil {
		return nil, err
	}
	conn.first = conn.Session.Info().Prompt
	if err := conn.prepare(ctx, o); err != nil {
		conn.Session.Close()
		return nil, err
	}
	return conn, nil
}

// withSuffix appends to each user name what asks the device for a plain terminal.
func withSuffix(credentials []session.Credential, suffix string) []session.Credential {
	if suffix == "" {
		return credentials
	}
	credentials = slices.Clone(credentials)
	for i := range credentials {
		if credentials[i].User != "" {
			credentials[i].User += suffix
		}
	}
	return credentials
}

// prepare brings a fresh shell to where commands can be run. There is nothing to prepare for exec requests.
func (c *Conn) prepare(ctx context.Context, o Options) error {
	if !c.shell {
		return nil
	}
	for _, m := range c.Def.talk().modes {
		if m.when.MatchString(c.Session.Info().Prompt) {
			if err := c.change(ctx, m, o); err != nil {
				return err
			}
		}
	}
	for _, cmd := range c.Def.file.Prepare {
		// What a model does not know it rejects, and goes on with its own default.
		if _, err := c.do(ctx, session.Command{Text: cmd}); err != nil {
			return err
		}
	}
	return nil
}

// do runs a command; every command of a Conn goes through here.
func (c *Conn) do(ctx context.Context, cmd session.Command) (session.Output, error) {
	out, err := c.Session.Do(ctx, cmd)
	if err == nil && c.heard != nil {
		c.heard(c, cmd, out)
	}
	return out, err
}

// change gets from one mode to another. The prompt it started from, seen again, means that the device refused.
func (c *Conn) change(ctx context.Context, m compiledMode, o Options) error {
	cmd := session.Command{Text: m.Send, Prompt: m.prompt}
	if m.ask != nil {
		cmd.Replies = enableReplies(m.ask, o)
	}
	refused := enableRejected(fmt.Errorf("the prompt after %q is still the one before it", m.Send))
	cmd.Replies = append(cmd.Replies, session.Reply{Match: m.when, Fail: refused})
	_, err := c.do(ctx, cmd)
	return err
}

// enableReplies answer the question for the enable secret once: asked again, the secret was wrong, and a second try
// would be one more towards a lock-out.
func enableReplies(ask *regexp.Regexp, o Options) []session.Reply {
	if o.Enable == nil {
		return []session.Reply{{Match: ask, Fail: enableRejected(errors.New("the device asks for an enable secret and the credential has none"))}}
	}
	return []session.Reply{
		{Match: ask, Hidden: true, Answer: o.Enable},
		{Match: ask, Fail: enableRejected(errors.New("the device asks for the enable secret again"))},
	}
}

func enableRejected(err error) *session.Error {
	return &session.Error{Stage: "prompt", Code: "enable-rejected", Err: err}
}

// Run runs one command. An answer that matches an error pattern of the platform is a *session.Error command-rejected,
// returned together with the Output; so is an exit status other than 0.
func (c *Conn) Run(ctx context.Context, cmd string) (session.Output, error) {
	out, err := c.do(ctx, session.Command{Text: cmd})
	if err != nil {
		return out, err
	}
	if complaint := c.Def.complaint(out); complaint != "" {
		return out, &session.Error{
			Stage: "command", Code: "command-rejected", Transcript: c.Session.Transcript(),
			Err: fmt.Errorf("%s: the device says: %s", brief(cmd), complaint),
		}
	}
	return out, nil
}

// brief quotes a command, which may be a whole shell script, for a sentence.
func brief(cmd string) string {
	const most = 60
	if runes := []rune(cmd); len(runes) > most {
		cmd = string(runes[:most]) + "..."
	}
	return strconv.Quote(cmd)
}

// Close ends the session politely.
func (c *Conn) Close() error { return c.Session.Close() }
