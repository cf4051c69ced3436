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

// maxEcho bounds the text in which the echo of a command is looked for.
const maxEcho = 4 << 10

// findEcho looks, at the end of each of the first lines, whether all of the command has come back. Blanks do not
// count, nor where the device broke the line.
func (s *shell) findEcho(t *talk) {
	text := s.screen.buf
	if len(text) == 0 || text[len(text)-1] != '\n' {
		return
	}
	if len(text) > maxEcho+len(t.cmd) {
		t.echo = false
		s.noEcho(t)
		return
	}
	if endsWith(text, t.cmd) || s.scrolled(text[:len(text)-1], t.cmd) {
		t.echo = false
		t.from = len(text)
		s.echoes = echoSeen
	}
}

// endsWith compares from the end, without blanks and line ends.
func endsWith(text []byte, cmd string) bool {
	i := len(text) - 1
	for j := len(cmd) - 1; j >= 0; j-- {
		if isBlank(cmd[j]) {
			continue
		}
		for i >= 0 && isBlank(text[i]) {
			i--
		}
		if i < 0 || text[i] != cmd[j] {
			return false
		}
		i--
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// scrolled recognises the echo of a long command that a device scrolled sideways in a narrow line: prompt, '$', and
// the end of the command; or the piece that stood last before a wrap.
func (s *shell) scrolled(text []byte, cmd string) bool {
	const enough = 8
	if len(cmd) < 2*enough {
		return false
	}
	last := text[bytes.LastIndexByte(text, '\n')+1:]
	rest, ok := bytes.CutPrefix(last, []byte(s.prompts.now))
	if !ok || len(rest) == 0 {
		return false
	}
	return bytes.IndexByte(rest, '$') >= 0 && endsWith(rest, cmd[len(cmd)-enough:])
}

// noEcho says that the output begins right behind the prompt.
func (s *shell) noEcho(t *talk) {
	if bytes.HasPrefix(s.screen.buf, []byte(s.prompts.now)) {
		t.from = len(s.prompts.now)
	}
	if t.from < len(s.screen.buf) && s.screen.buf[t.from] == '\n' {
		t.from++
	}
}

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

// The quiet after which a guess counts: an eighth of the time since the last thing sent, within bounds.
const (
	leastQuiet = 5 * time.Millisecond
	mostQuiet  = 100 * time.Millisecond
	loginQuiet = 30 * time.Millisecond
	tailQuiet  = 300 * time.Millisecond
	echoQuiet  = 250 * time.Millisecond // for a prompt without the echo before it
	nudgeAfter = 3 * time.Second
	slowest    = 3 * time.Second
)

// patience says how long to wait for more before acting on a guess; 0 is until something comes.
func (s *shell) patience(t *talk, g guess) time.Duration {
	quiet := min(max(time.Since(s.sentAt)/8, leastQuiet), mostQuiet)
	if s.gapped > 2 {
		quiet = min(max(quiet, 2*s.gap), slowest)
	}
	if t.stood {
		quiet = max(quiet, mostQuiet)
	}
	switch g.kind {
	case kindNone:
		return s.nudging(t)
	case kindTail:
		return max(quiet, tailQuiet)
	case kindPrompt, kindReply:
		if t.stage == stagePrompt && g.kind == kindPrompt {
			return s.loginPatience(t, quiet)
		}
		if t.echo && (g.kind == kindPrompt || string(s.screen.last()) == s.prompts.now) {
			return max(quiet, s.echoPatience())
		}
	}
	return quiet
}

// echoPatience is for a prompt that stands there without the echo of the command before it: it may still be the one
// at which the command was typed.
func (s *shell) echoPatience() time.Duration {
	switch s.echoes {
	case echoSeen:
		return 4 * echoQuiet
	case echoUnknown:
		return echoQuiet
	}
	return 0
}

// nudging says when to send an empty line to a device that shows no prompt: at login, and where a prompt was there
// and something else was printed behind it.
func (s *shell) nudging(t *talk) time.Duration {
	if t.nudges < 2 && (t.stage == stagePrompt || t.stood && !t.echo) {
		return nudgeAfter
	}
	return 0
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

// fail ends the session with an error, which gets the transcript.
func (s *shell) fail(t *talk, e *Error) error {
	s.watch.kill(e)
	return s.withScript(s.watch.err())
}

func (s *shell) withScript(e *Error) error {
	c := *e
	if c.Transcript == nil {
		c.Transcript = s.script.render()
	}
	return &c
}

// lost explains why nothing comes any more.
func (s *shell) lost(t *talk) error {
	if why := s.watch.err(); why != nil {
		return s.explain(t, why)
	}
	if s.ended != nil {
		if e := s.ended(s.screen.buf); e != nil {
			return s.withScript(e)
		}
	}
	e := failf(t.stage, "connection-lost", "the device ended the session%s after %d bytes", ofCommand(t.cmd), t.got)
	if last := strings.TrimSpace(string(s.screen.last())); last != "" {
		e = failf(t.stage, "connection-lost", "the device ended the session%s after %d bytes, at: %s", ofCommand(t.cmd), t.got, s.words.quote(s.screen.last()))
	}
	if t.stage == stagePrompt {
		if said := s.screen.buf; refusedForLoad.Match(said) {
			e = failf(t.stage, "login-refused", "the device ended the session at once: %s", s.words.quote(lastLines(said)))
		}
	}
	return s.fail(t, e)
}

// explain adds to a timeout what the device said last, without which nobody can tell a wrong prompt from a hang.
func (s *shell) explain(t *talk, why *Error) error {
	e := *why
	if e.Code == "timeout" {
		last := s.screen.last()
		switch {
		case t.got == 0:
			e.Err = errorText(e.Err.Error() + ofCommand(t.cmd) + "; the device sent nothing")
		default:
			e.Err = errorText(e.Err.Error() + ofCommand(t.cmd) + "; the last line is " + s.words.quote(last))
			if t.stage == stagePrompt && e.Stage == stagePrompt {
				e.Code = "no-prompt"
			}
		}
	}
	return s.withScript(&e)
}

func ofCommand(cmd string) string {
	if cmd == "" {
		return ""
	}
	return " in " + quote(cmd)
}

// lastLines returns the end of a text, for an error.
func lastLines(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return text[max(0, len(text)-maxQuote):]
}
