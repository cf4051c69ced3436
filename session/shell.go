package session

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"time"
)

// shell is the conversation on an interactive shell, whatever carries it.
//
// That a line is a prompt is never certain while the device may go on: a line of a configuration that looks like the
// prompt can end exactly where a packet ends. So a candidate counts only after a short quiet, a fraction of the time
// the command has taken, and a command is not over before its echo was seen on a device that echoes.
type shell struct {
	opts    Shell
	limits  Limits
	watch   *watch
	in      *inbox
	out     io.Writer
	words   *words
	script  transcript
	screen  screen
	prompts prompts
	timer   *time.Timer

	total   int64 // bytes received in this session
	echoes  echoHabit
	motd    string
	ended   func(said []byte) *Error // reads the end of a connection that broke during the login; nil: as any
	sentAt  time.Time                // the last thing
	gap     time.Duration
	gapped  int // chunks the last line came in
	lastGot time.Time
}

// echoHabit is what is known about a device's echo.
type echoHabit int

const (
	echoUnknown echoHabit = iota
	echoSeen
	echoNone
)

func newShell(opts Shell, limits Limits, w *watch, in *inbox, out io.Writer, secrets *words) *shell {
	opts.Newline = orElse(opts.Newline, "\n")
	opts.Width = orElse(opts.Width, defaultWidth)
	opts.Height = orElse(opts.Height, defaultHeight)
	opts.Term = orElse(opts.Term, "vt100")
	if opts.Pagers == nil {
		opts.Pagers = usualPagers
	}
	if opts.Login == nil {
		opts.Login = usualLogins
	}
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &shell{opts: opts, limits: limits, watch: w, in: in, out: out, words: secrets, timer: timer,
		script: transcript{words: secrets}, screen: screen{width: opts.Width}, prompts: prompts{pattern: opts.Prompt}}
}

// The terminal, so wide that nothing wraps and as high as terminals are: no height at all confuses many devices.
const (
	defaultWidth  = 511
	defaultHeight = 24
)

// talk is one exchange: a command, or the time from login to the first prompt.
type talk struct {
	ctx     context.Context
	stage   string
	cmd     string
	replies []Reply
	prompt  *regexp.Regexp // instead of the shell's
	max     int64
	used    []bool // hidden replies that were given
	answers int

	got     int64
	echo    bool     // still awaited
	text    []string // finished lines of the output
	held    int64    // bytes of text: a terminal's blanks may be more than what came
	from    int      // where the output begins in the screen's buffer
	stood   bool     // a line that looked like the prompt was there and text came after it
	nudges  int
	probe   string // at login: the line that must come again after a newline
	settled bool
}

// kind is what the last line seems to be.
type kind int

const (
	kindNone kind = iota
	kindPrompt
	kindTail // output without an end of line, then the prompt
	kindPager
	kindReply
)

// guess is a kind with its particulars.
type guess struct {
	kind  kind
	index int // of the reply
	pager *Pager
	at    int // where the pager begins
}

// maxAnswers bounds how often one command asks.
const maxAnswers = 64

// send writes to the device.
func (s *shell) send(text string, hidden bool) error {
	s.script.sent(text, hidden)
	s.sentAt = time.Now()
	_, err := io.WriteString(s.out, text)
	return err
}

// run is one command.
func (s *shell) run(ctx context.Context, c Command) (string, error) {
	t := &talk{ctx: ctx, stage: stageCommand, cmd: c.Text, replies: c.Replies, prompt: c.Prompt,
		max: orElse(c.MaxBytes, s.limits.CommandBytes), used: make([]bool, len(c.Replies)), echo: true}
	s.screen.reset([]byte(s.prompts.now))
	if err := s.send(c.Text+s.opts.Newline, false); err != nil {
		return "", s.lost(t)
	}
	if err := s.converse(t); err != nil {
		return "", err
	}
	return s.take(t), nil
}

// converse hears the device until the prompt comes.
func (s *shell) converse(t *talk) error {
	s.gap, s.gapped, s.lastGot = 0, 0, time.Time{}
	var g guess
	for {
		b, ev := s.in.next(s.watch, s.timer, s.patience(t, g))
		switch ev {
		case eventEnd:
			return s.lost(t)
		case eventData:
			if err := s.hear(t, b); err != nil {
				return err
			}
			t.stood = t.stood || g.kind == kindPrompt
			g = s.look(t)
		case eventQuiet:
			done, err := s.act(t, g)
			if done || err != nil {
				return err
			}
			g = guess{}
		}
	}
}

// hear takes what came.
func (s *shell) hear(t *talk, b []byte) error {
	t.got += int64(len(b))
	s.total += int64(len(b))
	s.script.received(b)
	if t.got > t.max || t.held+int64(len(s.screen.buf)) > t.max || s.total > s.limits.SessionBytes {
		return s.fail(t, failf(t.stage, "flood", "more than %d bytes came%s", min(t.max, s.limits.SessionBytes), ofCommand(t.cmd)))
	}
	s.measure(b)
	for len(b) > 0 {
		b = b[s.screen.feed(b, t.echo):]
		if t.echo {
			s.findEcho(t)
		}
	}
	if !t.echo && s.screen.start > flushAt {
		t.text = append(t.text, s.screen.flush(t.from))
		t.held += int64(len(t.text[len(t.text)-1]))
		t.from = 0
	}
	if len(s.screen.reply) > 0 {
		_, err := s.out.Write(s.screen.reply)
		s.screen.reply = s.screen.reply[:0]
		if err != nil {
			return s.lost(t)
		}
	}
	return nil
}

// measure keeps how the last line came: a device that dribbles its prompt needs more patience than one that does not.
func (s *shell) measure(b []byte) {
	now := time.Now()
	if bytes.IndexByte(b, '\n') >= 0 || s.lastGot.IsZero() {
		s.gap, s.gapped = 0, 1
	} else {
		s.gapped++
		s.gap = max(s.gap, now.Sub(s.lastGot))
	}
	s.lastGot = now
}

// flushAt is how many finished lines the screen holds; more are put aside, so that no buffer has to grow with them.
const flushAt = 4 << 10

// look says what the last line seems to be. It looks at nothing else, so its cost does not grow with the output.
func (s *shell) look(t *talk) guess {
	if len(s.screen.buf)-s.screen.start > maxLine {
		return guess{}
	}
	last := s.screen.last()
	if len(last) == 0 || len(last) > maxPrompt+len(s.prompts.now) {
		return guess{}
	}
	if t.prompt == nil && s.prompts.now != "" && string(last) == s.prompts.now {
		return guess{kind: kindPrompt}
	}
	for i, r := range t.replies {
		if r.Match.Match(last) && !t.used[i] {
			return guess{kind: kindReply, index: i}
		}
	}
	pagers := s.opts.Pagers
	p, at := pagerOn(pagers, last)
	if p == nil && s.screen.alt {
		p, at = pagerOn(lessPagers, last)
	}
	if p != nil {
		return guess{kind: kindPager, pager: p, at: at}
	}
	return guess{kind: s.promptKind(t, last)}
}

func (s *shell) promptKind(t *talk, last []byte) kind {
	switch {
	case t.stage == stagePrompt:
		if s.firstPrompt(last) {
			return kindPrompt
		}
	case t.prompt != nil:
		if t.prompt.Match(last) {
			return kindPrompt
		}
	case s.prompts.match(last):
		return kindPrompt
	case s.prompts.tail(last) && !t.echo:
		return kindTail
	}
	return kindNone
}

// act does what a guess that stood the quiet asks for.
func (s *shell) act(t *talk, g guess) (done bool, err error) {
	switch g.kind {
	case kindPager:
		s.screen.wipe(g.at)
		return false, s.answer(t, g.pager.Answer, false)
	case kindReply:
		return false, s.reply(t, g.index)
	case kindPrompt, kindTail:
		if t.stage == stagePrompt {
			return s.settle(t)
		}
		if t.echo {
			t.echo = false
			s.noEcho(t)
			if s.echoes == echoUnknown {
				s.echoes = echoNone
			}
		}
		return true, nil
	}
	if t.stage == stagePrompt {
		if err := s.expired(t); err != nil {
			return false, err
		}
	}
	t.nudges++
	return false, s.answer(t, s.opts.Newline, false)
}

func (s *shell) answer(t *talk, text string, hidden bool) error {
	if t.answers++; t.answers > maxAnswers && t.stage == stagePrompt {
		return s.fail(t, failf(t.stage, "no-prompt", "the device asked more than %d questions; the last: %s", maxAnswers, s.words.quote(s.screen.last())))
	}
	if err := s.send(text, hidden); err != nil {
		return s.lost(t)
	}
	return nil
}

// reply answers a question. A hidden answer is given once a command: a device that asks again did not like it, and
// the same once more would count against the account. The next Reply that matches is asked instead.
func (s *shell) reply(t *talk, i int) error {
	r := t.replies[i]
	if r.Fail != nil {
		e := *r.Fail
		if e.Err == nil {
			e.Err = errorText("the device says: " + s.words.quote(s.screen.last()))
		}
		return s.giveUp(t, &e)
	}
	t.used[i] = r.Hidden || r.once
	text, err := r.Answer(t.ctx)
	if err != nil {
		if why := s.watch.err(); why != nil {
			return s.withScript(why)
		}
		return s.giveUp(t, asError(err, t.stage, "secret-missing"))
	}
	if r.Hidden {
		s.words.add(text)
	}
	if !r.Raw {
		text += s.opts.Newline
	}
	return s.answer(t, text, r.Hidden)
}

// giveUp leaves a question without an answer. The next command would be taken for one, so the session ends; a login
// may go on with another credential on another connection.
func (s *shell) giveUp(t *talk, e *Error) error {
	if t.stage == stagePrompt {
		return s.withScript(e)
	}
	return s.fail(t, e)
}

// errorText is an error of fixed words.
type errorText string

func (e errorText) Error() string { return string(e) }

// take returns the output and keeps the prompt.
func (s *shell) take(t *talk) string {
	s.screen.settle()
	last := string(s.screen.last())
	end := s.screen.start
	if !s.isPrompt(t, last) && s.prompts.tail([]byte(last)) {
		end += len(last) - len(s.prompts.now)
		last = s.prompts.now
	}
	if t.from < end {
		t.text = append(t.text, string(s.screen.buf[t.from:end]))
	}
	if t.prompt != nil {
		s.prompts.learn(last)
	}
	s.prompts.now = last
	s.screen.reset([]byte(last))
	s.script.calm()
	return strings.Join(t.text, "")
}

func (s *shell) isPrompt(t *talk, last string) bool {
	if t.prompt != nil {
		return t.prompt.MatchString(last)
	}
	return s.prompts.match([]byte(last))
}
