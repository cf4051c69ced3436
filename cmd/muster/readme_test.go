package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestREADMENamesWhatThereIs: each command line of the README is one that the program takes.
func TestREADMENamesWhatThereIs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^    (?:\$ )?muster (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) < 8 {
		t.Fatalf("the README shows %d command lines; is its form another now?", len(lines))
	}
	meaning := regexp.MustCompile(`   +.*`) // what stands beside a command
	for _, line := range lines {
		words := strings.Fields(strings.ReplaceAll(meaning.ReplaceAllString(line[1], ""), "'", ""))
		root := newRoot(newProgram(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, nil))
		c, args, err := root.Find(words)
		if err != nil || c == root {
			t.Errorf("muster %s: there is no such command (%v)", line[1], err)
			continue
		}
		if err := c.ParseFlags(args); err != nil {
			t.Errorf("muster %s: %v", line[1], err)
		}
		if c.Args == nil {
			continue
		}
		if err := c.ValidateArgs(c.Flags().Args()); err != nil {
			t.Errorf("muster %s: %v", line[1], err)
		}
	}
}
