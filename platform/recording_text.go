package platform

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A recording is a txtar archive: "key: value" lines, then blocks that each begin with a line "-- word rest --".
//
//	platform: cisco_ios            the header: platform, hardware, version, origin, host, exec, prompt,
//	prompt: "sw1>"                 pager, pager-erase, pager-lines, pager-off
//	-- motd --                     also banner
//	-- > enable --                 a step: the command, then what it prints
//	-- ask "Password: " --         these four and stderr belong to the step before them
//	-- prompt "sw1#" --
//	-- exit 1 --
//	-- closes --
//	-- stderr --
//	-- want config --              also masked, facts, secrets, match, nomatch, unchanged
//
// A value that begins with a double quote is a Go string. So is a line of a block that begins with \", for what a text
// file does not keep: control characters, blanks at the end, lines that look like a block. A block whose last line is
// a lone backslash ends without a newline.

// block is one "-- name --" with its lines.
type block struct {
	line int // of its marker, from 1
	name string
	text string
}

// ParseRecording reads the txtar form of a Recording; Format writes it.
func ParseRecording(data []byte) (*Recording, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("parse recording: not UTF-8")
	}
	header, blocks, err := splitBlocks(string(data))
	if err != nil {
		return nil, fmt.Errorf("parse recording: %w", err)
	}
	r := &Recording{}
	if err := r.parseHeader(header); err != nil {
		return nil, fmt.Errorf("parse recording: %w", err)
	}
	for _, b := range blocks {
		if err := r.parseBlock(b); err != nil {
			return nil, fmt.Errorf("parse recording: line %d: %w", b.line, err)
		}
	}
	return r, nil
}

// splitBlocks cuts a txtar archive into its header lines and its blocks, quoted lines undone.
func splitBlocks(data string) (header []string, blocks []block, err error) {
	for i, line := range strings.Split(strings.TrimSuffix(data, "\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if name, ok := marker(line); ok {
			blocks = append(blocks, block{line: i + 1, name: name})
			continue
		}
		if len(blocks) == 0 {
			header = append(header, line)
			continue
		}
		b := &blocks[len(blocks)-1]
		switch {
		case strings.HasPrefix(line, `\"`):
			if line, err = strconv.Unquote(line[1:]); err != nil {
				return nil, nil, fmt.Errorf("line %d: bad quoted line", i+1)
			}
		case line == `\`:
			b.text = strings.TrimSuffix(b.text, "\n")
			continue
		case strings.HasPrefix(line, `\`):
			return nil, nil, fmt.Errorf(`line %d: a line that begins with a backslash must be quoted: \"..."`, i+1)
		}
		b.text += line + "\n"
	}
	return header, blocks, nil
}

// marker returns the name of a block when line is its first line.
func marker(line string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(line, "-- ")
	if !ok {
		return "", false
	}
	rest, ok = strings.CutSuffix(rest, " --")
	name = strings.TrimSpace(rest)
	return name, ok && name != ""
}

// parseHeader reads the "key: value" lines; blank lines and lines that begin with '#' are for people.
func (r *Recording) parseHeader(lines []string) error {
	pager := RecordedPager{}
	fields := map[string]any{
		"platform": &r.Platform, "hardware": &r.Hardware, "version": &r.Version, "origin": &r.Origin, "host": &r.Host,
		"exec": &r.Exec, "prompt": &r.Prompt,
		"pager": &pager.Prompt, "pager-erase": &pager.Erase, "pager-lines": &pager.Lines, "pager-off": &pager.Off,
	}
	for i, line := range lines {
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		key, text, _ := strings.Cut(line, ":")
		if err := setField(fields, key, text); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if pager != (RecordedPager{}) {
		r.Pager = &pager
	}
	return nil
}

// setField sets the field that belongs to key and forgets it, so that a key given twice is an unknown one.
func setField(fields map[string]any, key, text string) error {
	text, err := value(text)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	switch field := fields[key].(type) {
	case *string:
		*field = text
	case *int:
		if *field, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("%s: not a number", key)
		}
	case *bool:
		if text != "yes" && text != "no" {
			return fmt.Errorf("%s: yes or no", key)
		}
		*field = text == "yes"
	default:
		return fmt.Errorf("unknown key, or a second time: %q", key)
	}
	delete(fields, key)
	return nil
}

// value undoes the quotes of a value that has some.
func value(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, `"`) {
		return text, nil
	}
	text, err := strconv.Unquote(text)
	if err != nil {
		return "", errors.New("bad quoted value")
	}
	return text, nil
}

func (r *Recording) parseBlock(b block) error {
	word, rest, _ := strings.Cut(b.name, " ")
	rest, err := value(rest)
	if err != nil {
		return err
	}
	switch word {
	case "banner":
		r.Banner = b.text
	case "motd":
		r.Motd = b.text
	case ">":
		r.Steps = append(r.Steps, Step{Send: rest, Output: b.text})
	case "want":
		return r.Want.parse(rest, b.text)
	default:
		return r.parseOfStep(word, rest, b.text)
	}
	return nil
}

// parseOfStep reads a block that belongs to the step before it.
func (r *Recording) parseOfStep(word, rest, text string) error {
	if len(r.Steps) == 0 {
		return fmt.Errorf("%q stands before the first step, or is no block", word)
	}
	s := &r.Steps[len(r.Steps)-1]
	var err error
	switch word {
	case "ask":
		s.Ask = rest
	case "prompt":
		s.Prompt = rest
	case "stderr":
		s.Stderr = text
	case "closes":
		s.Closes = true
	case "exit":
		if s.Exit, err = strconv.Atoi(rest); err != nil {
			return errors.New("exit: not a number")
		}
	default:
		return fmt.Errorf("unknown block %q", word)
	}
	return nil
}

func (w *Want) parse(what, text string) error {
	lists := map[string]*[]string{"secrets": &w.Secrets, "match": &w.Match, "nomatch": &w.NoMatch, "unchanged": &w.Unchanged}
	switch what {
	case "config":
		w.Config = text
	case "masked":
		w.Masked = text
	case "facts":
		return w.parseFacts(text)
	default:
		list, ok := lists[what]
		if !ok {
			return fmt.Errorf("unknown block %q", "want "+what)
		}
		*list = splitLines(text)
	}
	return nil
}

func (w *Want) parseFacts(text string) error {
	fields := map[string]any{"hostname": &w.Hostname, "model": &w.Model, "version": &w.Version, "serial": &w.Serial}
	for _, line := range splitLines(text) {
		key, text, _ := strings.Cut(line, ":")
		if err := setField(fields, key, text); err != nil {
			return fmt.Errorf("facts: %w", err)
		}
	}
	return nil
}

// splitLines returns the lines of a text; none for an empty one.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
