package platform

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"sync"
)

// masked stands where a secret was.
const masked = "<secret>"

// commonSecrets hold on every platform.
var commonSecrets = []secretRule{
	{Match: `\$(?:1|2[abxy]|5|6|7|8|9|14|y|sha512|pbkdf2-sha\d+|scrypt)\$([^\s"';,]{4,})`}, // password hashes
	{Match: `PRIVATE KEY-----(.+)-----END [A-Z ]*PRIVATE KEY`},                             // a whole key in one line
	{Match: `[a-z]://[^\s/:@"']*:([^\s/@"']+)@`},                                           // scheme://user:password@host
}

// secretRules are the secrets of one platform, ready to be found.
type secretRules struct {
	finder  *finder
	section []*regexp.Regexp
	except  []*regexp.Regexp
	style   string // how sections look; empty: not known
	goesOn  string // what a line ends with that goes on in the next one
}

func newSecretRules(rules []secretRule, style, goesOn string) *secretRules {
	rules = slices.Concat(commonSecrets, rules)
	s := &secretRules{style: style, goesOn: goesOn}
	sources := make([]string, len(rules))
	for i, r := range rules {
		sources[i] = r.Match
		s.section = append(s.section, compile(r.Section))
		s.except = append(s.except, compile(r.Except))
	}
	s.finder = newFinder(sources)
	return s
}

// allSecrets are the rules of every platform together.
var allSecrets = sync.OnceValue(func() *secretRules {
	var rules []secretRule
	seen := map[secretRule]bool{}
	for _, name := range names() {
		for _, r := range definitions()[name]().file.Secrets {
			if !seen[r] {
				seen[r] = true
				rules = append(rules, r)
			}
		}
	}
	return newSecretRules(rules, "", `\`)
})

// Mask replaces the secrets of a configuration or of any other output by "<secret>"; lines and everything else stay.
// A part of a configuration, or a diff, is masked as well: where the section of a line is not known, the rules that
// hold in some sections only are applied.
func (d *Def) Mask(text []byte) []byte {
	return d.mask().apply(text, func([]byte) string { return masked })
}

// MaskAny masks what any platform calls a secret, for text whose platform is not known.
func MaskAny(text []byte) []byte {
	return allSecrets().apply(text, func([]byte) string { return masked })
}

// Hash is as Mask, but each secret becomes "<secret:xxxxxxxxxxxx>", a keyed hash of it.
func (d *Def) Hash(text, key []byte) []byte {
	return d.mask().apply(text, func(secret []byte) string {
		mac := hmac.New(sha256.New, key)
		mac.Write(secret)
		return "<secret:" + hex.EncodeToString(mac.Sum(nil)[:6]) + ">"
	})
}

// apply replaces each secret by what instead says.
func (s *secretRules) apply(text []byte, instead func(secret []byte) string) []byte {
	w := masker{rules: s, instead: instead, out: make([]byte, 0, len(text)+len(text)/16)}
	for line := range bytes.Lines(text) {
		w.line(line)
	}
	return w.out
}

// masker is one pass over a text.
type masker struct {
	rules   *secretRules
	instead func([]byte) string
	out     []byte
	key     keyBlock
	top     []byte // the line that opened the section; nil where it cannot be known
	carry   bool   // the last line ended in the midst of a secret
	marks   []span
	scratch []uint16
}

func (w *masker) line(line []byte) {
	body := bytes.TrimRight(line, "\r\n")
	end := line[len(body):]
	inner := bytes.TrimLeft(body, "+-")
	inner = bytes.TrimLeft(inner, " \t")
	w.out = append(w.out, body[:len(body)-len(inner)]...)
	if w.key.inside(body) || w.carry {
		w.carry = w.carry && w.goesOn(inner)
		w.whole(inner)
	} else {
		w.section(body)
		w.parts(inner)
	}
	w.out = append(w.out, end...)
}

// whole masks all of a line.
func (w *masker) whole(line []byte) {
	if len(line) > 0 && !isPlaceholder(line) {
		line = []byte(w.instead(line))
	}
	w.out = append(w.out, line...)
}

// maxRounds bounds how often a line is looked at again.
const maxRounds = 8

// parts masks the secrets of a line. What is left is looked at again, since a rule may fit only now: so masking what is
// masked changes nothing.
func (w *masker) parts(line []byte) {
	w.find(line)
	w.carry = w.goesOn(line) && slices.ContainsFunc(w.marks, func(m span) bool { return m.to == len(line) })
	for range maxRounds {
		if len(w.marks) == 0 {
			break
		}
		line = replace(nil, line, w.marks, w.instead)
		w.find(line)
	}
	w.out = append(w.out, line...)
}

// goesOn reports whether the device has wrapped the line.
func (w *masker) goesOn(line []byte) bool {
	return w.rules.goesOn != "" && bytes.HasSuffix(line, []byte(w.rules.goesOn))
}

// section notes the line when it opens a top-level section. What begins like a line of a diff says that this is one,
// where the sections of most lines are not to be seen.
func (w *masker) section(body []byte) {
	switch {
	case w.rules.style == "" || len(body) == 0:
	case body[0] == '+' || body[0] == '-' || body[0] == '@':
		w.top = nil
	case w.rules.style == "paths":
		if body[0] == '/' {
			w.top = body
		}
	case !bytes.ContainsRune([]byte(" \t!#}"), rune(body[0])):
		w.top = body
	}
}

// find sets marks to the secrets of a line. What touches a placeholder of an earlier round is none.
func (w *masker) find(line []byte) {
	s := w.rules
	w.marks = w.marks[:0]
	w.scratch = s.finder.candidates(line, w.scratch[:0])
	if len(w.scratch) == 0 {
		return
	}
	done := placeholders(line)
	for _, p := range w.scratch {
		if s.section[p] != nil && w.top != nil && !s.section[p].Match(w.top) {
			continue
		}
		from := len(w.marks)
		w.marks = appendGroups(w.marks, s.finder.patterns[p], line)
		kept := slices.DeleteFunc(w.marks[from:], func(m span) bool {
			touches := func(d span) bool { return m.from < d.to && d.from < m.to }
			return slices.ContainsFunc(done, touches) || s.except[p] != nil && s.except[p].Match(line[m.from:m.to])
		})
		w.marks = w.marks[:from+len(kept)]
	}
}

// placeholders returns where Mask or Hash have been in a line.
func placeholders(line []byte) []span {
	var found []span
	for at := 0; ; {
		i := bytes.Index(line[at:], []byte("<secret"))
		if i < 0 {
			return found
		}
		from := at + i
		at = from + 1
		if n := bytes.IndexByte(line[from:], '>'); n >= 0 && isPlaceholder(line[from:from+n+1]) {
			found = append(found, span{from, from + n + 1})
		}
	}
}

// isPlaceholder reports whether text is what Mask or Hash put there.
func isPlaceholder(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte("<secret"))
	if !ok || !bytes.HasSuffix(rest, []byte(">")) {
		return false
	}
	return len(rest) == 1 || rest[0] == ':' && len(rest) == 14
}

// span is a part of a line.
type span struct{ from, to int }

// groups appends the groups of every pattern that matches line.
func (f *finder) groups(line []byte, marks []span, scratch []uint16) ([]span, []uint16) {
	scratch = f.candidates(line, scratch[:0])
	for _, p := range scratch {
		marks = appendGroups(marks, f.patterns[p], line)
	}
	return marks, scratch
}

// appendGroups appends where the groups of all matches of re lie.
func appendGroups(marks []span, re *regexp.Regexp, line []byte) []span {
	for _, m := range re.FindAllSubmatchIndex(line, -1) {
		for i := 2; i+1 < len(m); i += 2 {
			if m[i] >= 0 && m[i+1] > m[i] {
				marks = append(marks, span{m[i], m[i+1]})
			}
		}
	}
	return marks
}

// replace appends line to out, each part in marks, of which those that touch are one, replaced by what instead says.
func replace(out, line []byte, marks []span, instead func([]byte) string) []byte {
	if len(marks) > 1 {
		marks = merge(marks)
	}
	at := 0
	for _, m := range marks {
		out = append(out, line[at:m.from]...)
		out = append(out, instead(line[m.from:m.to])...)
		at = m.to
	}
	return append(out, line[at:]...)
}

// merge sorts marks and joins those that overlap.
func merge(marks []span) []span {
	slices.SortFunc(marks, func(a, b span) int { return a.from - b.from })
	joined := marks[:1]
	for _, m := range marks[1:] {
		if last := &joined[len(joined)-1]; m.from < last.to {
			last.to = max(last.to, m.to)
			continue
		}
		joined = append(joined, m)
	}
	return joined
}
