package session

import (
	"bytes"
	"context"
	"errors"
	"io"

	"golang.org/x/crypto/ssh"
)

// collector is where an exec request's output goes: bounded, without the 32 KB buffer that io.Copy would take.
type collector struct {
	screen screen
	limit  *int64 // left for all streams of the command
	flood  func()
	script func([]byte)
}

// ReadFrom is what io.Copy calls.
func (c *collector) ReadFrom(r io.Reader) (total int64, err error) {
	buf := make([]byte, firstChunk)
	for {
		n, err := r.Read(buf)
		total += int64(n)
		c.script(buf[:n])
		c.screen.feed(buf[:n], false)
		if err != nil {
			return total, nil
		}
		if total > *c.limit {
			c.flood()
			return total, nil
		}
		if n == len(buf) && n < 16<<10 {
			buf = make([]byte, 2*n)
		}
	}
}

// Write is there for io.Writer's sake; io.Copy prefers ReadFrom.
func (c *collector) Write(b []byte) (int, error) {
	n, err := c.ReadFrom(bytes.NewReader(b))
	return int(n), err
}

func (c *collector) text() string {
	return string(c.screen.buf[:c.screen.start]) + string(c.screen.last())
}

// exec runs a command as an exec request on a session of its own. Where the server allows only one session a
// connection, or has ended the connection after the last one, a new connection is made with the credential that was
// accepted; that is no new attempt for the guard.
func (s *Session) exec(ctx context.Context, c Command) (Output, error) {
	session, err := s.link.client.NewSession()
	if err == nil {
		return s.command(ctx, session, c)
	}
	if !s.used || s.watch.err() != nil {
		return Output{}, s.execError(err)
	}
	if err := s.redial(ctx); err != nil {
		return Output{}, err
	}
	if session, err = s.link.client.NewSession(); err != nil {
		return Output{}, s.execError(err)
	}
	return s.command(ctx, session, c)
}

// redial makes a new connection in the place of one that is over.
func (s *Session) redial(ctx context.Context) error {
	c := s.link.credential
	via := s.link.via
	s.link.via = nil
	s.link.close()
	l, err := s.dialer.attempt(ctx, via, s.target, c, &permit{})
	if err != nil {
		via.close()
		return s.masked(err)
	}
	s.link = l
	return nil
}

// command runs c on a fresh session.
func (s *Session) command(ctx context.Context, session *ssh.Session, c Command) (Output, error) {
	s.used = true
	defer session.Close()
	limit := min(orElse(c.MaxBytes, s.dialer.limits.CommandBytes), s.dialer.limits.SessionBytes-s.received)
	flood := func() {
		s.watch.kill(failf(stageCommand, "flood", "more than %d bytes came in %s", limit, quote(c.Text)))
	}
	out := &collector{screen: screen{width: defaultWidth}, limit: &limit, flood: flood, script: s.note}
	errs := &collector{screen: screen{width: defaultWidth}, limit: &limit, flood: flood, script: s.note}
	session.Stdout, session.Stderr = out, errs
	stdin, err := session.StdinPipe() // kept open: some shells hang up at the end of their input
	if err != nil {
		return Output{}, s.execError(err)
	}
	s.mu.Lock()
	s.script.sent(c.Text+"\n", false)
	s.mu.Unlock()
	if err := session.Start(c.Text); err != nil {
		return Output{}, s.execError(err)
	}
	if c.Stdin != "" {
		_, _ = io.WriteString(stdin, c.Stdin) // a command may end without reading it all
		_ = stdin.Close()
	}
	waited := session.Wait()
	if why := s.watch.err(); why != nil {
		return Output{}, s.withScript(why)
	}
	status, lost := s.link.exitStatus(waited)
	if lost != nil {
		return Output{}, s.withScript(failf(stageCommand, "connection-lost", "the connection ended in %s: %w", quote(c.Text), lost))
	}
	o := Output{Text: out.text(), Stderr: errs.text(), ExitStatus: status}
	s.script.calm()
	s.received += int64(len(o.Text) + len(o.Stderr))
	return o, nil
}

// exitStatus reads how a command ended. Without a status it may have ended well, or the connection may have broken in
// the middle of its output: x/crypto shows both as the end of the channel. A connection that still stands tells them
// apart. Where it is gone as well, the output counts as cut off: a server that sends no status and hangs up at once is
// rare, and needs a shell.
func (l *link) exitStatus(waited error) (status int, lost error) {
	if waited == nil {
		return 0, nil
	}
	if exit, ok := errors.AsType[*ssh.ExitError](waited); ok {
		return exit.ExitStatus(), nil
	}
	if _, missing := errors.AsType[*ssh.ExitMissingError](waited); !missing || l.wire.lost.Load() {
		return -1, waited
	}
	return -1, nil
}

// note keeps what came for the transcript; two streams write it.
func (s *Session) note(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.received(b)
}

// execError explains why no command could be started.
func (s *Session) execError(err error) error {
	if why := s.watch.err(); why != nil {
		return s.withScript(why)
	}
	refused, ok := errors.AsType[*ssh.OpenChannelError](err)
	switch {
	case ok:
		return s.withScript(failf(stagePrompt, "login-refused", "the device opens no session: %s", quote(refused.Message)))
	case s.link.wire.lost.Load():
		return s.withScript(failf(stageCommand, "connection-lost", "the device closed the connection before the command began"))
	}
	return s.withScript(failf(stageCommand, "command-rejected", "the device takes no exec request: %s", printable(err.Error(), maxQuote)).
		hint("this device may need an interactive shell"))
}
