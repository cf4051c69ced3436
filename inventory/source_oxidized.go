package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
)

// oxidizedDefault is the map that Oxidized's documentation shows.
var oxidizedDefault = map[string]int{"name": 0, "platform": 1, "username": 2, "password": 3, "enable": 4}

// oxidizedNames are Oxidized's own words for columns.
var oxidizedNames = map[string]string{"model": "platform", "ip": "address", "ssh_port": "port"}

// openOxidized reads Oxidized's router.db, or that of a directory: a delimiter, columns by number, no quoting, # comments.
func openOxidized(spec Spec, env *Env) (Source, error) {
	delimiter := spec.Delimiter
	if delimiter == "" {
		delimiter = ":"
	}
	columns, err := oxidizedColumns(spec)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.File, err)
	}
	parse := func(r *rows, data []byte) error {
		for n, line := range lines(data) {
			if s := strings.TrimSpace(line); s == "" || s[0] == '#' {
				continue
			}
			if !oxidizedRow(r, n, line, delimiter, columns) {
				return nil
			}
		}
		return nil
	}
	return &fileSource{spec: spec, env: env, parse: parse, dir: fileIn("router.db", parse)}, nil
}

// oxidizedColumns returns the field at each number.
func oxidizedColumns(spec Spec) (map[int]string, error) {
	given := spec.Columns
	if given == nil {
		given = oxidizedDefault
	}
	columns := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := given[name]
		if ours, ok := oxidizedNames[name]; ok {
			name = ours
		}
		if !slices.Contains(csvColumns, name) {
			return nil, fmt.Errorf("unknown column %q%s", name, strict.Hint(name, csvColumns))
		}
		if other, ok := columns[i]; ok || i < 0 {
			return nil, fmt.Errorf("the column %q has the number %d, which is negative or that of %q", name, i, other)
		}
		columns[i] = name
	}
	return columns, nil
}

func oxidizedRow(r *rows, n int, line, delimiter string, columns map[int]string) bool {
	row, at, begin := Row{foreign: true}, map[string]int{}, 1
	for i, field := range strings.Split(line, delimiter) {
		name := columns[i]
		at[name] = begin
		if name != "" {
			if err := row.set(name, field); err != nil {
				return r.bad(n, begin, err)
			}
		}
		begin += len(field) + len(delimiter)
	}
	return r.add(row, n, func(field string) (int, int) { return n, max(at[field], 1) })
}
