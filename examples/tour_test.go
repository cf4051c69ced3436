// Package examples keeps docs/tour.md and the programs below this directory the same.
package examples

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const tour = "../docs/tour.md"

// programs returns the text of each example's main.go, by the name of the example.
func programs(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*/main.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	texts := map[string]string{}
	for _, file := range files {
		texts[filepath.Dir(file)] = read(t, file)
	}
	return texts
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// snippets returns the fenced Go blocks of a document.
func snippets(doc string) []string {
	var found []string
	for i, part := range strings.Split(doc, "\n```") {
		if code, ok := strings.CutPrefix(part, "go\n"); ok && i > 0 {
			found = append(found, code)
		}
	}
	return found
}

// holds tells whether the lines of snippet follow each other in program, all of them indented by the same tabs.
func holds(program, snippet string) bool {
	want := strings.Split(snippet, "\n")
	lines := strings.Split(program, "\n")
	for i := range lines {
		indent, ok := strings.CutSuffix(lines[i], want[0])
		if !ok || strings.Trim(indent, "\t") != "" || i+len(want) > len(lines) {
			continue
		}
		if slices.EqualFunc(lines[i:i+len(want)], want, func(have, want string) bool {
			return have == indent+want || have == "" && want == ""
		}) {
			return true
		}
	}
	return false
}

func TestTourShowsTheExamples(t *testing.T) {
	doc, programs := read(t, tour), programs(t)
	blocks := snippets(doc)
	if len(blocks) < len(programs) {
		t.Errorf("%d Go blocks for %d examples", len(blocks), len(programs))
	}
	for _, block := range blocks {
		found := false
		for _, program := range programs {
			found = found || holds(program, block)
		}
		if !found {
			t.Errorf("no example has these lines of %s:\n%s", tour, block)
		}
	}
	for name := range programs {
		if !strings.Contains(doc, "`examples/"+name+"`") {
			t.Errorf("%s does not speak of examples/%s", tour, name)
		}
	}
}

func TestExamplesAreShort(t *testing.T) {
	for name, program := range programs(t) {
		if n := strings.Count(program, "\n"); n < 20 || n > 60 {
			t.Errorf("examples/%s/main.go has %d lines, want 20 to 60", name, n)
		}
	}
}

func TestHolds(t *testing.T) {
	const program = "func f() {\n\tif x {\n\t\treturn\n\n\t}\n}\n"
	for snippet, want := range map[string]bool{
		"if x {\n\treturn\n\n}":   true,
		"func f() {\n\tif x {":    true,
		"return":                  true,
		"if x {\n\treturn\n}":     false,
		"if x {\nreturn":          false,
		"x {":                     false,
		"}\n}\n\nand more of it":  false,
		"if x {\n\t\treturn\n\n}": false,
	} {
		if got := holds(program, snippet); got != want {
			t.Errorf("%q: got %v, want %v", snippet, got, want)
		}
	}
}
