package inventory

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// cloginrc is what a .cloginrc says: for each directive its lines, of which the first whose pattern fits counts. The file
// is a program in Tcl; what is understood here is what its manual describes.
type cloginrc struct {
	r     *rows
	env   *Env
	lines map[string][]cloginLine
	open  []string // files that are being read, each included by the one before
	files int
	shown bool // what is read now is no secret

	secrets map[string]bool // files that hold passwords
}

// cloginLine is one "add": a pattern of names, and the values behind it.
type cloginLine struct {
	glob   string
	values []string
}

// read adds the lines of a file, and of those that it includes, where it includes them.
func (c *cloginrc) read(file string, data []byte) {
	was := c.r.file
	c.r.file, c.open = file, append(c.open, filepath.Clean(c.env.expand(file)))
	defer func() { c.r.file, c.open = was, c.open[:len(c.open)-1] }()
	for n, line := range lines(data) {
		for rest := line; rest != ""; {
			words, after, err := c.words(rest)
			if err == nil {
				err = c.command(words, file)
			}
			if err != nil {
				if !c.r.bad(n, 1+len(line)-len(strings.TrimLeft(rest, " \t")), err) {
					return
				}
				break
			}
			rest = after
		}
	}
}

// command carries one out.
func (c *cloginrc) command(words []string, file string) error {
	switch {
	case len(words) == 0:
		return nil
	case words[0] == "include" && len(words) == 2:
		return c.include(words[1])
	case words[0] != "add":
		return errors.New("a line is add DIRECTIVE PATTERN VALUE..., or include FILE")
	case len(words) < 3:
		return errors.New("after add there are a directive, a pattern of names and values")
	}
	if c.secrets == nil {
		c.secrets = map[string]bool{}
	}
	c.secrets[file] = c.secrets[file] || isCloginSecret(words[1])
	values := make([]string, 0, len(words)-3)
	for _, word := range words[3:] {
		if words[1] != "method" {
			items, err := tclList(word)
			if err != nil {
				return fmt.Errorf("the value of %s: %w", printable(words[1]), err)
			}
			word = strings.Join(items, "")
		}
		values = append(values, word)
	}
	c.lines[words[1]] = append(c.lines[words[1]], cloginLine{words[2], values})
	return nil
}

// isCloginSecret says that the values of a directive are secrets.
func isCloginSecret(directive string) bool {
	return strings.HasPrefix(directive, "pass") || directive == "userpassword"
}

// include reads another file; one that has no full path is beside the first, which is in the home of who runs RANCID.
func (c *cloginrc) include(name string) error {
	path := c.env.expand(name)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(c.env.expand(c.r.spec.File)), path)
	}
	if slices.Contains(c.open, path) {
		return errors.New("it includes itself")
	}
	if c.files++; len(c.open) > maxInclude || c.files > maxIncluded {
		return errors.New("includes are nested too deep")
	}
	data, err := readRegular(path)
	if err == nil {
		err = checkText(path, data)
	}
	if err != nil {
		return fmt.Errorf("include %s: %w", printable(name), cause(err))
	}
	c.read(path, data)
	return nil
}

// words parts one command into its words as Tcl does, up to the end of the line or a semicolon, and returns what follows.
func (c *cloginrc) words(line string) (words []string, rest string, err error) {
	for s := line; ; {
		s = strings.TrimLeft(s, " \t\r")
		switch {
		case s == "":
			return words, "", nil
		case s[0] == '#' && len(words) == 0:
			return nil, "", nil
		case s[0] == ';':
			return words, s[1:], nil
		}
		c.shown = len(words) < 3 || !isCloginSecret(words[1])
		var word string
		if word, s, err = c.word(s); err != nil {
			return nil, "", err
		}
		words = append(words, word)
	}
}

var errBrace = errors.New("a { has no } in its line")

// word reads one word: in braces as it stands, else with its backslashes and variables replaced.
func (c *cloginrc) word(s string) (word, rest string, err error) {
	if s[0] == '{' {
		n := closingBrace(s)
		if n < 0 {
			return "", "", errBrace
		}
		if rest = s[n+1:]; rest != "" && !strings.ContainsAny(rest[:1], " \t\r;") {
			return "", "", errors.New("there is something behind a }")
		}
		return s[1:n], rest, nil
	}
	end := " \t\r;"
	if s[0] == '"' {
		s, end = s[1:], `"`
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case strings.IndexByte(end, ch) >= 0:
			if end != `"` {
				return out.String(), s[i:], nil
			}
			if rest = s[i+1:]; rest != "" && !strings.ContainsAny(rest[:1], " \t\r;") {
				return "", "", errors.New("there is something behind a quote")
			}
			return out.String(), rest, nil
		case ch == '\\' && i+1 < len(s):
			text, n := tclEscape(s[i+1:])
			out.WriteString(text)
			i += n
		case ch == '$':
			value, n, err := c.variable(s[i:])
			if err != nil {
				return "", "", err
			}
			out.WriteString(value)
			i += n - 1
		case ch == '[':
			return "", "", errors.New("a [ outside of braces is a command, which muster does not run: put it in braces")
		default:
			out.WriteByte(ch)
		}
	}
	if end == `"` {
		return "", "", errors.New("a quote has no end")
	}
	return out.String(), "", nil
}

// closingBrace returns where the brace that s begins with is closed; -1: nowhere.
func closingBrace(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

var tclEnv = regexp.MustCompile(`^\$(?:\{env\(([A-Za-z_]\w*)\)\}|env\(([A-Za-z_]\w*)\))`)

// variable reads $env(NAME), and returns how long that is.
func (c *cloginrc) variable(s string) (value string, n int, err error) {
	m := tclEnv.FindStringSubmatch(s)
	if m == nil {
		return "", 0, errors.New("a $ outside of braces is a variable; muster knows $env(NAME) alone")
	}
	name := m[1] + m[2]
	if name == "HOME" {
		return c.env.home(), len(m[0]), nil
	}
	if c.shown && secretVariable(name) {
		return "", 0, errShown(name)
	}
	return c.env.getenv(name), len(m[0]), nil
}

// tclLetters are the letters that mean something behind a backslash.
var tclLetters = map[byte]string{'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// tclEscape returns what is meant by a backslash before a text that is not empty, and how much of the text that takes.
func tclEscape(s string) (meant string, n int) {
	if text, ok := tclLetters[s[0]]; ok {
		return text, 1
	}
	digits := func(from, most, base int) (string, int) {
		n := from
		for n < len(s) && n < from+most {
			if _, err := strconv.ParseUint(s[n:n+1], base, 8); err != nil {
				break
			}
			n++
		}
		if n == from {
			return s[:1], 1
		}
		code, _ := strconv.ParseUint(s[from:n], base, 32)
		return string(rune(code)), n
	}
	switch {
	case s[0] >= '0' && s[0] <= '7':
		return digits(0, 3, 8)
	case s[0] == 'x':
		return digits(1, 2, 16)
	case s[0] == 'u':
		return digits(1, 4, 16)
	}
	_, n = utf8.DecodeRuneInString(s)
	return s[:n], n
}

// tclSpaces part the items of a list. They are bytes: half of a letter such as à would be a space of Unicode.
const tclSpaces = " \t\n\v\f\r"

// tclList parts a text as a list of Tcl: clogin joins the items of each value, so that a blank or a brace in a password has
// a backslash before it.
func tclList(text string) ([]string, error) {
	var items []string
	space := func(c byte) bool { return strings.IndexByte(tclSpaces, c) >= 0 }
	for s := text; ; {
		s = strings.TrimLeft(s, tclSpaces)
		if s == "" {
			return items, nil
		}
		if s[0] == '{' {
			n := closingBrace(s)
			if n < 0 {
				return nil, errors.New("a brace in it needs a backslash before it")
			}
			if rest := s[n+1:]; rest != "" && !space(rest[0]) {
				return nil, errors.New("there is something behind a }")
			}
			items, s = append(items, s[1:n]), s[n+1:]
			continue
		}
		quoted := s[0] == '"'
		if quoted {
			s = s[1:]
		}
		var item strings.Builder
		i := 0
		for ; i < len(s) && (quoted || !space(s[i])) && !(quoted && s[i] == '"'); i++ {
			if s[i] == '\\' && i+1 < len(s) {
				text, n := tclEscape(s[i+1:])
				item.WriteString(text)
				i += n
				continue
			}
			item.WriteByte(s[i])
		}
		if quoted {
			if i >= len(s) || i+1 < len(s) && !space(s[i+1]) {
				return nil, errors.New("a quote at its begin has no end: put a backslash before it")
			}
			i++
		}
		items, s = append(items, item.String()), s[i:]
	}
}

// find returns the values of the first line of a directive whose pattern fits a name.
func (c *cloginrc) find(directive, name string) []string {
	for _, l := range c.lines[directive] {
		if tclMatch(strings.ToLower(l.glob), strings.ToLower(name)) {
			return l.values
		}
	}
	return nil
}

// value returns the first value of a directive for a name.
func (c *cloginrc) value(directive, name string) string {
	if values := c.find(directive, name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// tclMatch says whether a name fits a pattern of Tcl's string match: *, ?, [a-z], and \ before one of these.
func tclMatch(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	star, mark := -1, 0 // the last * and how much of the name it has taken
	i, j := 0, 0
	for j < len(n) {
		if i < len(p) && p[i] == '*' {
			star, mark = i, j
			i++
			continue
		}
		if width, ok := matchOne(p[i:], n[j]); ok {
			i += width
			j++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		i, j = star+1, mark
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// matchOne says whether a rune fits the begin of a pattern, and how much of it that is.
func matchOne(p []rune, r rune) (width int, ok bool) {
	switch {
	case len(p) == 0:
		return 0, false
	case p[0] == '?':
		return 1, true
	case p[0] == '\\' && len(p) > 1:
		return 2, p[1] == r
	case p[0] != '[':
		return 1, p[0] == r
	}
	for i := 1; i < len(p); i++ {
		switch {
		case p[i] == ']':
			return i + 1, ok
		case i+2 < len(p) && p[i+1] == '-' && p[i+2] != ']':
			ok = ok || min(p[i], p[i+2]) <= r && r <= max(p[i], p[i+2])
			i += 2
		default:
			ok = ok || p[i] == r
		}
	}
	return len(p), ok
}
