package session

import "bytes"

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
