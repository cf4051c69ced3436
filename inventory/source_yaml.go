package inventory

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings/strict"
)

// yamlFile is a YAML inventory: a list of devices, or a mapping with groups and defaults beside it.
type yamlFile struct {
	Defaults Settings               `yaml:"defaults"`
	Groups   map[string]strict.Node `yaml:"groups"`
	Devices  []strict.Node          `yaml:"devices"`
}

// openYAML reads a list of devices, each a name or a mapping.
func openYAML(spec Spec, env *Env) (Source, error) {
	if spec.Devices != nil {
		return &nodeSource{spec, env}, nil
	}
	return &fileSource{spec: spec, env: env, parse: parseYAML}, nil
}

func parseYAML(r *rows, data []byte) error {
	doc, problem := strict.Parse(r.file, data)
	if problem != nil {
		return problem
	}
	var f yamlFile
	if doc.IsList() {
		f.Devices = doc.Items()
	} else if problems := doc.Decode(&f); len(problems) > 0 {
		return problems[0]
	}
	own := *r.env
	own.Defaults.Settings = f.Defaults.over(own.Defaults.Settings)
	r.env = &own
	if err := readGroups(r, f.Groups); err != nil {
		return err
	}
	for _, n := range f.Devices {
		if !r.node(n, false) {
			return nil
		}
	}
	return nil
}

// readGroups adds the groups of the file to those of the settings.
func readGroups(r *rows, groups map[string]strict.Node) error {
	r.env.Groups = maps.Clone(r.env.Groups)
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		n := groups[name]
		var g Group
		if problems := n.Decode(&g); len(problems) > 0 {
			return problems[0]
		}
		if err := CheckGroup(name); err != nil {
			return n.Problem("%v", err)
		}
		if _, ok := r.env.Groups[name]; ok {
			return n.Problem("the group %s stands in the settings already", name)
		}
		if r.env.Groups == nil {
			r.env.Groups = map[string]Group{}
		}
		r.env.Groups[name] = g
		r.env.learn(name, g)
	}
	return nil
}

// nodeSource yields rows that stand in the settings. A password itself is refused there.
type nodeSource struct {
	spec Spec
	env  *Env
}

var _ Source = (*nodeSource)(nil)

// Devices yields the rows.
func (s *nodeSource) Devices(ctx context.Context) iter.Seq2[muster.Device, error] {
	return func(yield func(muster.Device, error) bool) {
		r := &rows{ctx: ctx, env: s.env, spec: s.spec, file: s.spec.File, yield: yield}
		for _, n := range s.spec.Devices {
			if ctx.Err() != nil || !r.node(n, true) {
				break
			}
		}
		if ctx.Err() != nil && !r.stopped {
			yield(muster.Device{}, context.Cause(ctx))
		}
	}
}

// node yields one item of a list of devices: a name, or a mapping. trusted says that it stands in the settings.
func (r *rows) node(n strict.Node, trusted bool) bool {
	row := Row{trusted: trusted}
	if text, ok := n.Text(); ok {
		row.Name = text
	} else if problems := n.Decode(&row); len(problems) > 0 {
		p := problems[0]
		return r.bad(p.Line, p.Col, errors.New(p.Text))
	}
	line, _ := n.Place()
	place := func(field string) (int, int) {
		if f := n.Get(field); f.Present() {
			return f.Place()
		}
		return n.Place()
	}
	return r.add(row, line, place)
}

// ErrLiteral refuses a password that stands in the settings itself.
var ErrLiteral = errors.New("a password does not stand in the settings: write env:NAME, file:/path, exec:command or prompt:text in its place")
