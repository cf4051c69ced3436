package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// openJSON reads a list of JSON objects by a Mapping, from a file or over HTTP.
func openJSON(spec Spec, env *Env) (Source, error) {
	spec.Map = spec.Map.orUsual()
	if err := spec.Map.check(); err != nil {
		return nil, fmt.Errorf("%s: map: %w", spec.place(), err)
	}
	if spec.URL == "" {
		return &fileSource{spec: spec, env: env, parse: parseJSON}, nil
	}
	u, err := parseURL(spec.URL)
	if err != nil {
		return nil, err
	}
	return &remote{spec, env, func(ctx context.Context) ([]found, error) {
		w, err := env.dialWeb(ctx, spec, u)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown(u), err)
		}
		defer w.close()
		var all []found
		err = w.fetchPages(ctx, u, spec.Map, pages{item: func(n int, item any) {
			row, err := spec.Map.row(item)
			all = append(all, found{shown(u) + "#" + spec.Map.id(item, n), row, err})
		}})
		return all, err
	}}, nil
}

// id names an item in messages: by its own word, or by its number.
func (m Mapping) id(item any, n int) string {
	if text, err := m.text(item, m.ID); err == nil && text != "" {
		return printable(text)
	}
	return fmt.Sprint(n)
}

func parseJSON(r *rows, data []byte) error {
	line, counted := 1, 0
	err := jsonList(data, r.spec.Map.List, func(offset int, item any) bool {
		line += bytes.Count(data[counted:offset], []byte("\n"))
		counted = offset
		col := offset - bytes.LastIndexByte(data[:offset], '\n')
		row, err := r.spec.Map.row(item)
		if err != nil {
			return r.bad(line, col, err)
		}
		return r.add(row, line, func(string) (int, int) { return line, col })
	})
	if errors.Is(err, errNoJSON) {
		return fmt.Errorf("inventory: %s is no JSON, or was cut off", r.file)
	}
	if err != nil {
		return fmt.Errorf("inventory: %s: %w", r.file, err)
	}
	return nil
}
