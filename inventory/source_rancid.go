package inventory

import (
	"errors"
	"fmt"
	"strings"
)

// openRancid reads RANCID's router.db, or that of a directory: name;type;state, with : in older files; what follows the state is a comment.
// Only devices that are up are devices; for the others there is a note.
func openRancid(spec Spec, env *Env) (Source, error) {
	parse := func(r *rows, data []byte) error {
		for n, line := range lines(data) {
			if s := strings.TrimSpace(line); s == "" || s[0] == '#' {
				continue
			}
			if !rancidRow(r, n, line, nil) {
				return nil
			}
		}
		return nil
	}
	return &fileSource{spec: spec, env: env, parse: parse, dir: fileIn("router.db", parse)}, nil
}

// rancidRow yields one line; complete adds to its row, where it is not nil.
func rancidRow(r *rows, n int, line string, complete func(*Row) error) bool {
	delimiter := ";"
	if !strings.Contains(line, delimiter) {
		delimiter = ":"
	}
	fields := strings.Split(line, delimiter)
	if len(fields) < 3 {
		return r.bad(n, 1, errors.New("the row is not name;type;state"))
	}
	name, platform := strings.TrimSpace(fields[0]), strings.TrimSpace(fields[1])
	if state := strings.ToLower(strings.TrimSpace(fields[2])); state != "up" {
		r.env.note(r.file, n, "%s is not up in this list and left out", printable(name))
		return r.more()
	}
	row := Row{Name: name, Settings: Settings{Platform: platform}}
	if complete != nil {
		if err := complete(&row); err != nil {
			return r.bad(n, 1, fmt.Errorf("%s: %w", printable(name), err))
		}
	}
	return r.add(row, n, func(field string) (int, int) {
		if field == "platform" {
			return n, len(fields[0]) + len(delimiter) + 1
		}
		return n, 1
	})
}
