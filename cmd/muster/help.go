package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The width of help: that of the terminal, within reason; without one what every terminal has.
const (
	helpWidth    = 80
	helpWidthMax = 120
)

// fitHelp makes help as wide as the terminal is, so that no line of it is broken in the middle of a word.
func (p *program) fitHelp(root *cobra.Command) {
	width := p.helpWidth()
	fit := strings.NewReplacer(".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", width),
		"for more information about a command.", "for more about a command.") // with three names in front the line is too long
	root.SetUsageTemplate(fit.Replace(root.UsageTemplate()))
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.Long = wrapped(c.Long, width)
		help(c, args)
	})
}

func (p *program) helpWidth() int {
	fd, ok := terminalOf(p.stdout)
	if !ok {
		return helpWidth
	}
	width, _, err := term.GetSize(fd)
	if err != nil {
		return helpWidth
	}
	return max(helpWidth/2, min(width, helpWidthMax))
}

// wrapped breaks text anew. Lines that begin with a blank stay lines of their own, as those of tables do: what does not fit
// goes on below the last of their columns.
func wrapped(text string, width int) string {
	var out []string
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			out = append(out, wrapLine(strings.Join(paragraph, " "), "", width))
			paragraph = nil
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if line != "" && line[0] != ' ' {
			paragraph = append(paragraph, line)
			continue
		}
		flush()
		out = append(out, wrapLine(line, strings.Repeat(" ", lastColumn(line)), width))
	}
	flush()
	return strings.Join(out, "\n")
}

// gap is what parts the columns of a line of a table.
var gap = regexp.MustCompile(`\S  +`)

// lastColumn is where the last column of a line begins.
func lastColumn(line string) int {
	at := len(line) - len(strings.TrimLeft(line, " "))
	if gaps := gap.FindAllStringIndex(line, -1); gaps != nil {
		at = gaps[len(gaps)-1][1]
	}
	return at
}

// wrapLine breaks one line between words; all but the first begin with indent.
func wrapLine(line, indent string, width int) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.SplitAfter(line, " ") {
		n := utf8.RuneCountInString(word)
		if i > 0 && used+utf8.RuneCountInString(strings.TrimRight(word, " ")) > width && used > len(indent) {
			b.WriteString("\n" + indent)
			used = len(indent)
		}
		b.WriteString(word)
		used += n
	}
	return trimLines(b.String())
}

func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
