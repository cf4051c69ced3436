package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// module is something that is linked into a binary, and where its sources are.
type module struct {
	path, version, dir string
	texts              []licence
}

// licence is one file about the rights in a module.
type licence struct {
	file, kind string
	text       []byte
}

// modules are Go itself and the modules linked into a binary, each with its licences. One without any is an error: it
// must not be given away.
func (r *release) modules(ctx context.Context, binary, goroot string) ([]module, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	all := []module{{path: "Go and its standard library", version: info.GoVersion, dir: goroot}}
	for _, d := range info.Deps {
		m := module{path: d.Path, version: d.Version}
		if d.Replace != nil {
			m.version += " => " + d.Replace.Path + " " + d.Replace.Version
		}
		out, err := r.command(ctx, r.goCommand, "list", "-m", "-f", "{{.Dir}}", d.Path)
		if err != nil {
			return nil, err
		}
		if m.dir = strings.TrimSpace(out); m.dir == "" {
			return nil, fmt.Errorf("the sources of %s are not in the module cache", m.path)
		}
		all = append(all, m)
	}
	for i, m := range all {
		if all[i].texts, err = findLicences(m.dir, i == 0); err != nil {
			return nil, fmt.Errorf("%s %s: %w", m.path, m.version, err)
		}
	}
	return all, nil
}

// licenceName is what files about rights are called. LICENSE-SQLITE and the like are of code that a module brings along.
var licenceName = regexp.MustCompile(`(?i)^(un)?(licen[cs]es?|copying|copyright|notice|patents)\b`)

// findLicences reads the files about rights below dir; of its own folder alone where shallow is said, as GOROOT holds
// much that is linked into nothing.
func findLicences(dir string, shallow bool) ([]licence, error) {
	var found []licence
	licensed := false
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if file != dir && (shallow || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !licenceName.MatchString(name) || filepath.Ext(name) == ".go" {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		kind := kindOf(name, text)
		licensed = licensed || kind != patents && kind != notice
		found = append(found, licence{file: filepath.ToSlash(rel), kind: kind, text: text})
		return err
	})
	if err == nil && !licensed {
		err = fmt.Errorf("there is no licence in %s", dir)
	}
	return found, err
}

// What files are that give no licence by themselves, and what nobody recognised.
const (
	patents = "patent grant"
	notice  = "notice"
	unknown = "unknown"
)

// kinds are the licences that are recognised by words which only they have.
var kinds = []struct {
	name  string
	words string
	not   string // words that make it another one
}{
	{"Apache-2.0", "apache license version 2.0, january 2004", ""},
	{"MPL-2.0", "mozilla public license version 2.0", ""},
	{"AGPL", "gnu affero general public license version", ""},
	{"LGPL", "gnu lesser general public license version", ""},
	{"GPL", "gnu general public license version", ""},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy", ""},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from", ""},
	{"BSD-2-Clause", "redistributions in binary form must reproduce the above copyright notice", "may be used to endorse or promote"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose with or without fee", ""},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee", ""},
	{"Unlicense", "this is free and unencumbered software released into the public domain", ""},
	{"public domain", "dedicated to the public domain by the authors", ""},
}

// kindOf names the licence of a text, or all of them where it is a collection.
func kindOf(name string, text []byte) string {
	switch lower := strings.ToLower(name); {
	case strings.HasPrefix(lower, "patents"):
		return patents
	case strings.HasPrefix(lower, "notice"):
		return notice
	}
	plain := strings.ToLower(strings.Join(strings.Fields(string(text)), " "))
	var found []string
	for _, k := range kinds {
		if strings.Contains(plain, k.words) && (k.not == "" || !strings.Contains(plain, k.not)) {
			found = append(found, k.name)
		}
	}
	if len(found) == 0 {
		return unknown
	}
	return strings.Join(found, " and ")
}

// licenceText is a list of what is linked, and below it the texts in full.
func licenceText(what string, modules []module) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s is made of its own code (see LICENSE) and of what is listed here.\nThe texts follow in full.\n\n", what)
	for _, m := range modules {
		fmt.Fprintf(&b, "%s %s\n", m.path, m.version)
		for _, l := range m.texts {
			fmt.Fprintf(&b, "    %s: %s\n", l.file, l.kind)
		}
	}
	for _, m := range modules {
		for _, l := range m.texts {
			fmt.Fprintf(&b, "\n%s\n%s %s: %s\n%s\n\n", strings.Repeat("=", 80), m.path, m.version, l.file, strings.Repeat("=", 80))
			b.Write(bytes.TrimRight(l.text, "\n"))
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}
