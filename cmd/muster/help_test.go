package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// TestHelpFitsEveryTerminal: in 80 columns no line of help is broken by the terminal.
func TestHelpFitsEveryTerminal(t *testing.T) {
	t.Parallel()
	p := newProgram(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, nil)
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		var out bytes.Buffer
		c.SetOut(&out)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > helpWidth {
				t.Errorf("%s --help: %d columns: %s", c.CommandPath(), n, line)
			}
		}
		for _, sub := range c.Commands() {
			if sub.Name() != "completion" { // its examples are the shells' own
				look(sub)
			}
		}
	}
	look(newRoot(p))
}

func TestWrappedTextKeepsItsTables(t *testing.T) {
	t.Parallel()
	const text = `One sentence that was
broken somewhere.

  word   what the word means, at some length
  other  short`
	const want = `One sentence that
was broken
somewhere.

  word   what the
         word means,
         at some
         length
  other  short`
	if got := wrapped(text, 20); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := wrapped("averyveryverylongwordwithoutblanks follows", 20); got != "averyveryverylongwordwithoutblanks\nfollows" {
		t.Errorf("got %q", got)
	}
	if got := wrapped("", 20); got != "" {
		t.Errorf("got %q", got)
	}
}
