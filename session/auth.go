package session

import (
	"context"
	"errors"
	"io"
	"os/user"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// label is the name of a credential in errors and traces.
func (c Credential) label() string { return orElse(c.Name, orElse(c.User, "default")) }

func (c Credential) id() string { return orElse(c.ID, c.label()) }

func currentUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username[strings.LastIndexByte(u.Username, '\\')+1:]
}

// permit is the guard's leave to try a credential on a device. The zero pointer is one that was never asked for.
type permit struct {
	done func(AuthOutcome)
}

// settle tells the guard how it ended: "" accepted, the code of the failure otherwise. Only the first call counts.
func (p *permit) settle(code string) {
	if p == nil || p.done == nil {
		return
	}
	outcome := AuthUnknown
	switch code {
	case "":
		outcome = AuthAccepted
	case "auth-rejected":
		outcome = AuthRejected
	}
	p.done(outcome)
	p.done = nil
}

// counted is the code that a guard is told. Some devices answer a wrong password by closing the connection: an end right
// after the secret counts as a refusal, because to take it for an accident could lock an account.
func (a *auth) counted(e *Error) string {
	if e.Stage == stageAuth && e.Code == "connection-lost" && a.asked {
		return "auth-rejected"
	}
	return e.Code
}

// auth is one login with one credential on one connection.
type auth struct {
	dialer *dialer
	ctx    context.Context
	to     login
	cred   Credential
	wire   *wire

	mu      sync.Mutex // of started, print and verdict, which the key exchange sets on a goroutine of its own
	started bool       // the host key is right, the login has begun
	permit  *permit    // of the guard
	waited  bool       // the guard let us wait long enough for the server to lose patience
	verdict *Error     // why we gave up ourselves
	allowed []string   // what the server takes
	tried   []string   // what we sent
	method  string     // the last one
	print   string
	banner  string

	secret   string
	asked    bool // for the secret
	agent    io.Closer
	signers  []ssh.Signer
	gathered bool // the signers
	expired  string
}

func (a *auth) user() string { return orElse(a.cred.User, currentUser()) }

// next is asked by x/crypto which method to try. It waits here for the guard: after the host key, before any secret.
func (a *auth) next(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	d := a.dialer
	if a.expired != "" {
		return nil, a.give(failf(stageAuth, "password-expired", "%s: the device asks for a new password: %s", a.cred.label(), quote(a.expired)))
	}
	a.allowed = c.AllowedMethods
	if err := a.admit(); err != nil {
		return nil, err
	}
	d.watch.rest() // reading a secret may ask a person
	defer d.watch.step(stageAuth, d.limits.Auth)
	for _, m := range []string{"publickey", "password", "keyboard-interactive"} {
		if !slices.Contains(c.AllowedMethods, m) || slices.Contains(c.TriedMethods, m) || slices.Contains(c.PartialSuccessMethods, m) {
			continue
		}
		method, err := a.offer(m)
		if err != nil {
			return nil, a.give(err)
		}
		if method != nil {
			a.method = m
			a.tried = append(a.tried, m)
			return method, nil
		}
	}
	return nil, nil
}

func (a *auth) give(e *Error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verdict = e
	return e
}

// admit asks the guard once a login; its time counts to the whole only.
func (a *auth) admit() error {
	d := a.dialer
	if d.cfg.Guard == nil || a.permit != nil {
		return nil
	}
	d.watch.rest()
	defer d.watch.step(stageAuth, d.limits.Auth)
	asked := time.Now()
	done, err := d.cfg.Guard.Acquire(a.ctx, a.cred.id(), a.to.addr)
	if err != nil {
		if a.ctx.Err() != nil {
			return a.give(d.watch.ended(a.ctx))
		}
		return a.give(asError(err, stageAuth, "locked-out"))
	}
	a.waited = time.Since(asked) > guardPatience
	a.permit = &permit{done: done}
	return nil
}

// guardPatience is how long a wait for the guard is surely harmless: servers close a connection on which nobody logs in.
const guardPatience = 5 * time.Second

// worthAnother says whether the connection only broke because the guard kept us waiting; the permit is good for one more.
func (a *auth) worthAnother(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == "connection-lost" && a.waited && len(a.tried) <= 1 && a.ctx.Err() == nil && a.dialer.watch.err() == nil
}

// offer returns the method of that name, or nil where the credential has nothing for it.
func (a *auth) offer(name string) (ssh.AuthMethod, *Error) {
	if name == "publickey" {
		if err := a.gather(); err != nil {
			return nil, err
		}
		if len(a.signers) == 0 {
			return nil, nil
		}
		return ssh.PublicKeys(a.signers...), nil
	}
	if a.cred.Password == nil {
		return nil, nil
	}
	if err := a.read(); err != nil {
		return nil, err
	}
	if name == "password" {
		return ssh.Password(a.secret), nil
	}
	return ssh.KeyboardInteractive(a.challenge), nil
}

// read gets the secret once.
func (a *auth) read() *Error {
	if a.asked {
		return nil
	}
	secret, err := a.cred.Password(a.ctx)
	if err != nil {
		return failf(stageAuth, "secret-missing", "%s: %w", a.cred.label(), err)
	}
	a.asked, a.secret = true, secret
	a.dialer.words.add(secret)
	return nil
}

// challenge answers keyboard-interactive rounds. The secret goes to questions without echo only, and once: a server
// that asks again after it has it wants something else. The user's name answers a question for it.
func (a *auth) challenge(name, instruction string, questions []string, echos []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i, q := range questions {
		if i < len(echos) && echos[i] {
			if !asksUser.MatchString(q) {
				return nil, a.give(failf(stageAuth, "no-auth-method", "%s: the device asks a question nobody answers: %s", a.cred.label(), quote(q)))
			}
			answers[i] = a.user()
			continue
		}
		if asksNewPassword.MatchString(q) {
			a.expired = q
			return nil, a.give(failf(stageAuth, "password-expired", "%s: the device asks for a new password: %s", a.cred.label(), quote(q)))
		}
		if a.method == answered {
			return nil, a.give(failf(stageAuth, "auth-rejected", "%s: the device asks a second time: %s", a.cred.label(), quote(q)))
		}
		answers[i] = a.secret
		a.method = answered
	}
	return answers, nil
}

// answered marks a keyboard-interactive login that has used the secret.
const answered = "keyboard-interactive "

// hearBanner keeps the server's banner, bounded and printable.
func (a *auth) hearBanner(text string) error {
	const limit = 8 << 10
	for line := range strings.SplitSeq(strings.TrimRight(text, "\r\n"), "\n") {
		line = printable(strings.TrimRight(line, "\r"), 512)
		if len(a.banner) < limit {
			a.banner += line + "\n"
		}
		if a.dialer.cfg.Stderr != nil {
			a.dialer.cfg.Stderr(line)
		}
	}
	return nil
}

// refusal reads the end of a login that began.
func (a *auth) refusal(text string, err error) error {
	who := a.cred.label()
	if e, ok := errors.AsType[*errLost](err); ok {
		return failf(stageAuth, "connection-lost", "%s: %s", who, printable(e.Error(), maxQuote))
	}
	switch {
	case strings.Contains(text, "unexpected message type 60"):
		return failf(stageAuth, "password-expired", "%s: the device asks for a new password", who)
	case refusedForLoad.MatchString(text) && !strings.Contains(text, "authentication"):
		return failf(stageAuth, "login-refused", "%s: %s", who, printable(text, maxQuote))
	case len(a.tried) == 0 && !strings.Contains(text, "disconnect"):
		return failf(stageAuth, "no-auth-method", "%s: the device takes only: %s", who, printable(strings.Join(a.allowed, ", "), maxQuote))
	case strings.Contains(text, "unable to authenticate"):
		return failf(stageAuth, "auth-rejected", "%s: rejected (%s); the device takes: %s", who, strings.Join(a.tried, ", "), printable(strings.Join(a.allowed, ", "), maxQuote))
	case strings.Contains(text, "disconnect, reason 2") || strings.Contains(text, "disconnect, reason 14"), strings.Contains(strings.ToLower(text), "authentication"):
		return failf(stageAuth, "auth-rejected", "%s: rejected (%s): %s", who, strings.Join(a.tried, ", "), printable(text, maxQuote))
	}
	return failf(stageAuth, "connection-lost", "%s: %s", who, printable(text, maxQuote))
}
