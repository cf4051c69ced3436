package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
)

// ansible is an Ansible inventory on its way: what its files say of hosts and groups. The rules are those that
// ansible-core 2.14 follows, and ansible_test.go compares with it where it is installed.
type ansible struct {
	r      *rows
	dir    string          // where group_vars and host_vars are; empty: nowhere
	dirs   map[string]bool // which of them there is
	groups map[string]*ansibleGroup
	hosts  []*ansibleHost // in the order in which they are first named
	byName map[string]*ansibleHost
	files  map[string]ansibleVars // variables of files that were read
	opened map[string]opened      // vaulted values that were decrypted, by their text
	noted  map[string]bool
	clear  map[string]bool // files that hold passwords in clear
	sealed string          // a file of variables that nobody could open
}

type ansibleGroup struct {
	name              string
	parents, children []*ansibleGroup
	vars              ansibleVars // of the inventory itself
	order             int         // in which it was first named
	declared          bool        // not only named by others
	depth             int         // below all; 0: not known yet
	file              string
	line, col         int // where it was first named
}

type ansibleHost struct {
	name      string
	groups    []*ansibleGroup // that list it, in that order
	vars      ansibleVars
	file      string
	line, col int
}

// ansibleVars are variables by name.
type ansibleVars map[string]ansibleVar

// ansibleVar is the value of a variable, and where it stands.
type ansibleVar struct {
	text      string
	vaulted   bool // text is what ansible-vault made
	decrypted bool // the file that it stands in was vaulted
	unsafe    bool // no template, whatever it looks like
	null      bool // as if nobody had said it, here and in what it hides
	nested    bool // a list or a mapping, which no connection variable is
	file      string
	line, col int
}

func newAnsible(r *rows, dir string) *ansible {
	a := &ansible{
		r: r, dir: dir, groups: map[string]*ansibleGroup{}, byName: map[string]*ansibleHost{},
		files: map[string]ansibleVars{}, opened: map[string]opened{}, dirs: map[string]bool{}, noted: map[string]bool{}, clear: map[string]bool{},
	}
	a.group("all", 0, 0)
	a.group("ungrouped", 0, 0)
	return a
}

// group returns a group, which is new where nobody has named it.
func (a *ansible) group(name string, line, col int) *ansibleGroup {
	g := a.groups[name]
	if g == nil {
		g = &ansibleGroup{name: name, vars: ansibleVars{}, order: len(a.groups), file: a.r.file, line: line, col: col}
		a.groups[name] = g
	}
	return g
}

// host puts a host into a group and adds to its variables. The port behind its name (0: none) counts where it is first
// named, as with Ansible.
func (a *ansible) host(name string, port int, g *ansibleGroup, line, col int, vars ansibleVars) {
	h := a.byName[name]
	if h == nil {
		h = &ansibleHost{name: name, vars: ansibleVars{}, file: a.r.file, line: line, col: col}
		if port != 0 {
			h.vars["ansible_port"] = ansibleVar{text: fmt.Sprint(port), file: a.r.file, line: line, col: col}
		}
		a.byName[name] = h
		a.hosts = append(a.hosts, h)
	}
	if !slices.Contains(h.groups, g) {
		h.groups = append(h.groups, g)
	}
	for name, v := range vars {
		h.vars[name] = v
	}
}

// ungrouped keeps in that group the hosts that no group of a person's lists, and no others.
func (a *ansible) ungrouped() {
	none := a.groups["ungrouped"]
	for _, h := range a.hosts {
		own := slices.ContainsFunc(h.groups, func(g *ansibleGroup) bool { return g != none && g.name != "all" })
		switch {
		case own:
			h.groups = slices.DeleteFunc(h.groups, func(g *ansibleGroup) bool { return g == none })
		case !slices.Contains(h.groups, none):
			h.groups = append(h.groups, none)
		}
	}
}

// child puts one group below another.
func (g *ansibleGroup) child(c *ansibleGroup) error {
	if c == g || len(c.children) > 0 && c.above(g) {
		return fmt.Errorf("the group %q would lie below itself", printable(c.name))
	}
	if !slices.Contains(g.children, c) {
		g.children, c.parents = append(g.children, c), append(c.parents, g)
	}
	return nil
}

// above says whether a group is among the ancestors of another.
func (g *ansibleGroup) above(of *ansibleGroup) bool {
	return slices.ContainsFunc(of.ancestors(), func(a *ansibleGroup) bool { return a == g })
}

// ancestors returns the groups above a group, each once.
func (g *ansibleGroup) ancestors() []*ansibleGroup {
	var all []*ansibleGroup
	seen := map[*ansibleGroup]bool{}
	for next := g.parents; len(next) > 0; {
		var above []*ansibleGroup
		for _, p := range next {
			if !seen[p] {
				seen[p] = true
				all, above = append(all, p), append(above, p.parents...)
			}
		}
		next = above
	}
	return all
}

// depths says how far below all each group is: as far as the longest way.
func (a *ansible) depths() {
	var depth func(g *ansibleGroup) int
	depth = func(g *ansibleGroup) int {
		if g.depth == 0 && g.name != "all" {
			g.depth = 1
			for _, p := range g.parents {
				g.depth = max(g.depth, depth(p)+1)
			}
		}
		return g.depth
	}
	for _, g := range a.groups {
		depth(g)
	}
}

// groupsOf returns all groups of a host in the order of their precedence, the one that counts last.
func (a *ansible) groupsOf(h *ansibleHost) []*ansibleGroup {
	var all []*ansibleGroup
	seen := map[*ansibleGroup]bool{}
	add := func(g *ansibleGroup) {
		if !seen[g] {
			seen[g] = true
			all = append(all, g)
		}
	}
	for _, g := range h.groups {
		add(g)
		for _, p := range g.ancestors() {
			add(p)
		}
	}
	add(a.groups["all"])
	slices.SortFunc(all, func(x, y *ansibleGroup) int {
		return cmp.Or(cmp.Compare(x.depth, y.depth), cmp.Compare(x.priority(), y.priority()), strings.Compare(x.name, y.name))
	})
	return all
}

// priority is ansible_group_priority, 1 where it is not said.
func (g *ansibleGroup) priority() int {
	v, ok := g.vars["ansible_group_priority"]
	if n := 0; ok {
		if _, err := fmt.Sscan(v.text, &n); err == nil {
			return n
		}
	}
	return 1
}

// layers returns what holds for a host, what counts first: its own file, itself, the files of its groups, its groups.
func (a *ansible) layers(h *ansibleHost, groups []*ansibleGroup) []ansibleVars {
	layers := []ansibleVars{a.varsOf("host_vars", h.name), h.vars}
	for _, g := range slices.Backward(groups) {
		layers = append(layers, a.varsOf("group_vars", g.name))
	}
	for _, g := range slices.Backward(groups) {
		layers = append(layers, g.vars)
	}
	return layers
}

// varsOfNode reads a mapping of variables.
func (a *ansible) varsOfNode(n strict.Node, decrypted bool) ansibleVars {
	vars := ansibleVars{}
	for key, value := range n.Pairs() {
		name, ok := key.Text()
		if !ok {
			continue
		}
		v := ansibleVar{file: a.r.file, decrypted: decrypted}
		v.line, v.col = value.Place()
		if v.text, ok = value.Text(); !ok {
			v.nested = value.IsList() || value.IsMap()
			v.null = !v.nested
		}
		switch value.Tag() {
		case "!vault", "!vault-encrypted":
			v.vaulted = true
		case "!unsafe":
			v.unsafe = true
		default:
			v.vaulted = strings.HasPrefix(v.text, vaultMark)
		}
		vars[name] = v
	}
	return vars
}
