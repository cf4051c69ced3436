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
	stem    string // of the prompt learnt, without mode and mark; only without a pattern
}

// maxPrompt bounds a line that can be a prompt.
const maxPrompt = 256

// likely is a line that most people would take for a prompt: a host name, perhaps user and path, a mode in
// parentheses, brackets around, and the mark at the end.
var likely = regexp.MustCompile(`^[ \t]*[\[<({]?[\pL\pN][\pL\pN_.@:/~+-]*( ?\([^()]{1,60}\))?[\w.@:/~ *-]{0,40}[\])}]? ?[#>$%»]+ ?$`)

// possible is a line that may be a prompt but wants proof.
var possible = regexp.MustCompile(`^[#>$%] ?$|[\pL\pN].*[#>$%:\])}?~»] ?$`)

// learn takes a line as the prompt of this device.
func (p *prompts) learn(line string) {
	p.now = line
	p.host = p.hostOf(line)
	p.stem = ""
	if p.pattern == nil {
		p.stem = stemOf(line)
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

// stemOf returns what stays the same of a learnt prompt in another mode: all before the mode in parentheses and the
// mark. It is empty where that is too little to go by.
func stemOf(line string) string {
	stem := strings.TrimRight(line, " ")
	bare := strings.TrimRight(stem, marks)
	if bare == stem {
		return ""
	}
	if i := strings.IndexByte(bare, '('); i > 1 && strings.HasSuffix(bare, ")") {
		bare = strings.TrimRight(bare[:i], " ")
	}
	if len(strings.TrimSpace(bare)) < 2 {
		return ""
	}
	return bare
}

// marks end a prompt.
const marks = "#>$%"

// maxMode bounds what stands in the parentheses of a prompt.
const maxMode = 60

// otherMode says whether line is the learnt prompt in another mode.
func (p *prompts) otherMode(line string) bool {
	rest, ok := strings.CutPrefix(line, p.stem)
	if p.stem == "" || !ok {
		return false
	}
	if rest = strings.TrimPrefix(rest, " "); strings.HasPrefix(rest, "(") {
		i := strings.IndexByte(rest, ')')
		if i < 2 || i > maxMode || strings.Contains(rest[1:i], "(") {
			return false
		}
		rest = rest[i+1:]
	}
	mark := strings.TrimSuffix(rest, " ")
	return len(mark) == 1 && strings.Contains(marks, mark)
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
	return p.otherMode(string(line))
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
