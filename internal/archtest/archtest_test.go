package archtest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/musternet/muster/internal/archtest"
)

const root = "../.."

func TestTheModuleKeepsToItsLayers(t *testing.T) {
	t.Parallel()
	layers, err := archtest.ReadLayers(filepath.Join(root, "docs", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	problems, err := archtest.Check(root, layers)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

func TestCheckSeesEachKindOfBreach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "low/low.go", "// Package low is fine.\npackage low\n\nimport _ \"os\"\n\nfunc init() {}\n\nfunc Bare() { go Bare() }\n")
	write(t, dir, "high/high.go", "package high\n\nimport (\n\t\"example.org/x\"\n\t\""+archtest.Module+"/low\"\n)\n\nvar V = low.Bare\n")
	write(t, dir, "odd/odd.go", "// Package odd is not in the table.\npackage odd\n")
	got, err := archtest.Check(dir, []archtest.Layer{{Package: "low"}, {Package: "high"}, {Package: "gone"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"low/low.go:4: blank import of os", "low/low.go:6: init function", "low/low.go:8: go statement outside",
		"low/low.go:8: Bare is exported", "high: no package comment", "high/high.go:4: may not import example.org/x",
		"high/high.go:5: may not import low", "high/high.go:8: V is exported", "odd: has no line", "gone: stands in the layers table",
	} {
		if !slices.ContainsFunc(got, func(p string) bool { return strings.HasPrefix(p, want) }) {
			t.Errorf("no problem begins with %q in:\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
