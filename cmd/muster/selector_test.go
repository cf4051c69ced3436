package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/app"
)

func TestSelectorsComeFromArgumentsAndLists(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, []byte("\ufeffr1\r\n\n# not this\n  core-*  \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files, args []string
		stdin       string
		want        []string
	}{
		"nothing said":         {want: nil},
		"arguments":            {args: []string{"r1", "@edge"}, want: []string{"r1", "@edge"}},
		"a list":               {files: []string{file}, want: []string{"r1", "core-*"}},
		"a list and arguments": {files: []string{file}, args: []string{"r9"}, want: []string{"r9", "r1", "core-*"}},
		"-f - is stdin":        {files: []string{"-"}, stdin: "r2\nr3", want: []string{"r2", "r3"}},
		"a dash is stdin":      {args: []string{"-"}, stdin: "r2\n", want: []string{"r2"}},
	} {
		p := newProgram(strings.NewReader(c.stdin), &bytes.Buffer{}, &bytes.Buffer{}, nil)
		got, err := (&selector{p: p, files: c.files}).terms(c.args)
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestAnEmptyListSelectsNothingAndNotEverything(t *testing.T) {
	t.Parallel()
	p := newProgram(strings.NewReader("\n# nobody\n"), &bytes.Buffer{}, &bytes.Buffer{}, nil)
	terms, err := (&selector{p: p, files: []string{"-"}}).terms(nil)
	if !errors.Is(err, app.ErrNothing) {
		t.Errorf("got %q, %v; want nothing selected", terms, err)
	}
}

func TestRevisionsAreToldFromNamesWithAnAt(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string][2]string{
		"r1": {"r1", ""}, "r1@7c2e91a": {"r1", "7c2e91a"}, "r1@~2": {"r1", "~2"}, "admin@r1": {"admin@r1", ""}, "admin@r1@7c2e": {"admin@r1", "7c2e"},
		"@failed": {"@failed", ""}, "r1@": {"r1@", ""}, "admin@cafe": {"admin", "cafe"}, "r1@~": {"r1@~", ""},
	} {
		if device, rev := splitRevision(arg); device != want[0] || rev != want[1] {
			t.Errorf("%s: got %q, %q; want %q", arg, device, rev, want)
		}
	}
}
