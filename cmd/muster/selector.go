package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// selector is what a command takes to choose devices: its arguments and the lists of -f.
type selector struct {
	p     *program
	files []string
}

func (p *program) newSelector(c *cobra.Command) *selector {
	s := &selector{p: p}
	c.Flags().StringArrayVarP(&s.files, "file", "f", nil, "read selectors from `FILE`, one a line (- for standard input; repeatable)")
	c.Flags().Var(&p.maxAge, "max-age", "how old a good backup may be, for @stale")
	c.ValidArgsFunction = p.completeDevices
	return s
}

// terms are the selectors of the arguments and of the lists. A list that names nothing selects nothing: only where
// nobody said anything at all are they empty, which means every device.
func (s *selector) terms(args []string) ([]string, error) {
	var terms []string
	files := s.files
	for _, arg := range args {
		switch arg {
		case "":
			return nil, usage("a selector is empty")
		case "-":
			files = append(files, "-")
		default:
			terms = append(terms, arg)
		}
	}
	for _, file := range files {
		lines, err := s.p.readList(file)
		if err != nil {
			return nil, err
		}
		terms = append(terms, lines...)
	}
	if len(files) > 0 && len(terms) == 0 {
		return nil, nothing("%s names no device", listNames(files))
	}
	return terms, nil
}

// listNames are lists as people call them.
func listNames(files []string) string {
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = "the list " + file
		if file == "-" {
			names[i] = "the list on standard input"
		}
	}
	return strings.Join(names, ", ")
}

// readList reads one selector a line; blank lines and lines that begin with # say nothing.
func (p *program) readList(file string) ([]string, error) {
	in := p.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usage("read the list of selectors: %v", err)
		}
		defer f.Close()
		in = f
	}
	lines, err := listLines(in)
	if err != nil {
		return nil, usage("read the list of selectors %s: %v", file, err)
	}
	return lines, nil
}

func listLines(in io.Reader) ([]string, error) {
	var lines []string
	s := bufio.NewScanner(in)
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(s.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if line == "-" {
			return nil, fmt.Errorf("line %d: a list cannot stand for standard input", n)
		}
		lines = append(lines, line)
	}
	return lines, s.Err()
}
