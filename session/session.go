package session

import (
	"context"
	"errors"

	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Info is what is known of a session after its login.
type Info struct {
	Remote                    string   // address and port
	ServerVersion             string   // "SSH-2.0-OpenSSH_9.2p1"
	Kex, HostKey, Cipher, MAC string   // as negotiated; MAC empty with an AEAD cipher
	Fingerprint               string   // of the host key, SHA256:...
	Weak                      []string // those of the four that are weak
	Credential                string   // name of the one that was accepted
	Banner                    string   // the server's authentication banner
	Motd                      string   // what came between login and first prompt
	Prompt                    string   // as it was last seen; empty with exec
}

// Session is one logged-in conversation. It is for one goroutine at a time; only Close may come from another.
type Session struct {
	dialer   *dialer
	target   login
	watch    *watch
	words    *words
	link     *link
	channel  *ssh.Session // of the shell
	shell    *shell       // nil: exec requests
	telnet   *telnetLink
	via      *link // the last jump host of a telnet session
	used     bool  // an exec request was made on link
	received int64
	close    sync.Once

	mu     sync.Mutex
	script transcript // of exec requests
}

// closing is how long a polite end may take.
const closing = time.Second

// errNoSession is what a nil Session answers.
var errNoSession = errors.New("there is no session")

// Dial connects to addr (host or host:port), verifies the host key and logs in; with a Shell it returns at the first
// prompt. The error is an *Error. The end of ctx ends a Dial that is under way; afterwards each command has its own.
func Dial(ctx context.Context, addr string, c Config) (*Session, error) {
	s := newSession(addr, c)
	defer s.watch.bind(ctx)()
	err := s.open(ctx)
	if err == nil {
		err = s.ended(ctx)
	}
	if err != nil {
		e := s.masked(err)
		_ = s.Close()
		return nil, e
	}
	s.watch.rest()
	return s, nil
}

func newSession(addr string, c Config) *Session {
	limits := c.Limits.withDefaults()
	port := "22"
	if c.Transport == "telnet" {
		port = "23"
	}
	host, port := hostPort(addr, port)
	secrets := &words{mask: c.Mask}
	w := newWatch(limits.Total, c.Trace)
	return &Session{
		dialer: &dialer{cfg: &c, limits: limits, watch: w, words: secrets},
		target: login{addr: net.JoinHostPort(host, port), credentials: c.Credentials},
		watch:  w, words: secrets, script: transcript{words: secrets},
	}
}

func (s *Session) open(ctx context.Context) error {
	if s.dialer.cfg.Transport == "telnet" {
		return s.openTelnet(ctx)
	}
	via, err := s.dialer.route(ctx)
	if err != nil {
		return err
	}
	if s.link, err = s.dialer.login(ctx, via, s.target); err != nil {
		via.close()
		return err
	}
	if s.dialer.cfg.Shell == nil {
		return nil
	}
	return s.openShell(ctx)
}

// openShell asks for a terminal and a shell on it, and waits for the prompt.
func (s *Session) openShell(ctx context.Context) error {
	s.watch.step(stagePrompt, s.dialer.limits.Prompt)
	channel, err := s.link.client.NewSession()
	if err != nil {
		return s.execError(err)
	}
	s.channel = channel
	in := newInbox()
	stdin, err := channel.StdinPipe()
	if err != nil {
		return err
	}
	if _, err := channel.StderrPipe(); err != nil { // nobody reads it: on a terminal it is empty
		return err
	}
	channel.Stdout = in
	s.shell = newShell(*s.dialer.cfg.Shell, s.dialer.limits, s.watch, in, stdin, s.words)
	o := s.shell.opts
	if err := channel.RequestPty(o.Term, o.Height, o.Width, ssh.TerminalModes{}); err != nil && s.link.wire.lost.Load() {
		return s.execError(err)
	}
	if err := channel.Shell(); err != nil {
		return s.shellError(err)
	}
	return s.shell.login(ctx)
}

func (s *Session) shellError(err error) error {
	if s.link.wire.lost.Load() || s.watch.err() != nil {
		return s.execError(err)
	}
	return failf(stagePrompt, "login-refused", "the device gives no shell: %s", printable(err.Error(), maxQuote))
}

// With dials, calls f and closes the session whatever happens.
func With(ctx context.Context, addr string, c Config, f func(ctx context.Context, s *Session) error) error {
	s, err := Dial(ctx, addr, c)
	if err != nil {
		return err
	}
	defer s.Close()
	return f(ctx, s)
}

// Run runs one command and returns what it printed.
func (s *Session) Run(ctx context.Context, cmd string) (Output, error) {
	return s.Do(ctx, Command{Text: cmd})
}

// Do runs one command with all its particulars. After an error the session is beyond use: what the device would take
// the next command for is not known.
func (s *Session) Do(ctx context.Context, c Command) (Output, error) {
	if s == nil {
		return Output{}, &Error{Stage: stageCommand, Code: "internal", Err: errNoSession}
	}
	if why := s.watch.err(); why != nil {
		return Output{}, s.masked(why)
	}
	s.watch.step(stageCommand, orElse(c.Timeout, s.dialer.limits.Command))
	defer s.watch.rest()
	defer s.watch.bind(ctx)()
	if err := s.ended(ctx); err != nil {
		return Output{}, s.masked(err)
	}
	out, err := s.do(ctx, c)
	if err != nil {
		return Output{}, s.masked(err)
	}
	s.watch.done(printable(c.Text, maxQuote))
	return out, nil
}

func (s *Session) do(ctx context.Context, c Command) (Output, error) {
	if s.shell == nil {
		return s.exec(ctx, c)
	}
	text, err := s.shell.run(ctx, c)
	return Output{Text: text, ExitStatus: -1}, err
}

// ended ends the session if ctx is over.
func (s *Session) ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	s.watch.kill(s.watch.ended(ctx))
	return s.watch.err()
}

// masked makes sure that an error is an *Error and repeats no secret.
func (s *Session) masked(err error) error {
	e := *asError(err, shown(s.watch.at()), "internal")
	if text := e.Err.Error(); string(s.words.hide([]byte(text))) != text {
		e.Err = errorText(s.words.hide([]byte(text)))
	}
	return &e
}

func (s *Session) withScript(e *Error) error {
	c := *e
	if c.Transcript == nil {
		c.Transcript = s.Transcript()
	}
	return &c
}

// Info returns what is known of the session.
func (s *Session) Info() Info {
	if s == nil {
		return Info{}
	}
	var i Info
	if s.link != nil {
		i = s.link.info()
	}
	if s.telnet != nil {
		i.Remote, i.Credential = s.telnet.conn.RemoteAddr().String(), s.telnet.credential.label()
	}
	if s.shell != nil {
		i.Motd, i.Prompt = s.shell.motd, s.shell.prompts.now
	}
	return i
}

// Offered returns the algorithms that the server said it can do; empty over telnet.
func (s *Session) Offered() Offer {
	if s.link == nil {
		return Offer{}
	}
	return parseOffer(s.link.wire.offer)
}

// Transcript returns the end of the conversation so far, masked.
func (s *Session) Transcript() []byte {
	if s == nil {
		return nil
	}
	if s.shell != nil {
		return s.shell.script.render()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script.render()
}

// Close ends the session politely within a second and frees everything. It is safe to call twice.
func (s *Session) Close() error {
	if s == nil {
		return nil
	}
	s.close.Do(s.shut)
	return nil
}

func (s *Session) shut() {
	s.watch.step(stageCommand, closing)
	if s.channel != nil {
		_ = s.channel.Close()
	}
	s.watch.kill(&Error{Stage: stageCommand, Code: "connection-lost", Err: errClosed})
	if s.telnet != nil {
		s.hangUp()
	} else if s.channel != nil && s.shell != nil {
		close(s.shell.in.stop)
	}
	s.link.close()
	s.via.close()
	if s.channel != nil && s.shell != nil {
		_ = s.channel.Wait()
	}
}
