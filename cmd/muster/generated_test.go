package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/musternet/muster/app"
)

var update = flag.Bool("update", false, "write the generated docs and the goldens anew")

func TestGeneratedReferenceIsFresh(t *testing.T) {
	root := newRoot(newProgram(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, nil))
	for name, page := range map[string]string{
		"failures.md":        failuresPage(),
		"commands.md":        commandsPage(root),
		"muster.schema.json": string(app.SettingsSchema()),
	} {
		file := filepath.Join("..", "..", "docs", "reference", name)
		if *update {
			if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		old, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(old) != page {
			t.Errorf("%s is stale: refresh it with make docs", file)
		}
	}
}

func TestEveryCommandHasAShortAndAnExample(t *testing.T) {
	root := newRoot(newProgram(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, nil))
	for _, c := range commandsBelow(root) {
		if c.Name() == "completion" {
			continue // made by cobra
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || strings.Contains(c.Short, "\n") {
			t.Errorf("%s: Short is %q: want one line without a full stop", c.CommandPath(), c.Short)
		}
		if !strings.Contains(c.Example, "muster ") {
			t.Errorf("%s has no Example", c.CommandPath())
		}
	}
}

// failuresPage is docs/reference/failures.md.
func failuresPage() string {
	var b strings.Builder
	b.WriteString(`# Failure codes

Every failure of a device has a stage (what was being done), a code (a stable word), the cause in words and what to try; the stage of
Cisco ISE is ise. The code is the same in tables, JSON and metrics; ` + "`muster explain CODE`" + ` prints its part of this page, which is
generated.
`)
	for _, c := range explained() {
		b.WriteString("\n" + codePage(c))
	}
	return b.String()
}

// commandsPage is docs/reference/commands.md.
func commandsPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\n" + root.Long + "\n\n" + outputRules)
	b.WriteString("\n## Flags of every command\n\n```\n" + flagTable(root.PersistentFlags()) + "```\n")
	for _, c := range commandsBelow(root) {
		b.WriteString("\n" + commandPart(c))
	}
	return b.String()
}

const outputRules = `## Output

Data goes to standard output; progress, hints, warnings and logs go to standard error. Without a terminal the progress is a line each 10 s;
` + "`-q`" + ` leaves it out. ` + "`-o`" + ` takes:

- ` + "`table`" + `: for people, coloured on a terminal.
- ` + "`json`" + `: one document, ` + "`{\"results\": [...], \"summary\": {...}}`" + `; ` + "`history -o json`" + ` is the array alone. Each result has its "index", the place in the input.
- ` + "`ndjson`" + `: one object a line in the order of completion, with its "index"; the summary goes to standard error.
- ` + "`csv`" + `: with a heading, the fields of JSON in their order.
- ` + "`list`" + `: one name a line, made for ` + "`-f -`" + ` of another muster.

All but ndjson keep the order of the input. Field names are snake_case; durations end in ` + "`_ms`" + `, times are RFC 3339 in UTC.

What comes from a device is never trusted: in tables, lists, CSV and errors, control characters, bytes that are not UTF-8, and characters that
turn or hide text stand as escapes such as ` + "`\\x1b`" + `. JSON is always valid: bytes that are not UTF-8 become U+FFFD, so that a text with
such bytes is exact only in ` + "`muster show`" + ` and ` + "`muster run`" + `, which print byte for byte where standard output is not a terminal.

A duration is written as 90s, 2h30m, 1d or 2w.
`

// commandsBelow lists the commands of a tree that do something, sorted by their path.
func commandsBelow(c *cobra.Command) []*cobra.Command {
	var found []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.Name() == "help" || sub.Hidden {
			continue
		}
		if sub.HasSubCommands() && sub.Name() != "completion" { // the pages of the shells are for their users' terminals
			found = append(found, commandsBelow(sub)...)
			continue
		}
		found = append(found, sub)
	}
	slices.SortFunc(found, func(a, b *cobra.Command) int { return strings.Compare(a.CommandPath(), b.CommandPath()) })
	return found
}

func commandPart(c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", c.CommandPath())
	long := c.Long
	if long == "" {
		long = c.Short + "."
	}
	fmt.Fprintf(&b, "    %s\n\n%s\n", c.UseLine(), strings.ReplaceAll(strings.TrimSpace(long), "\n  ", "\n    "))
	if c.Example != "" {
		fmt.Fprintf(&b, "\n```\n%s\n```\n", unindented(c.Example))
	}
	if c.LocalNonPersistentFlags().HasAvailableFlags() {
		fmt.Fprintf(&b, "\n```\n%s```\n", flagTable(c.LocalNonPersistentFlags()))
	}
	return b.String()
}

func flagTable(f *pflag.FlagSet) string { return unindented(f.FlagUsages()) }

// unindented takes two blanks away from each line.
func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "  ")
	}
	return strings.Join(lines, "\n")
}
