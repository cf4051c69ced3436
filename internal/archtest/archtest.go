// Package archtest keeps the code to its architecture: it reads the layers table of docs/ARCHITECTURE.md and reports
// every package that imports what it may not, starts a goroutine outside package task, or says nothing of itself.
package archtest

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Module is the path of the module whose packages are checked.
const Module = "github.com/musternet/muster"

// Layer is one line of the table: a package, the packages of this module it may import, the outside modules.
type Layer struct {
	Package string // relative to the module; "muster" for its root
	Ours    []string
	Outside []string
}

// ReadLayers reads the fenced block ```layers of a document.
func ReadLayers(file string) ([]Layer, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var layers []Layer
	inside := false
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		switch {
		case line == "```layers":
			inside = true
		case line == "```":
			inside = false
		case inside && line != "":
			layers = append(layers, parseLayer(line))
		}
	}
	if len(layers) == 0 {
		return nil, fmt.Errorf("%s: no layers table", file)
	}
	return layers, nil
}

func parseLayer(line string) Layer {
	left, outside, _ := strings.Cut(line, "|")
	words := strings.Fields(left)
	l := Layer{Package: words[0], Outside: strings.Fields(outside)}
	if len(words) > 1 && words[1] != "-" {
		l.Ours = words[1:]
	}
	return l
}

// Check returns all that is wrong with the module at root, sorted.
func Check(root string, layers []Layer) ([]string, error) {
	packages, err := packagesOf(root)
	if err != nil {
		return nil, err
	}
	var problems []string
	seen := map[string]bool{}
	for _, p := range packages {
		seen[p.name] = true
		i := slices.IndexFunc(layers, func(l Layer) bool { return covers(l.Package, p.name) })
		if i < 0 {
			problems = append(problems, fmt.Sprintf("%s: has no line in the layers table", p.name))
			continue
		}
		problems = append(problems, p.check(layers[i])...)
	}
	for _, l := range layers {
		if !seen[l.Package] && !slices.ContainsFunc(packages, func(p *pkg) bool { return covers(l.Package, p.name) }) {
			problems = append(problems, fmt.Sprintf("%s: stands in the layers table, but there is no such package", l.Package))
		}
	}
	slices.Sort(problems)
	return problems, nil
}

// covers tells whether a table line speaks of a package; "examples/*" speaks of all below examples.
func covers(line, name string) bool {
	if parent, ok := strings.CutSuffix(line, "/*"); ok {
		return strings.HasPrefix(name, parent+"/")
	}
	return line == name
}

type pkg struct {
	name  string
	fset  *token.FileSet
	files []*ast.File
}

// packagesOf parses every package of the module, without its tests.
func packagesOf(root string) ([]*pkg, error) {
	byName := map[string]*pkg{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(root, file)
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		name := path.Clean(filepath.ToSlash(rel))
		if name == "." {
			name = "muster"
		}
		p := byName[name]
		if p == nil {
			p = &pkg{name: name, fset: token.NewFileSet()}
			byName[name] = p
		}
		f, err := parser.ParseFile(p.fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p.files = append(p.files, f)
		return nil
	})
	var all []*pkg
	for _, p := range byName {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.name, b.name) })
	return all, err
}

// skipDir leaves out what is not a package of this module: hidden folders, test data and nested modules.
func skipDir(root, dir string) error {
	base := filepath.Base(dir)
	if dir == root {
		return nil
	}
	if strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

func (p *pkg) check(l Layer) []string {
	var problems []string
	say := func(pos token.Pos, format string, args ...any) {
		where := p.name
		if pos.IsValid() {
			at := p.fset.Position(pos)
			where = fmt.Sprintf("%s/%s:%d", p.name, filepath.Base(at.Filename), at.Line)
		}
		problems = append(problems, where+": "+fmt.Sprintf(format, args...))
	}
	if !slices.ContainsFunc(p.files, func(f *ast.File) bool { return f.Doc != nil }) {
		say(token.NoPos, "no package comment says what it does for its caller")
	}
	for _, f := range p.files {
		for _, imp := range f.Imports {
			p.checkImport(imp, l, say)
		}
		p.checkCode(f, say)
	}
	return problems
}

func (p *pkg) checkImport(imp *ast.ImportSpec, l Layer, say func(token.Pos, string, ...any)) {
	target, err := strconv.Unquote(imp.Path.Value)
	if err != nil {
		say(imp.Pos(), "import %s: %v", imp.Path.Value, err)
		return
	}
	if imp.Name != nil && imp.Name.Name == "_" && target != "embed" {
		say(imp.Pos(), "blank import of %s: name the implementation in a table instead", target)
	}
	first, _, _ := strings.Cut(target, "/")
	switch {
	case target == Module:
		if !slices.Contains(l.Ours, "muster") && !slices.Contains(l.Ours, "*") {
			say(imp.Pos(), "may not import muster")
		}
	case strings.HasPrefix(target, Module+"/"):
		rel := strings.TrimPrefix(target, Module+"/")
		if !slices.ContainsFunc(l.Ours, func(o string) bool { return o == "*" || covers(o, rel) }) {
			say(imp.Pos(), "may not import %s", rel)
		}
	case strings.Contains(first, "."):
		if !slices.ContainsFunc(l.Outside, func(o string) bool { return target == o || strings.HasPrefix(target, o+"/") }) {
			say(imp.Pos(), "may not import %s", target)
		}
	}
}

func (p *pkg) checkCode(f *ast.File, say func(token.Pos, string, ...any)) {
	ast.Inspect(f, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok && p.name != "task" {
			say(g.Pos(), "go statement outside package task: use task.Scope, Gather or Settle")
		}
		return true
	})
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "init" && d.Recv == nil {
				say(d.Pos(), "init function: nothing may happen by import alone")
			}
			if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && p.public() {
				say(d.Pos(), "%s is exported and has no comment", d.Name.Name)
			}
		case *ast.GenDecl:
			p.checkDecl(d, say)
		}
	}
}

func (p *pkg) checkDecl(d *ast.GenDecl, say func(token.Pos, string, ...any)) {
	if d.Tok == token.IMPORT || !p.public() {
		return
	}
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				say(s.Pos(), "%s is exported and has no comment", s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					say(name.Pos(), "%s is exported and has no comment", name.Name)
				}
			}
		}
	}
}

// public tells whether others may import the package, so that its names need comments.
func (p *pkg) public() bool {
	return len(p.files) > 0 && p.files[0].Name.Name != "main"
}

// exportedReceiver tells whether a method can be seen from outside: String, Error and the like of well-known
// interfaces explain themselves.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	switch d.Name.Name {
	case "Error", "Unwrap", "String", "Is", "Len", "Less", "Swap":
		return false
	}
	t := d.Recv.List[0].Type
	if s, ok := t.(*ast.StarExpr); ok {
		t = s.X
	}
	if x, ok := t.(*ast.IndexExpr); ok {
		t = x.X
	}
	id, ok := t.(*ast.Ident)
	return ok && id.IsExported()
}
