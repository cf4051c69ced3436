package platform

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// Change is who changed a configuration, as far as a message tells. Both texts are a device's word: at most 128 bytes of UTF-8
// without control characters, and not to be trusted.
type Change struct {
	User string // empty: the message names nobody
	From string // an address, or what the device has for one; empty: the message does not say
}

// What is behind the first bytes of a text says nothing of a change; who is longer than anybody's name is cut.
const (
	maxText = 4 << 10
	maxWho  = 128
)

// Change reports whether a message of a device of this platform says that its configuration was changed, and by whom. What a
// session that only reads leaves in the log is no change. It is safe for concurrent use, does not allocate for a message that is
// no change, and keeps nothing of its arguments.
func (d *Def) Change(mnemonic, app, text []byte) (Change, bool) {
	_, c, ok := d.changes().find(mnemonic, app, text)
	return c, ok
}

// AnyChange is as Change for a device whose platform is not known: it asks all of them. What several platforms log alike is told
// as that of one of them, always the same. The first call reads every definition, which takes some milliseconds.
func AnyChange(mnemonic, app, text []byte) (c Change, platform string, ok bool) {
	rule, c, ok := allChanges().find(mnemonic, app, text)
	if !ok {
		return Change{}, "", false
	}
	return c, rule.platform, true
}

// changeSet holds rules. A message that is no change costs a look at its mnemonic, and for each rule without one a search for a
// word; regular expressions see only what is left.
type changeSet struct {
	named   map[string][]*changeTest // by kindOf their mnemonic
	unnamed []*changeTest
}

// changeTest is one rule, ready to be tried.
type changeTest struct {
	platform   string
	mnemonic   glob
	app        glob
	words      []word // without a mnemonic: the text has to hold one of them
	match, not *regexp.Regexp
	user, from int // groups of match; -1: none
}

func newChangeSet() *changeSet { return &changeSet{named: map[string][]*changeTest{}} }

func (s *changeSet) add(platform string, rules []changeRule) {
	for _, r := range rules {
		t := &changeTest{
			platform: platform, mnemonic: newGlob(r.Mnemonic), app: newGlob(r.App),
			match: compile(r.Match), not: compile(r.Not), user: -1, from: -1,
		}
		if t.match != nil {
			t.user, t.from = t.match.SubexpIndex("user"), t.match.SubexpIndex("from")
		}
		if kind := kindOf(r.Mnemonic); kind != "" {
			s.named[kind] = append(s.named[kind], t)
			continue
		}
		for _, text := range exactLiterals(r.Match) {
			t.words = append(t.words, newWord(text))
		}
		s.unnamed = append(s.unnamed, t)
	}
}

// kindOf returns the last part of a mnemonic, such as CONFIG_I.
func kindOf[T string | []byte](mnemonic T) T {
	for i := len(mnemonic); i > 0; i-- {
		if mnemonic[i-1] == '-' {
			return mnemonic[i:]
		}
	}
	return mnemonic
}

// allChanges are the rules of every platform together.
var allChanges = sync.OnceValue(func() *changeSet {
	s := newChangeSet()
	for _, name := range names() {
		s.add(name, definitions()[name]().file.Changes)
	}
	return s
})

// find returns the first rule that a message fits.
func (s *changeSet) find(mnemonic, app, text []byte) (*changeTest, Change, bool) {
	text = text[:min(len(text), maxText)]
	if len(mnemonic) > 0 {
		for _, t := range s.named[string(kindOf(mnemonic))] {
			if !t.mnemonic.matches(mnemonic) || !t.app.matches(app) {
				continue
			}
			if c, ok := t.try(text); ok {
				return t, c, true
			}
		}
	}
	for _, t := range s.unnamed {
		if !t.app.matches(app) || !t.worded(text) {
			continue
		}
		if c, ok := t.try(text); ok {
			return t, c, true
		}
	}
	return nil, Change{}, false
}

// worded reports whether text holds what the rule cannot do without.
func (t *changeTest) worded(text []byte) bool {
	for i := range t.words {
		if t.words[i].in(text) {
			return true
		}
	}
	return len(t.words) == 0
}

// try holds the regular expressions against a text.
func (t *changeTest) try(text []byte) (Change, bool) {
	if t.not != nil && t.not.Match(text) {
		return Change{}, false
	}
	if t.match == nil {
		return Change{}, true
	}
	groups := t.match.FindSubmatchIndex(text)
	if groups == nil {
		return Change{}, false
	}
	return Change{User: who(text, groups, t.user), From: who(text, groups, t.from)}, true
}

// who returns a group, made harmless.
func who(text []byte, groups []int, group int) string {
	if group < 0 || groups[2*group] < 0 {
		return ""
	}
	part := text[groups[2*group]:groups[2*group+1]]
	if len(part) > maxWho {
		part = part[:maxWho]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(part), "")))
}

// glob is a word in which one * may stand for anything.
type glob struct {
	head, tail string
	open       bool // there is a * between them
}

func newGlob(pattern string) glob {
	head, tail, open := strings.Cut(pattern, "*")
	return glob{head, tail, open || pattern == ""}
}

func (g *glob) matches(word []byte) bool {
	if !g.open {
		return string(word) == g.head
	}
	return len(word) >= len(g.head)+len(g.tail) &&
		string(word[:len(g.head)]) == g.head && string(word[len(word)-len(g.tail):]) == g.tail
}

// word is looked for by that byte of it which is rarest in messages: one that is common, such as the first may be, stops the
// search every few bytes.
type word struct {
	text string
	rare byte
	at   int // where rare stands
}

// commonBytes are those of messages, the commonest first.
const commonBytes = ` etaoinsrdl0123456789c:.umpfh="-/,gbyvw`

func newWord(text string) word {
	w := word{text: text}
	rarity := -1
	for i, c := range []byte(text) {
		n := strings.IndexByte(commonBytes, c)
		if n < 0 {
			n = len(commonBytes)
		}
		if n > rarity {
			w.rare, w.at, rarity = c, i, n
		}
	}
	return w
}

func (w *word) in(text []byte) bool {
	for i := w.at; i < len(text); i++ {
		n := bytes.IndexByte(text[i:], w.rare)
		if n < 0 {
			return false
		}
		i += n
		if rest := text[i-w.at:]; len(rest) >= len(w.text) && string(rest[:len(w.text)]) == w.text {
			return true
		}
	}
	return false
}
