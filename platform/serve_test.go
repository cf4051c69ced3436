package platform_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const enableSecret = "W4lrusEnterSecret"

// player serves a recording.
type player struct {
	*platform.Recording
	paged   bool                                           // even the command that switches paging off does not
	unknown string                                         // what an unknown command prints; empty: as IOS does, or a Unix shell
	output  func(s platform.Step) (text string, and after) // changes what a step prints; nil: nothing is changed
}

// after is what follows the output of a step.
type after int

const (
	prompt  after = iota // the prompt, as it should
	hangup               // the end of the connection
	halfway              // what looks like the prompt, and then the rest of the output
)

// serve starts a device that plays a recording, and returns its address and what logs in to it.
func (p player) serve(t *testing.T) (string, session.Config) {
	t.Helper()
	d := sessiontest.Device{Password: "W4lrusLogin", Banner: p.Banner, Motd: strings.ReplaceAll(p.Motd, "\n", "\r\n"), Prompt: p.Prompt}
	if p.Exec {
		d.Exec = p.exec
		d.Shell = func(term *sessiontest.Terminal) { _ = term.Print("This account is not available.\r\n") }
	} else {
		d.Exec = func(string, ssh.Channel) int { return 255 }
		d.Shell = func(term *sessiontest.Terminal) { _ = p.shell(term) }
	}
	if p.Pager != nil {
		d.Pager = &sessiontest.Pager{Prompt: p.Pager.Prompt, Erase: p.Pager.Erase, Lines: p.Pager.Lines}
	}
	s := sessiontest.Start(t, d)
	c := s.Config(t)
	c.Limits = session.Limits{Command: 20 * time.Second, Total: time.Minute}
	return s.Addr, c
}

// find returns the step of a command; of several the last one stays.
func (p player) find(cmd string, done map[string]int) (platform.Step, bool) {
	var found []platform.Step
	for _, s := range p.Steps {
		if s.Send == cmd {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return platform.Step{}, false
	}
	done[cmd]++
	return found[min(done[cmd], len(found))-1], true
}

func (p player) exec(cmd string, ch ssh.Channel) int {
	s, ok := p.find(cmd, map[string]int{})
	if !ok {
		_, _ = io.WriteString(ch.Stderr(), cmp.Or(p.unknown, "sh: 1: "+strings.Fields(cmd)[0]+": not found\n"))
		return 127
	}
	text, then := s.Output, prompt
	if p.output != nil {
		text, then = p.output(s)
	}
	_, _ = io.WriteString(ch, text)
	_, _ = io.WriteString(ch.Stderr(), s.Stderr)
	if then == hangup {
		_ = ch.Close() // without an exit status
		return 0
	}
	return s.Exit
}

func (p player) shell(term *sessiontest.Terminal) error {
	now, done := p.Prompt, map[string]int{}
	pager := term.Device.Pager
	device := *term.Device
	device.Pager = pager
	term.Device = &device
	print := func(s string) error { return term.Print(strings.ReplaceAll(s, "\n", "\r\n")) }
	if err := print(p.Motd + now); err != nil {
		return err
	}
	for {
		cmd, err := term.Line(true)
		if err != nil {
			return err
		}
		if p.Pager != nil && cmd == p.Pager.Off && !p.paged {
			device.Pager = nil
		}
		s, ok := p.find(cmd, done)
		switch {
		case cmd == "":
		case !ok:
			err = print(cmp.Or(p.unknown, "% Invalid input detected at '^' marker.\n"))
		default:
			if err = p.step(term, s, &now); s.Closes {
				return nil
			}
		}
		if err != nil {
			return err
		}
		if err := print(now); err != nil {
			return err
		}
	}
}

var errHangup = errors.New("the device hangs up")

// step does what a step of the recording says.
func (p player) step(term *sessiontest.Terminal, s platform.Step, now *string) error {
	if s.Ask != "" {
		if err := term.Print(s.Ask); err != nil {
			return err
		}
		answer, err := term.Line(false)
		if err != nil {
			return err
		}
		if answer != enableSecret {
			return term.Print("\r\n% Access denied\r\n")
		}
		_ = term.Print("\r\n")
	}
	text, then := s.Output, prompt
	if p.output != nil {
		text, then = p.output(s)
	}
	if err := term.Page(text); err != nil {
		return err
	}
	switch then {
	case hangup:
		_ = term.Channel.Close()
		return errHangup
	case halfway:
		_ = term.Print(*now)
		time.Sleep(300 * time.Millisecond) // longer than any quiet after which a prompt counts
		_ = term.Print("\r\n" + strings.ReplaceAll(strings.TrimPrefix(s.Output, text), "\n", "\r\n"))
	}
	if s.Prompt != "" {
		*now = s.Prompt
	}
	return nil
}

// options hold the enable secret.
func options() platform.Options {
	return platform.Options{Enable: func(context.Context) (string, error) { return enableSecret, nil }}
}

// fails demands that err is a *session.Error of that stage and code, and that it gives no secret away.
func fails(t *testing.T, err error, stage, code string) *session.Error {
	t.Helper()
	e, ok := errors.AsType[*session.Error](err)
	if !ok || e.Stage != stage || e.Code != code {
		t.Fatalf("got %v, want %s %s", err, stage, code)
	}
	for _, text := range []string{e.Error(), string(e.Transcript)} {
		for _, secret := range []string{enableSecret, "W4lrusLogin"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", secret, text)
			}
		}
	}
	return e
}
