package platform

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"unicode"

	"github.com/musternet/muster/session"
)

// A device complains in the first lines of an answer, or breaks off and complains in the last ones. What stands between
// may well be a configuration that quotes an error message.
const (
	errorHead = 6
	errorTail = 3
)

// complaint returns the line in which the device says that it did not do what it was told, fit to be shown; empty for
// a good answer.
func (d *Def) complaint(out session.Output) string {
	for line := range headAndTail(out.Text) {
		if bad, _ := d.lines().errors.matches([]byte(line), nil); bad {
			return d.showable(line)
		}
	}
	if out.ExitStatus > 0 {
		said, _, _ := strings.Cut(strings.TrimSpace(out.Stderr), "\n")
		return strings.TrimSpace(fmt.Sprintf("exit status %d %s", out.ExitStatus, d.showable(said)))
	}
	return ""
}

// headAndTail yields the first and last lines that are not blank, without looking at those between.
func headAndTail(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		text = strings.TrimSpace(text)
		for n := 0; n < errorHead && text != ""; n++ {
			var line string
			line, text, _ = strings.Cut(text, "\n")
			text = strings.TrimLeftFunc(text, unicode.IsSpace)
			if !yield(strings.TrimSpace(line)) {
				return
			}
		}
		for n := 0; n < errorTail && text != ""; n++ {
			i := strings.LastIndexByte(text, '\n')
			line := strings.TrimSpace(text[i+1:])
			text = strings.TrimRightFunc(text[:max(i, 0)], unicode.IsSpace)
			if !yield(line) {
				return
			}
		}
	}
}

// showable masks a line of the device and takes out what could play tricks with a terminal.
func (d *Def) showable(line string) string {
	line = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, string(d.Mask([]byte(strings.TrimSpace(line)))))
	if runes := []rune(line); len(runes) > 160 {
		return string(runes[:160]) + "..."
	}
	return line
}

// lacks says what a configuration lacks to be whole; empty for a complete one.
func (d *Def) lacks(raw []byte, status int) string {
	rules, want := d.lines(), d.file.Complete
	text := bytes.TrimSpace(raw)
	switch {
	case rules.begin != nil && !beginsWith(text, rules.begin.Match):
		return "it does not begin as a configuration does"
	case rules.end != nil && !rules.end.Match(bytes.TrimSpace(text[bytes.LastIndexByte(text, '\n')+1:])):
		return "the mark that ends a configuration is not there"
	case want.Status && status != 0:
		return "there is no exit status 0"
	case want.Balanced == "braces" && openBraces(text) != 0:
		return "not every brace is closed"
	case want.Balanced == "config" && openBlocks(text) != 0:
		return "not every config has its end"
	}
	if line := rules.gapIn(text); line != nil {
		return "the device says: " + d.showable(string(line))
	}
	return ""
}

// gapIn returns the line in which the device says that it left a part out; nil if there is none.
func (r *lineRules) gapIn(text []byte) []byte {
	if r.gap == nil {
		return nil
	}
	var scratch []uint16
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, blanks)
		var found bool
		if found, scratch = r.gap.matches(line, scratch); found {
			return line
		}
	}
	return nil
}

// beginsWith tells whether one of the first lines matches.
func beginsWith(text []byte, match func([]byte) bool) bool {
	n := 0
	for line := range bytes.Lines(text) {
		if match(bytes.TrimSpace(line)) {
			return true
		}
		if n++; n == errorHead {
			break
		}
	}
	return false
}

// openBraces counts the lines that open a block less those that close one: in JunOS a brace that does so ends its line.
func openBraces(text []byte) int {
	depth := 0
	for line := range bytes.Lines(text) {
		line, _, _ = bytes.Cut(bytes.TrimSpace(line), []byte(" ## "))
		switch {
		case bytes.HasSuffix(line, []byte("{")):
			depth++
		case bytes.Equal(line, []byte("}")):
			depth--
		}
	}
	return depth
}

// openBlocks counts "config ..." less "end", and "edit ..." less "next".
func openBlocks(text []byte) int {
	depth := 0
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		switch {
		case bytes.HasPrefix(line, []byte("config ")), bytes.HasPrefix(line, []byte("edit ")):
			depth++
		case bytes.Equal(line, []byte("end")), bytes.Equal(line, []byte("next")):
			depth--
		}
	}
	return depth
}
