package sim

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// shell is an interactive session: echo, prompts, modes, passwords, pager. Answers are rendered whole and written in
// as few packets as they fit in.
type shell struct {
	*session
	script *script
	mode   string // the prompt as recorded
	paging bool
	in     []byte // read, not yet used
	chunk  [512]byte
	skipLF bool   // the line ended with CR: an LF that follows belongs to it
	answer []byte // rendered, with LF
}

var (
	errLine = errors.New("the line is too long")
	errOver = errors.New("the session is over")
	errHang = errors.New("the device answers no more")
)

func newShell(s *session) *shell {
	script := s.device.script
	return &shell{session: s, script: script, mode: script.recording.Prompt, paging: script.recording.Pager != nil}
}

// run talks until the client or the device ends it. A device that hangs leaves the channel open.
func (s *shell) run(ctx context.Context) {
	buffers := s.fleet.buffers.Get().(*buffers)
	s.out, s.answer = buffers.out[:0], buffers.answer[:0]
	err := s.talk(ctx)
	buffers.out, buffers.answer = s.out, s.answer
	s.fleet.buffers.Put(buffers)
	switch {
	case errors.Is(err, errHang):
	case errors.Is(err, errOver):
		s.exit(0)
	default:
		s.ch.Close()
	}
}

func (s *shell) talk(ctx context.Context) error {
	if err := s.greet(); err != nil {
		return err
	}
	for {
		line, err := s.line(true)
		if err != nil {
			return err
		}
		if err := s.command(ctx, string(bytes.TrimRight(line, " "))); err != nil {
			return err
		}
	}
}

// greet says what comes between login and first prompt.
func (s *shell) greet() error {
	switch {
	case s.device.fault == faultMute:
		s.print([]byte("Please wait, the system is starting.\n"))
		return cmpErr(s.flush(), errHang)
	case s.device.fault == faultExpired:
		s.print([]byte("WARNING: Your password has expired.\nYou must change your password now.\n\nEnter new password: "))
		if _, err := s.line(false); err != nil {
			return err
		}
		s.print([]byte("\n% Password change failed.\n"))
		return cmpErr(s.flush(), errOver)
	case s.refused:
		s.print([]byte("% Login limit reached: too many sessions, try again later.\n"))
		return cmpErr(s.flush(), errOver)
	}
	s.print(s.render(s.script.motd, s.device.fetches.Add(1)))
	s.prompt()
	return nil
}

// command answers one line.
func (s *shell) command(ctx context.Context, line string) error {
	i, ok := s.find(line, s.mode)
	if !ok && line == "" {
		s.prompt()
		return nil
	}
	s.fleet.counts.commands.Add(1)
	if err := s.flushPause(ctx, i); err != nil {
		return err
	}
	pager := s.script.recording.Pager
	if pager != nil && pager.Off == line && line != "" {
		s.paging = false
		if i < 0 {
			s.prompt()
			return nil
		}
	}
	if !ok {
		return s.unknown(line)
	}
	step := &s.script.steps[i]
	if step.Ask != "" {
		if ok, err := s.ask(step); !ok || err != nil {
			return err
		}
	}
	if err := s.output(ctx, step); err != nil {
		return err
	}
	if step.Closes {
		return cmpErr(s.flush(), errOver)
	}
	if step.Prompt != "" {
		s.mode = step.Prompt
	}
	s.prompt()
	return nil
}

// flushPause sends the echo before the device thinks, if it does.
func (s *shell) flushPause(ctx context.Context, step int) error {
	if s.fleet.config.Latency > 0 || s.fleet.config.Total > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	return s.pause(ctx, step)
}

// goodbyes end a session on every platform, where the recording does not say otherwise.
var goodbyes = []string{"exit", "quit", "logout", "/quit"}

func (s *shell) unknown(line string) error {
	if slices.Contains(goodbyes, line) {
		return cmpErr(s.flush(), errOver)
	}
	s.print([]byte(s.script.syntax.refuse(line)))
	s.prompt()
	return nil
}

// ask asks the question of a step and reads the answer without echo. A password must be the fleet's enable password; if
// it is not, after as many tries as the platform grants, the prompt stays what it was.
func (s *shell) ask(step *step) (ok bool, err error) {
	question := []byte(step.Ask)
	for range s.script.syntax.tries {
		s.print(question)
		answer, err := s.line(false)
		if err != nil {
			return false, err
		}
		s.print([]byte("\n"))
		if !step.secret() || string(answer) == s.fleet.config.Enable && s.device.fault != faultEnable {
			return true, nil
		}
	}
	s.print([]byte(s.script.syntax.denied))
	s.prompt()
	return false, nil
}

// output prints what a step prints, by the page where the pager is on.
func (s *shell) output(ctx context.Context, step *step) error {
	r := renderer{device: s.device, edits: s.device.now.Load(), fetch: s.device.fetches.Add(1), where: served}
	s.answer = r.append(s.answer[:0], step.output)
	if step.config && s.device.fault != "" {
		return s.spoiled(ctx)
	}
	if s.paging {
		return s.page(s.answer)
	}
	s.print(s.answer)
	return nil
}

// spoiled prints the configuration as the device's fault does.
func (s *shell) spoiled(ctx context.Context) error {
	if err := s.flush(); err != nil {
		return err
	}
	text, end := s.spoil(ctx, appendCRLF(nil, s.answer))
	switch end {
	case ended:
		return errHang
	case refusedIt:
		s.out = append(appendCRLF(s.out, []byte(s.script.syntax.refuse("configuration"))), text...)
	case stoppedShort:
		s.out = append(append(s.out, text...), "\r\n"...)
	default:
		s.out = append(s.out, text...)
	}
	return nil
}

func (s *shell) prompt() { s.print(s.render(s.script.prompts[s.mode], 0)) }

func (s *shell) print(text []byte) { s.out = appendCRLF(s.out, text) }

func (s *shell) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	err := s.write(s.out)
	s.out = s.out[:0]
	return err
}

// cmpErr returns the first error that is one.
func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
