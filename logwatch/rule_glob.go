package logwatch

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// words is a list of globs, one of which has to be all of a word.
type words struct {
	plain  []string       // those without a special character
	others *regexp.Regexp // the others; nil: there is none
	source string         // of others
}

// newWords compiles globs; nil, if there is none.
func newWords(globs []string) (*words, error) {
	if len(globs) == 0 {
		return nil, nil
	}
	w := &words{}
	var others []string
	for _, glob := range globs {
		if glob == "" {
			return nil, errors.New("one of them is empty: remove it, or write *")
		}
		if !strings.ContainsAny(glob, "*?[") {
			w.plain = append(w.plain, glob)
			continue
		}
		source, err := globSource(glob)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", glob, err)
		}
		others = append(others, source)
	}
	if len(others) == 0 {
		return w, nil
	}
	w.source = `(?s)\A(?:` + strings.Join(others, "|") + `)\z`
	re, err := regexp.Compile(w.source)
	if err != nil {
		return nil, err
	}
	w.others = re
	return w, nil
}

// globSource is a glob as a regular expression.
func globSource(glob string) (string, error) {
	var b strings.Builder
	for glob != "" {
		n := strings.IndexAny(glob, "*?[")
		if n < 0 {
			n = len(glob)
		}
		writeText(&b, glob[:n])
		if glob = glob[n:]; glob == "" {
			break
		}
		switch glob[0] {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '[':
			end := strings.IndexByte(glob, ']')
			if end < 0 {
				return "", errors.New("a [ without its ]")
			}
			if err := writeClass(&b, glob[1:end]); err != nil {
				return "", err
			}
			glob = glob[end:]
		}
		glob = glob[1:]
	}
	return b.String(), nil
}

// writeText writes what is to be found in upper or lower case. (?i) would find letters beyond ASCII too.
func writeText(b *strings.Builder, text string) {
	for _, c := range text {
		upper, lower := strings.ToUpper(string(c)), strings.ToLower(string(c))
		if c < utf8.RuneSelf && upper != lower {
			b.WriteString("[" + upper + lower + "]")
			continue
		}
		b.WriteString(regexp.QuoteMeta(string(c)))
	}
}

// writeClass writes what stands between the brackets of a glob.
func writeClass(b *strings.Builder, class string) error {
	rest := strings.TrimLeft(class, "!^")
	if rest == "" || len(class)-len(rest) > 1 {
		return fmt.Errorf("[%s] holds no character", class)
	}
	b.WriteString("(?i:[")
	if rest != class {
		b.WriteByte('^')
	}
	for _, c := range rest {
		if strings.ContainsRune(`\[]^&~`, c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	b.WriteString("])")
	if _, err := regexp.Compile(b.String()); err != nil {
		return fmt.Errorf("[%s] is no list of characters: write [abc] or [a-c]", class)
	}
	return nil
}

// match tells whether one of them is all of a word; there being no list, any is.
func (w *words) match(word []byte) bool {
	if w == nil {
		return true
	}
	for _, p := range w.plain {
		if equalFold(word, p) {
			return true
		}
	}
	return w.others != nil && w.others.Match(word)
}

// equalFold tells whether two texts are equal but for ASCII letters in upper and lower case.
func equalFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lower(c) != lower(b[i]) {
			return false
		}
	}
	return true
}

// lower is an ASCII letter in lower case, and any other byte as it is.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// lowered is a text with its ASCII letters in lower case. That of package strings would change letters that are written
// with more than a byte, which a text is searched for as they are.
func lowered(text string) string {
	b := []byte(text)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

// literals are those of a word that one of them matches.
func (w *words) literals() literals {
	if w == nil {
		return nil
	}
	var all literals
	for _, p := range w.plain {
		all = append(all, lowered(p))
	}
	if w.others != nil {
		some := requiredLiterals(w.source)
		if some == nil {
			return nil
		}
		all = append(all, some...)
	}
	return all
}
