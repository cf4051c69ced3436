package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/musternet/muster"
)

// openAnsible reads an Ansible inventory, INI or YAML, with the group_vars and host_vars beside it; of a directory, all
// inventories in it together.
func openAnsible(spec Spec, env *Env) (Source, error) {
	return &fileSource{spec: spec, env: env, parse: parseAnsible, dir: parseAnsibleDir}, nil
}

func parseAnsible(r *rows, data []byte) error {
	dir := ""
	if r.spec.File != "-" {
		dir = filepath.Dir(r.env.expand(r.file))
	}
	r.open = 0 // which of the files holds a password is looked at below
	a := newAnsible(r, dir)
	if err := a.read(data); err != nil {
		return err
	}
	a.rows()
	return nil
}

// ansibleIgnored are the ends of files that Ansible does not read in a directory, less .ini, which is what many call
// their inventory there.
var ansibleIgnored = []string{".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"}

// parseAnsibleDir reads the inventories of a directory in the order of their names, as one. A program is not run.
func parseAnsibleDir(r *rows, dir string) error {
	a := newAnsible(r, r.env.expand(dir))
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		return fmt.Errorf("inventory: %w", err)
	}
	read := 0
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(a.dir, e.Name())
		if strings.HasPrefix(name, ".") || slices.ContainsFunc(ansibleIgnored, func(end string) bool { return strings.HasSuffix(name, end) }) {
			continue
		}
		r.file = filepath.Join(dir, name)
		info, err := os.Stat(path) // of what a link leads to
		if err == nil && info.IsDir() {
			a.leaveOut(path)
			continue
		}
		var data []byte
		if err == nil {
			data, err = readRegular(path)
		}
		if err == nil {
			err = checkText(r.file, data)
		}
		if err == nil {
			if bytes.HasPrefix(data, []byte(programMark)) {
				r.env.note(r.file, 0, "it is a program, which muster does not run: %s", ansibleExport)
				continue
			}
			if !looksAnsible(name, string(data)) && !(filepath.Ext(name) == "" && looksList(string(data))) {
				r.env.note(r.file, 0, "it does not look like an inventory and is left out")
				continue
			}
			err = a.read(data)
		}
		if err != nil && !r.bad(0, 0, cause(err)) {
			return nil
		}
		read++
	}
	if read == 0 {
		return fmt.Errorf("inventory: %s has no Ansible inventory in it", dir)
	}
	a.rows()
	return nil
}

// programMark begins a program that makes an inventory. The mode of a file tells nothing: where disks are shared with other
// systems all files may be run.
const programMark = "#!"

// ansibleExport says how to get at what muster does not run.
const ansibleExport = "ansible-inventory --list -y -i IT > FILE makes a file of what it gives"

// leaveOut tells of a directory in the directory: Ansible reads it too, but where that is a project with roles and files, a
// person hardly means all that looks like an inventory in there.
func (a *ansible) leaveOut(path string) {
	switch filepath.Base(path) {
	case "group_vars", "host_vars", "vars_plugins":
		return
	}
	if detectDir(path) == "ansible" {
		a.r.env.note(a.r.file, 0, "there are inventories in this directory, which are left out: name it as one of its own")
	}
}

var (
	ansibleINISection = regexp.MustCompile(`(?m)^[ \t]*\[[^:\]\s]+(:(children|vars))?\][ \t]*(#.*)?\r?$`)
	ansibleINIVars    = regexp.MustCompile(`(?m)^[^#;\s]\S*[ \t].*\bansible_\w+=`)
	yamlKey           = regexp.MustCompile(`^(?:---|["']?[^\s\[\]#=:'"]+["']?[ \t]*:(?:[ \t\r]|$))`)
)

// looksAnsible says whether a text is an Ansible inventory.
func looksAnsible(name, text string) bool {
	if strings.HasPrefix(text, vaultMark) {
		return true
	}
	if looksYAML(name, text) {
		return yamlShape(text) == "ansible"
	}
	return ansibleINIVars.MatchString(text) || ansibleINISection.MatchString(text) && looksHosts(name, text)
}

// looksHosts says whether most of what stands in the sections of an INI file are hosts with variables behind, and not the settings
// of some program: nobody wants to log in to those. Where nothing stands in them, the name tells.
func looksHosts(name, text string) bool {
	hosts, others, state := 0, 0, ""
	for _, line := range lines([]byte(text)) {
		line = strings.TrimSpace(line)
		if m := iniSection.FindStringSubmatch(line); m != nil {
			state = m[2]
			hosts += len(state) // only an inventory has sections of such names
			continue
		}
		if line == "" || line[0] == '#' || line[0] == ';' || state != "" {
			continue
		}
		if isHostLine(line) {
			hosts++
		} else {
			others++
		}
	}
	base := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	return hosts > others || hosts+others == 0 && (base == "hosts" || base == "inventory")
}

// isHostLine says whether a line is a host, or a range of them, with variables behind.
func isHostLine(line string) bool {
	words, err := shellWords(line)
	if err != nil || len(words) == 0 || strings.Contains(words[0], "=") {
		return false
	}
	return !slices.ContainsFunc(words[1:], func(word string) bool {
		name, _, ok := strings.Cut(word, "=")
		return !ok || name == ""
	})
}

// looksYAML says whether an inventory is YAML and not INI.
func looksYAML(name, text string) bool {
	switch filepath.Ext(name) {
	case ".yml", ".yaml", ".json":
		return true
	case ".ini":
		return false
	}
	line, _ := firstLine(text)
	return yamlKey.MatchString(line) || strings.HasPrefix(line, "{")
}

// read adds what one inventory says. The error is one of the file as a whole.
func (a *ansible) read(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	vaulted := bytes.HasPrefix(data, []byte(vaultMark))
	if vaulted {
		plain, err := a.decrypt(string(data))
		if err != nil {
			return fmt.Errorf("inventory: %s: %w", a.r.file, err)
		}
		data = []byte(plain)
	}
	if bytes.HasPrefix(data, []byte(programMark)) {
		return fmt.Errorf("inventory: %s is a program, which muster does not run: %s", a.r.file, ansibleExport)
	}
	if looksYAML(a.r.file, string(data)) {
		return a.yaml(data, vaulted)
	}
	a.ini(data)
	return nil
}

// rows yields the hosts.
func (a *ansible) rows() {
	a.depths()
	a.ungrouped()
	if !a.undeclared() {
		return
	}
	for _, h := range a.hosts {
		if !a.row(h) {
			return
		}
	}
	a.r.exposed(a.clear)
}

// undeclared reports groups that are named and nowhere said to be any. It says whether to go on.
func (a *ansible) undeclared() bool {
	var names []*ansibleGroup
	for _, g := range a.groups {
		if !g.declared && g.name != "all" && g.name != "ungrouped" {
			names = append(names, g)
		}
	}
	slices.SortFunc(names, func(x, y *ansibleGroup) int { return x.order - y.order })
	for _, g := range names {
		if !a.r.badIn(g.file, g.line, g.col, fmt.Errorf("there is no section of the group %q", printable(g.name))) {
			return false
		}
	}
	return true
}

// row yields one host. It says whether to go on.
func (a *ansible) row(h *ansibleHost) bool {
	groups := a.groupsOf(h)
	s := &ansibleScope{a: a, host: h, layers: a.layers(h, groups)}
	row, left, err := s.row(groups)
	if err == nil && left != "" {
		a.r.env.note(h.file, h.line, "%s is left out: %s", printable(h.name), left)
		return a.r.more()
	}
	var dev muster.Device
	if err == nil {
		row.Platform = a.r.spec.platform(row.Platform)
		dev, err = a.r.env.device(row, fmt.Sprintf("%s:%d", h.file, h.line))
	}
	if err == nil {
		return a.r.device(dev)
	}
	file, line, col := s.place(err)
	return a.r.badIn(file, line, col, fmt.Errorf("%s: %w", printable(h.name), err))
}

// place returns where the value stands that an error is about, else where the host is.
func (s *ansibleScope) place(err error) (file string, line, col int) {
	var value *valueError
	if errors.As(err, &value) {
		return value.file, value.line, value.col
	}
	var field *fieldError
	if errors.As(err, &field) {
		if _, v, ok := s.find(ansibleFields[field.field]...); ok {
			return v.file, v.line, v.col
		}
	}
	return s.host.file, s.host.line, s.host.col
}
