package inventory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
)

// openNornir reads Nornir's SimpleInventory: hosts.yaml, with groups.yaml and defaults.yaml beside it; or the directory of
// these.
func openNornir(spec Spec, env *Env) (Source, error) {
	return &fileSource{spec: spec, env: env, parse: parseNornir, dir: func(r *rows, dir string) error {
		path := nornirHosts(env.expand(dir))
		if path == "" {
			return fmt.Errorf("inventory: %s has no hosts.yaml in it", dir)
		}
		r.file = path
		data, err := readRegular(path)
		if err == nil {
			err = checkText(path, data)
		}
		if err != nil {
			return fmt.Errorf("inventory: %w", err)
		}
		return parseNornir(r, data)
	}}, nil
}

// nornirHosts returns the file of hosts in a directory; empty: there is none.
func nornirHosts(dir string) string {
	for _, name := range []string{"hosts.yaml", "hosts.yml", "inventory/hosts.yaml", "inventory/hosts.yml"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// nornir is an inventory on its way.
type nornir struct {
	r        *rows
	groups   map[string]nornirPart
	defaults nornirPart
	clear    map[string]bool // files that hold passwords
}

// nornirPart is what one of the files says of a host, of a group or of all.
type nornirPart struct {
	strict.Node
	name, file string
}

func parseNornir(r *rows, data []byte) error {
	hosts, problem := strict.Parse(r.file, data)
	if problem != nil {
		return problem
	}
	if hosts.Present() && !hosts.IsMap() {
		return fmt.Errorf("inventory: %s is no list of hosts: its keys are their names", r.file)
	}
	inv := &nornir{r: r, groups: map[string]nornirPart{}, clear: map[string]bool{}}
	r.open = 0 // which of the files holds a password is looked at below
	groups, file, err := inv.sibling("groups")
	if err != nil {
		return err
	}
	for key, n := range groups.Pairs() {
		if name, ok := key.Text(); ok {
			inv.groups[name] = nornirPart{n, name, file}
		}
	}
	if inv.defaults.Node, inv.defaults.file, err = inv.sibling("defaults"); err != nil {
		return err
	}
	for key, n := range hosts.Pairs() {
		line, col := key.Place()
		name, ok := key.Text()
		if !ok {
			if !r.bad(line, col, errors.New("the name of a host is a word")) {
				return nil
			}
			continue
		}
		if !inv.host(nornirPart{n, name, r.file}, line, col) {
			return nil
		}
	}
	r.exposed(inv.clear)
	return nil
}

// sibling reads a file beside that of the hosts; one that is not there is empty.
func (inv *nornir) sibling(name string) (strict.Node, string, error) {
	if inv.r.file == "stdin" {
		return strict.Node{}, "", nil
	}
	for _, ext := range []string{".yaml", ".yml"} {
		path := filepath.Join(filepath.Dir(inv.r.env.expand(inv.r.file)), name+ext)
		data, err := readRegular(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = checkText(path, data)
		}
		if err != nil {
			return strict.Node{}, "", fmt.Errorf("inventory: %w", err)
		}
		doc, problem := strict.Parse(path, data)
		if problem != nil {
			return strict.Node{}, "", problem
		}
		return doc, path, nil
	}
	return strict.Node{}, "", nil
}

// host yields one host. It says whether to go on.
func (inv *nornir) host(h nornirPart, line, col int) bool {
	if h.Present() && !h.IsMap() {
		if _, ok := h.Text(); ok || h.IsList() {
			return inv.r.bad(line, col, fmt.Errorf("%s: what is said of a host is a set of keys", printable(h.name)))
		}
	}
	parts, err := inv.parts(h)
	if err != nil {
		return inv.r.bad(line, col, fmt.Errorf("%s: %w", printable(h.name), err))
	}
	s := &nornirScope{inv: inv, parts: append(parts, inv.defaults)}
	row, err := s.row(h.name)
	if err != nil {
		return inv.r.badIn(s.file, s.line, s.col, fmt.Errorf("%s: %w", printable(h.name), err))
	}
	inv.tags(&row, s.parts)
	return inv.r.add(row, line, func(string) (int, int) { return line, col })
}

// parts returns a host and its groups in their precedence: each group before those that it is in itself, each once.
func (inv *nornir) parts(h nornirPart) ([]nornirPart, error) {
	all := []nornirPart{h}
	seen := map[string]bool{}
	var add func(n strict.Node) error
	add = func(n strict.Node) error {
		if _, ok := n.Get("groups").Text(); ok || n.Get("groups").IsMap() {
			return errors.New("groups is a list of names")
		}
		for _, item := range n.Get("groups").Items() {
			name, ok := item.Text()
			if !ok {
				return errors.New("groups is a list of names")
			}
			g, ok := inv.groups[name]
			if !ok {
				return fmt.Errorf("there is no group %q in groups.yaml", printable(name))
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			all = append(all, g)
			if err := add(g.Node); err != nil {
				return err
			}
		}
		return nil
	}
	return all, add(h.Node)
}

// nornirScope looks attributes up for one host.
type nornirScope struct {
	inv       *nornir
	parts     []nornirPart
	file      string // where the last value that was found stands
	line, col int
}

// get returns the first value along a path that is not null; a null inherits.
func (s *nornirScope) get(path ...string) (string, error) {
	for _, part := range s.parts {
		n := part.Node
		for _, key := range path {
			n = n.Get(key)
		}
		if text, ok := n.Text(); ok {
			s.file = part.file
			s.line, s.col = n.Place()
			return text, nil
		}
		if n.IsList() || n.IsMap() {
			s.file = part.file
			s.line, s.col = n.Place()
			return "", fmt.Errorf("%s must be one value", path[len(path)-1])
		}
	}
	return "", nil
}

// first returns the first of several attributes that is not empty.
func (s *nornirScope) first(paths ...[]string) (string, error) {
	for _, path := range paths {
		if text, err := s.get(path...); text != "" || err != nil {
			return text, err
		}
	}
	return "", nil
}

// secret is first for what must not stand where others may read it.
func (s *nornirScope) secret(paths ...[]string) (string, error) {
	text, err := s.first(paths...)
	if text != "" {
		s.inv.clear[s.file] = true
	}
	return text, err
}

// option is where a connection plug-in has an attribute; what stands there comes before the host's own, wherever it stands.
func option(plugin string, path ...string) []string {
	return append([]string{"connection_options", plugin}, path...)
}

// row makes a row of what host, groups and defaults say. NAPALM's port is that of an API.
func (s *nornirScope) row(name string) (row Row, err error) {
	row = Row{Name: name, foreign: true}
	port, key := "", ""
	attribute := func(name string) [][]string {
		return [][]string{option("netmiko", name), option("scrapli", name), option("paramiko", name), {name}}
	}
	for _, f := range []struct {
		to    *string
		get   func(paths ...[]string) (string, error)
		paths [][]string
	}{
		{&row.Address, s.first, attribute("hostname")},
		{&row.Username, s.first, attribute("username")},
		{&row.Password, s.secret, attribute("password")},
		{&row.Platform, s.first, attribute("platform")},
		{&row.Enable, s.secret, [][]string{option("netmiko", "extras", "secret"), option("scrapli", "extras", "auth_secondary"), option("napalm", "extras", "optional_args", "secret")}},
		{&key, s.first, [][]string{option("netmiko", "extras", "key_file"), option("scrapli", "extras", "auth_private_key")}},
		{&row.passphrase, s.secret, [][]string{option("netmiko", "extras", "passphrase"), option("scrapli", "extras", "auth_private_key_passphrase")}},
		{&port, s.first, attribute("port")},
	} {
		if *f.to, err = f.get(f.paths...); err != nil {
			return row, err
		}
	}
	if port != "" {
		if row.Port, err = parsePort(port); err != nil {
			return row, err
		}
	}
	if platform, ok := strings.CutSuffix(row.Platform, "_telnet"); ok { // as Netmiko calls it
		row.Platform, row.Transport = platform, "telnet"
	}
	if key != "" {
		row.keys = []string{s.inv.r.env.expand(key)}
	}
	return row, nil
}

// tags makes the groups and the data that is one value tags, and the first group the device's.
func (inv *nornir) tags(row *Row, parts []nornirPart) {
	for _, part := range parts {
		for key, value := range part.Get("data").Pairs() {
			name, _ := key.Text()
			text, ok := value.Text()
			if ok && name != "" && !strings.ContainsAny(name, "=!,") && !secretField.MatchString(name) {
				row.tag(name, text)
			}
		}
	}
	for _, part := range parts[1:] {
		if part.name != "" && CheckName(part.name) == nil {
			row.tag(part.name, "true")
		}
	}
	first := slices.IndexFunc(parts[1:], func(p nornirPart) bool { return p.name != "" && CheckGroup(p.name) == nil })
	if first >= 0 {
		row.Group = parts[1+first].name
	}
}
