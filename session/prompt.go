package session

import (
	"bytes"
	"regexp"
	"strings"
)

// prompts tells a prompt from other text. A prompt stands alone on the last line, without a newline. What it looks
// like is the platform's pattern or, without one, what was learnt at login: the same line again, or the same host name
// with another mode.
type prompts struct {
	pattern *regexp.Regexp
	now     string // the prompt as it was last seen
	host    string // as learnt at login
	derived *regexp.Regexp
}

// maxPrompt bounds a line that can be a prompt.
const maxPrompt = 256

// likely is a line that most people would take for a prompt: a host name, perhaps user and path, a mode in
// parentheses, brackets around, and the mark at the end.
var likely = regexp.MustCompile(`^[ \t]*[\[<({]?[\pL\pN][\pL\pN_.@:/~+-]*( ?\([^()]{1,60}\))?[\w.@:/~ *-]{0,40}[\])}]? ?[#>$%»]+ ?$`)

// possible is a line that may be a prompt but wants proof.
var possible = regexp.MustCompile(`[\pL\pN].*[#>$%:\])}?~»] ?$`)

// learn takes a line as the prompt of this device.
func (p *prompts) learn(line string) {
	p.now = line
	p.host = p.hostOf(line)
	p.derived = nil
	if p.pattern == nil {
		p.derived = derive(line)
	}
}

// hostOf returns what the pattern's group "host" matches in a line.
func (p *prompts) hostOf(line string) string {
	if p.pattern == nil {
		return ""
	}
	i := p.pattern.SubexpIndex("host")
	if m := p.pattern.FindStringSubmatch(line); i > 0 && m != nil {
		return m[i]
	}
	return ""
}

// derive makes a pattern of a learnt prompt: the same beginning, perhaps a mode in parentheses, another mark.
func derive(line string) *regexp.Regexp {
	stem := strings.TrimRight(line, " ")
	mark := strings.TrimRight(stem, "#>$%")
	if mark == stem || len(strings.TrimSpace(mark)) < 2 {
		return nil
	}
	if i := strings.IndexByte(mark, '('); i > 1 && strings.HasSuffix(mark, ")") {
		mark = mark[:i]
	}
	return regexp.MustCompile(`^` + regexp.QuoteMeta(mark) + `( ?\([^()]{1,60}\))?[#>$%] ?$`)
}

// match says whether line is a prompt.
func (p *prompts) match(line []byte) bool {
	if len(line) == 0 || len(line) > maxPrompt {
		return false
	}
	if p.now != "" && string(line) == p.now {
		return true
	}
	if p.pattern != nil {
		return p.pattern.Match(line) && p.sameHost(string(line))
	}
	return p.derived != nil && p.derived.Match(line)
}

// sameHost compares the pattern's host with the one learnt. Some devices cut a long name in their deeper modes.
func (p *prompts) sameHost(line string) bool {
	if p.host == "" {
		return true
	}
	host := p.hostOf(line)
	return host == p.host || len(host) >= 8 && (strings.HasPrefix(p.host, host) || strings.HasPrefix(host, p.host))
}

// tail says whether line ends with the prompt, behind output that did not end its own line.
func (p *prompts) tail(line []byte) bool {
	return len(p.now) >= 3 && len(line) > len(p.now) && bytes.HasSuffix(line, []byte(p.now))
}
