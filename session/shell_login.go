package session

import (
	"context"
	"strings"
	"time"
)

// maxMotd bounds what may come before the first prompt.
const maxMotd = 1 << 20

// login waits for the first prompt and learns it.
func (s *shell) login(ctx context.Context) error {
	s.sentAt = time.Now()
	t := &talk{ctx: ctx, stage: stagePrompt, replies: s.opts.Login, used: make([]bool, len(s.opts.Login)), max: min(maxMotd, s.limits.CommandBytes)}
	s.watch.step(stagePrompt, s.limits.Prompt)
	if err := s.converse(t); err != nil {
		return err
	}
	s.motd = string(s.screen.buf[:s.screen.start])
	line := string(s.screen.last())
	s.prompts.learn(line)
	s.screen.reset([]byte(line))
	s.watch.done(quote(line))
	return nil
}

// firstPrompt says whether a line may be the first prompt: by the platform's pattern, else by its looks.
func (s *shell) firstPrompt(last []byte) bool {
	if len(last) > maxPrompt {
		return false
	}
	if s.prompts.pattern != nil {
		return s.prompts.pattern.Match(last)
	}
	return possible.Match(last)
}

// loginPatience is longer than that of a command: a message of the day may be full of '#' and '>'.
func (s *shell) loginPatience(t *talk, quiet time.Duration) time.Duration {
	quiet = max(quiet, loginQuiet)
	if t.probe == "" && s.doubtful() {
		quiet = max(quiet, tailQuiet)
	}
	return quiet
}

// doubtful says that the last line could as well be a question or a piece of a message. Where no pattern tells, an
// empty line is sent to see whether the same comes again.
func (s *shell) doubtful() bool {
	return s.prompts.pattern == nil && !likely.Match(s.screen.last())
}

// settle takes the last line as the prompt, or has it proved.
func (s *shell) settle(t *talk) (done bool, err error) {
	if err := s.expired(t); err != nil {
		return false, err
	}
	last := strings.TrimSpace(string(s.screen.last()))
	if !s.doubtful() || last == t.probe {
		return true, nil
	}
	t.probe = last
	return false, s.answer(t, s.opts.Newline, false)
}

// expired fails where the device wants a new password; an empty line would be taken for one.
func (s *shell) expired(t *talk) error {
	last := strings.TrimSpace(string(s.screen.last()))
	if asksNewPassword.MatchString(last) || saysExpired.Match(s.screen.buf) && strings.HasSuffix(last, ":") {
		return s.fail(t, failf(stagePrompt, "password-expired", "the device asks for a new password: %s", s.words.quote([]byte(last))))
	}
	return nil
}
