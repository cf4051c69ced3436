package inventory

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	iniSection = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$`)
	iniGroup   = regexp.MustCompile(`^([^:\]\s]+)\s*(?:#.*)?$`)
)

// ansibleINI reads an inventory of sections.
type ansibleINI struct {
	*ansible
	group *ansibleGroup
	state string // what the section holds: hosts, children or vars
	room  int
}

// ini reads a whole file.
func (a *ansible) ini(data []byte) {
	p := &ansibleINI{ansible: a, group: a.groups["ungrouped"], state: "hosts", room: maxExpand}
	for n, line := range lines(data) {
		text := strings.TrimSpace(line)
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		col := 1 + strings.Index(line, text)
		if err := p.line(n, col, text); err != nil && !a.r.bad(n, col, err) {
			return
		}
	}
}

func (p *ansibleINI) line(n, col int, text string) error {
	if m := iniSection.FindStringSubmatch(text); m != nil {
		return p.section(n, col, m[1], m[2])
	}
	if text[0] == '[' && text[len(text)-1] == ']' {
		p.state = "" // what follows belongs to nobody
		return errors.New("a section is [group], [group:children] or [group:vars], without blanks")
	}
	switch p.state {
	case "hosts":
		return p.hosts(n, col, text)
	case "children":
		return p.children(n, col, text)
	case "vars":
		return p.variable(n, col, text)
	}
	return nil
}

func (p *ansibleINI) section(n, col int, name, state string) error {
	if state == "" {
		state = "hosts"
	}
	if p.state = state; state != "hosts" && state != "children" && state != "vars" {
		p.state = ""
		return fmt.Errorf("a section of a group is :children or :vars, not :%s", printable(state))
	}
	p.group = p.ansible.group(name, n, col)
	if state != "vars" {
		p.group.declared = true
	}
	return nil
}

// hosts reads a host or a range of them with variables behind.
func (p *ansibleINI) hosts(n, col int, text string) error {
	words, err := shellWords(text)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return nil
	}
	names, port, err := expandHosts(words[0], &p.room)
	if err != nil {
		return err
	}
	vars := ansibleVars{}
	for _, word := range words[1:] {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return errors.New("after the host there are only name=value; blanks in a value need quotes")
		}
		vars[name] = p.value(value, n, col)
	}
	for _, name := range names {
		p.host(name, port, p.group, n, col, vars)
	}
	return nil
}

func (p *ansibleINI) children(n, col int, text string) error {
	m := iniGroup.FindStringSubmatch(text)
	if m == nil {
		return errors.New("in a section :children there is one group a line")
	}
	return p.group.child(p.ansible.group(m[1], n, col))
}

// variable reads name = value. The value is the rest of the line, with what looks like a comment.
func (p *ansibleINI) variable(n, col int, text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("in a section :vars there is name=value a line")
	}
	p.group.vars[strings.TrimSpace(name)] = p.value(strings.TrimSpace(value), n, col)
	return nil
}

// value is that of a variable. Python's word for nothing is null.
func (p *ansibleINI) value(text string, n, col int) ansibleVar {
	return ansibleVar{text: literal(text), null: text == "None", file: p.r.file, line: n, col: col}
}

// literal returns the text of a value that Python would take for a literal: quotes go away, and with them a comment
// behind. A number is what it is written as, but for its comment.
func literal(value string) string {
	if m := iniNumber.FindStringSubmatch(value); m != nil {
		return m[1]
	}
	text, ok := unquotePython(value)
	if !ok {
		return value
	}
	return text
}

var iniNumber = regexp.MustCompile(`^([0-9]+)\s*#.*$`)

// unquotePython reads a quoted text with nothing but a comment behind it.
func unquotePython(value string) (string, bool) {
	if len(value) < 2 || value[0] != '\'' && value[0] != '"' {
		return "", false
	}
	var out strings.Builder
	for i := 1; i < len(value); i++ {
		switch c := value[i]; {
		case c == value[0]:
			rest := strings.TrimSpace(value[i+1:])
			return out.String(), rest == "" || rest[0] == '#'
		case c == '\\' && i+1 < len(value):
			i++
			out.WriteString(pythonEscape(value[i]))
		default:
			out.WriteByte(c)
		}
	}
	return "", false
}

// pythonEscape returns what a backslash before a letter means; before one without a meaning it stays. Escapes by number
// stay too: nobody writes a password so.
func pythonEscape(c byte) string {
	switch c {
	case '\\', '\'', '"':
		return string(rune(c))
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	}
	return `\` + string(rune(c))
}

// shellWords parts a line as a shell does, with # for a comment wherever it stands outside of quotes.
func shellWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '#':
			i = len(line)
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		case c == '\'' || c == '"':
			n, ok := quotedWord(&word, line[i:])
			if !ok {
				return nil, errors.New("a quote has no end")
			}
			i, inWord = i+n, true
		case c == '\\':
			if i+1 == len(line) {
				return nil, errors.New("a backslash stands at the end")
			}
			_, n := utf8.DecodeRuneInString(line[i+1:])
			word.WriteString(line[i+1 : i+1+n])
			i, inWord = i+n, true
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// quotedWord adds what stands in quotes and returns how far behind the first quote the last one is.
func quotedWord(word *strings.Builder, s string) (int, bool) {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == s[0]:
			return i, true
		case c == '\\' && s[0] == '"' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			word.WriteByte(s[i])
		default:
			word.WriteByte(c)
		}
	}
	return 0, false
}
