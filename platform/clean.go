package platform

import (
	"bytes"
	"regexp"
)

// salted stands where a device prints a value encrypted anew each time it is asked, which would be a change every day.
const salted = "<salted>"

// blanks at the end of a line are no part of it.
const blanks = "\r\n\t "

// lineRules are what the lines of an output are held against.
type lineRules struct {
	volatile *finder
	values   *finder // each group is a value that changes by itself
	keys     bool    // private keys are such values
	goesOn   string  // what a line ends with that goes on in the next one
	errors   *finder
	begin    *regexp.Regexp
	end      *regexp.Regexp
	gap      *finder     // nil: none
	facts    []factRules // as in the definition
}

func newLineRules(f *definition) *lineRules {
	r := &lineRules{
		volatile: newFinder(f.Volatile), values: newFinder(f.VolatileValues), keys: f.VolatileKeys, goesOn: f.Continuation, errors: newFinder(f.Errors),
		begin: compile(f.Complete.Begin), end: compile(f.Complete.End),
	}
	if f.Complete.Gap != "" {
		r.gap = newFinder([]string{f.Complete.Gap})
	}
	for _, facts := range f.Facts {
		r.facts = append(r.facts, newFactRules(facts))
	}
	return r
}

// Clean removes what is not configuration from a complete output: volatile lines, headers, CR, trailing blanks.
func (d *Def) Clean(raw []byte) []byte {
	rules := d.lines()
	raw = joined(raw, rules.goesOn)
	var (
		out     = make([]byte, 0, len(raw)+1)
		scratch []uint16
		gone    bool
		key     keyBlock
		marks   []span
		blank   int // blank lines held back: at the end of the text they are dropped
	)
	for line := range bytes.Lines(raw) {
		line = bytes.TrimRight(line, blanks)
		if gone, scratch = rules.volatile.matches(line, scratch); gone {
			continue
		}
		if len(line) == 0 {
			blank++
			continue
		}
		if len(out) > 0 {
			out = append(out, newlines(blank)...)
		}
		blank = 0
		if rules.keys && key.inside(line) {
			out = append(append(out, salted...), '\n')
			continue
		}
		marks, scratch = rules.values.groups(line, marks[:0], scratch)
		out = append(replace(out, line, marks, func([]byte) string { return salted }), '\n')
	}
	return out
}

// joined puts lines together that the device has wrapped, so that one setting is one line in a diff.
func joined(raw []byte, mark string) []byte {
	if mark == "" {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for line := range bytes.Lines(raw) {
		if len(out) > 0 && out[len(out)-1] != '\n' {
			line = bytes.TrimLeft(line, " \t")
		}
		head, wrapped := unwrapped(bytes.TrimRight(line, blanks), []byte(mark))
		if out = append(out, head...); !wrapped {
			out = append(out, '\n')
		}
	}
	return out
}

// unwrapped takes the mark from the end of a line that goes on in the next one. Two marks are one that is quoted.
func unwrapped(line, mark []byte) (head []byte, wrapped bool) {
	for {
		body := bytes.TrimRight(line, blanks)
		marks := 0
		for rest := body; bytes.HasSuffix(rest, mark); rest = rest[:len(rest)-len(mark)] {
			marks++
		}
		if marks%2 == 0 {
			return line, wrapped
		}
		line, wrapped = body[:len(body)-len(mark)], true
	}
}

// newlines returns n of them: what lies between two blocks of a configuration stays as the device prints it.
func newlines(n int) []byte { return bytes.Repeat([]byte{'\n'}, n) }

// keyBlock follows a text into and out of a private key in PEM form.
type keyBlock struct{ in bool }

var (
	pemBegin = []byte("-----BEGIN ")
	pemKey   = []byte("PRIVATE KEY-----")
	pemEnd   = []byte("-----END ")
)

// inside reports whether line is part of the key itself; the lines of its BEGIN and END are not.
func (k *keyBlock) inside(line []byte) bool {
	if k.in {
		k.in = !bytes.Contains(line, pemEnd)
		return k.in
	}
	k.in = bytes.Contains(line, pemBegin) && bytes.Contains(line, pemKey) && !bytes.Contains(line, pemEnd)
	return false
}
