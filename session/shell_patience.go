package session

import "time"

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
