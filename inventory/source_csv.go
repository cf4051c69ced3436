package inventory

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/secret"
)

// csvColumns are the columns a CSV file may have.
var csvColumns = []string{"name", "address", "port", "platform", "group", "username", "password", "enable", "jump", "parents", "tags", "legacy_crypto"}

// csvWords are the columns that are one word each.
var csvWords = []string{"name", "address", "port", "platform", "group"}

var errQuote = errors.New("a quote is wrong: a field in quotes ends with one, and a quote inside is doubled")

// openCSV reads a table with a header. Each line is a row of its own: a quote that is never closed spoils one row, not
// the rest of the file.
func openCSV(spec Spec, env *Env) (Source, error) {
	if len([]rune(spec.Delimiter)) > 1 {
		return nil, fmt.Errorf("%s: the delimiter of a CSV file is one character", spec.File)
	}
	return &fileSource{spec: spec, env: env, parse: func(r *rows, data []byte) error {
		t := csvTable{}
		t.delimiter, _ = utf8.DecodeRuneInString(spec.Delimiter)
		for n, line := range lines(data) {
			if s := strings.TrimSpace(line); s == "" || s[0] == '#' {
				continue
			}
			if t.header == nil {
				if err := t.readHeader(r.file, n, line); err != nil {
					return err
				}
				continue
			}
			if !t.row(r, n, line) {
				return nil
			}
		}
		if t.header == nil {
			return fmt.Errorf("inventory: %s has no header: its first line names the columns, such as name,address,platform", r.file)
		}
		return nil
	}}, nil
}

type csvTable struct {
	delimiter rune
	header    []string
}

// readHeader finds the delimiter and the columns; a column nobody knows is an error, for it may be a misspelt password.
func (t *csvTable) readHeader(file string, n int, line string) error {
	if sep, ok := strings.CutPrefix(line, "sep="); ok && utf8.RuneCountInString(sep) == 1 {
		t.delimiter, _ = utf8.DecodeRuneInString(sep) // a line that Excel writes and reads
		return nil
	}
	if t.delimiter == 0 || t.delimiter == utf8.RuneError {
		t.delimiter = csvDelimiter(line)
	}
	fields, cols, err := t.split(line)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", file, n, err)
	}
	for i, f := range fields {
		name := strings.ToLower(strings.TrimSpace(f))
		if !slices.Contains(csvColumns, name) {
			return fmt.Errorf("%s:%d:%d: unknown column %q%s", file, n, cols[i], name, strict.Hint(name, csvColumns))
		}
		if slices.Contains(t.header, name) {
			return fmt.Errorf("%s:%d:%d: the column %q stands there twice", file, n, cols[i], name)
		}
		t.header = append(t.header, name)
	}
	if !slices.Contains(t.header, "name") && !slices.Contains(t.header, "address") {
		return fmt.Errorf("%s:%d: there is neither a column name nor a column address", file, n)
	}
	return nil
}

// csvDelimiter is what a header parts its columns with: Excel writes ; where the comma is the decimal sign.
func csvDelimiter(header string) rune {
	best, most := ',', strings.Count(header, ",")
	for _, d := range ";\t" {
		if n := strings.Count(header, string(d)); n > most {
			best, most = d, n
		}
	}
	return best
}

// split parts one line and returns the column each field begins at.
func (t *csvTable) split(line string) ([]string, []int, error) {
	rd := csv.NewReader(strings.NewReader(line))
	rd.Comma, rd.FieldsPerRecord, rd.TrimLeadingSpace = t.delimiter, -1, t.delimiter != '\t'
	fields, err := rd.Read()
	if err != nil {
		var p *csv.ParseError
		if errors.As(err, &p) {
			return nil, []int{p.Column}, errQuote
		}
		return nil, []int{1}, errors.New("the row cannot be read")
	}
	cols := make([]int, len(fields))
	for i := range fields {
		_, cols[i] = rd.FieldPos(i)
	}
	return fields, cols, nil
}

func (t *csvTable) row(r *rows, n int, line string) bool {
	fields, cols, err := t.split(line)
	if err != nil {
		return r.bad(n, cols[0], err)
	}
	if len(fields) > len(t.header) {
		return r.bad(n, cols[len(t.header)], fmt.Errorf("the row has %d fields, the header %d", len(fields), len(t.header)))
	}
	if strings.Join(fields, "") == "" {
		return true
	}
	place := func(field string) (int, int) {
		if i := slices.Index(t.header, field); i >= 0 && i < len(cols) {
			return n, cols[i]
		}
		return n, 1
	}
	row := Row{}
	for i, f := range fields {
		if slices.Contains(csvWords, t.header[i]) && strings.ContainsRune(f, t.delimiter) {
			return r.bad(n, cols[i], errQuote) // the rest of the row is in it, which an error must not show
		}
		if err := row.set(t.header[i], f); err != nil {
			return r.bad(n, cols[i], err)
		}
	}
	return r.add(row, n, place)
}

// set fills the field of a column. Secrets keep their blanks.
func (row *Row) set(column, text string) (err error) {
	if column == "password" {
		row.Password = text
		return nil
	} else if column == "enable" {
		row.Enable = text
		return nil
	}
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	switch column {
	case "name":
		row.Name = text
	case "address":
		row.Address = text
	case "port":
		row.Port, err = parsePort(text)
	case "platform":
		row.Platform = text
	case "group":
		row.Group = text
	case "username":
		row.Username = text
	case "jump":
		row.Jump = []string{text}
	case "parents":
		row.Parents = []string{text}
	case "tags":
		row.Tags, err = parseTags(text)
	case "legacy_crypto":
		row.LegacyCrypto, err = parseBool(text)
	}
	return err
}

// parseTags reads site=ams;role=core, with blanks or commas or | in the place of ; as well. A word without = is a tag
// that is "true".
func parseTags(text string) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("; ,|", r) }) {
		key, value, ok := strings.Cut(t, "=")
		if !ok {
			value = "true"
		}
		if key == "" {
			return nil, errors.New("a tag has no name: write site=ams")
		}
		tags[key] = value
	}
	return tags, nil
}

func parseBool(text string) (*bool, error) {
	yes := true
	switch strings.ToLower(text) {
	case "yes", "y", "on":
		return &yes, nil
	case "no", "n", "off":
		yes = false
		return &yes, nil
	}
	b, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		return nil, errors.New("legacy_crypto must be true or false")
	}
	return &b, nil
}

// literal says that the row holds a secret itself.
func (row *Row) literal() bool {
	for _, text := range []string{row.Password, row.Enable, row.passphrase} {
		if text != "" && (row.foreign || secret.Ref(text).Scheme() == "") {
			return true
		}
	}
	return false
}
