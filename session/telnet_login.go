package session

import (
	"context"
	"regexp"
	"slices"
	"time"
)

// telnetLink is what a Session holds of a telnet connection.
type telnetLink struct {
	conn       *telnet
	credential Credential
	done       chan struct{} // closed when the reader has ended
}

// What telnet servers ask and say.
var (
	telnetUser   = regexp.MustCompile(`(?i)(^|[^\pL])(user ?name|login|user)( name)?[^:]{0,40}: ?$`)
	telnetSecret = regexp.MustCompile(`(?i)(^|[^\pL])pass(word|code|phrase)?[^:]{0,40}: ?$`)
	telnetNo     = regexp.MustCompile(`(?i)(incorrect|invalid|fail(ed|ure)|denied|bad (pass|secret)|rejected|not authorized)`)
)

// openTelnet logs in with the credentials in turn, on a connection for each.
func (s *Session) openTelnet(ctx context.Context) error {
	via, err := s.dialer.route(ctx)
	if err != nil {
		return err
	}
	s.via = via
	creds := s.target.credentials
	if len(creds) == 0 {
		creds = []Credential{{}}
	}
	var refusals []*Error
	for _, c := range creds {
		err := s.tryTelnet(ctx, via, c)
		if err == nil {
			return nil
		}
		s.hangUp()
		refused := asError(err, stageAuth, "connection-lost")
		if !nextCredential(refused.Code) || s.watch.err() != nil {
			return refused
		}
		refusals = append(refusals, refused)
	}
	return refusedAll(refusals)
}

// tryTelnet makes one connection and one login.
func (s *Session) tryTelnet(ctx context.Context, via *link, c Credential) error {
	d := s.dialer
	raw, err := d.connect(ctx, via, s.target.addr)
	if err != nil {
		return err
	}
	opts := Shell{}
	if d.cfg.Shell != nil {
		opts = *d.cfg.Shell
	}
	opts.Newline = orElse(opts.Newline, "\r\n")
	in := newInbox()
	conn := &telnet{Conn: raw, term: orElse(opts.Term, "vt100"), width: orElse(opts.Width, defaultWidth), height: orElse(opts.Height, defaultHeight)}
	d.watch.add(conn)
	s.shell = newShell(opts, d.limits, s.watch, in, conn, s.words)
	s.telnet = &telnetLink{conn: conn, credential: c, done: make(chan struct{})}
	done := s.telnet.done
	time.AfterFunc(0, func() { // the one goroutine of a telnet session; hangUp waits for it
		defer close(done)
		_, _ = in.ReadFrom(conn)
	})
	a := &auth{dialer: d, ctx: ctx, to: s.target, cred: c}
	t := &telnetLogin{auth: a}
	s.shell.opts.Login = slices.Concat(t.replies(), s.shell.opts.Login)
	s.shell.ended = t.ended
	err = s.shell.login(ctx)
	s.shell.ended = nil
	code := ""
	if err != nil {
		code = asError(err, stagePrompt, "connection-lost").Code
	}
	a.permit.settle(code)
	return err
}

// hangUp ends a telnet connection and waits for its reader.
func (s *Session) hangUp() {
	if s.telnet == nil {
		return
	}
	s.watch.drop(s.telnet.conn)
	close(s.shell.in.stop)
	<-s.telnet.done
	s.telnet = nil
}

// telnetLogin is the login dialogue, as replies of the shell.
type telnetLogin struct {
	auth *auth
	sent bool // the secret
}

// replies answers user and password once each; a second question of either kind is a refusal.
func (t *telnetLogin) replies() []Reply {
	no := failf(stageAuth, "auth-rejected", "%s: rejected (telnet)", t.auth.cred.label())
	none := failf(stageAuth, "no-auth-method", "%s: the device asks for a password and there is none", t.auth.cred.label())
	second := Reply{Match: telnetSecret, Fail: no}
	first := Reply{Match: telnetSecret, Answer: t.secret, Hidden: true}
	if t.auth.cred.Password == nil {
		first = Reply{Match: telnetSecret, Fail: none}
	}
	return []Reply{
		{Match: asksNewPassword, Fail: failf(stageAuth, "password-expired", "%s: the device asks for a new password", t.auth.cred.label())},
		{Match: telnetUser, Answer: t.user, once: true},
		first, second,
		{Match: telnetUser, Fail: no},
	}
}

func (t *telnetLogin) user(context.Context) (string, error) {
	if err := t.admit(); err != nil {
		return "", err
	}
	return t.auth.user(), nil
}

func (t *telnetLogin) secret(context.Context) (string, error) {
	if err := t.admit(); err != nil {
		return "", err
	}
	d := t.auth.dialer
	d.watch.rest()
	defer d.watch.step(stagePrompt, d.limits.Prompt)
	if err := t.auth.read(); err != nil {
		return "", err
	}
	t.sent = true
	return t.auth.secret, nil
}

func (t *telnetLogin) admit() error {
	t.auth.dialer.watch.step(stageAuth, t.auth.dialer.limits.Auth)
	return t.auth.admit()
}

// ended reads the end of a connection during the login.
func (t *telnetLogin) ended(said []byte) *Error {
	if t.sent && telnetNo.Match(said) {
		return failf(stageAuth, "auth-rejected", "%s: rejected (telnet): %s", t.auth.cred.label(), t.auth.dialer.words.quote(lastLines(said)))
	}
	return nil
}
