package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const bsd2 = "Redistributions in binary form must reproduce the above\n   copyright notice, this list of conditions"

func TestKindsOfLicences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, want string }{
		"Apache":                   {"LICENSE", "  Apache License\n  Version 2.0, January 2004", "Apache-2.0"},
		"MIT":                      {"LICENSE.txt", mit, "MIT"},
		"BSD of two clauses":       {"LICENSE", bsd2, "BSD-2-Clause"},
		"BSD of three clauses":     {"COPYING", bsd2 + "\nNeither name may be used to endorse or promote products\nderived from it", "BSD-3-Clause"},
		"ISC, new":                 {"LICENSE", "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee", "ISC"},
		"Mozilla":                  {"LICENSE", "Mozilla Public License Version 2.0", "MPL-2.0"},
		"GPL":                      {"COPYING", "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007", "GPL"},
		"LGPL is not GPL":          {"COPYING", "GNU LESSER GENERAL PUBLIC LICENSE\n Version 3", "LGPL"},
		"public domain":            {"LICENSE-SQLITE", "has been dedicated to the public\ndomain by the authors", "public domain"},
		"a collection":             {"LICENSE-3RD-PARTY.md", mit + bsd2, "MIT and BSD-2-Clause"},
		"what nobody has seen yet": {"LICENSE", "Ask my lawyer.", "unknown"},
		"a grant of patents":       {"PATENTS", bsd2, "patent grant"},
		"a notice":                 {"NOTICE.md", mit, "notice"},
	} {
		if got := kindOf(c.file, []byte(c.text)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestFilesAboutRightsAreFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, file := range []string{
		"LICENCE", "LICENSE-SQLITE", "UNLICENSE", "copying.txt", "inner/License.md", "NOTICE", "PATENTS",
		"license.go", "licensed.txt", "README", "testdata/LICENSE", ".hidden/LICENSE", "_old/LICENSE",
	} {
		write(t, filepath.Join(dir, file), mit)
	}
	for shallow, want := range map[bool]string{
		false: "LICENCE LICENSE-SQLITE NOTICE PATENTS UNLICENSE copying.txt inner/License.md",
		true:  "LICENCE LICENSE-SQLITE NOTICE PATENTS UNLICENSE copying.txt",
	} {
		found, err := findLicences(dir, shallow)
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, l := range found {
			files = append(files, l.file)
		}
		slices.Sort(files)
		if got := strings.Join(files, " "); got != want {
			t.Errorf("shallow %v: got %s, want %s", shallow, got, want)
		}
	}
}
