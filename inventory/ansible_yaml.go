package inventory

import (
	"errors"
	"fmt"

	"github.com/musternet/muster/internal/settings/strict"
)

// yaml reads an inventory whose keys are groups. The error is one of the file as a whole.
func (a *ansible) yaml(data []byte, decrypted bool) error {
	doc, problem := strict.Parse(a.r.file, data)
	if problem != nil {
		return problem
	}
	if doc.Get("plugin").Present() {
		return fmt.Errorf("inventory: %s sets up a plug-in of Ansible: add what that asks as a source of its own, such as netbox; or %s", a.r.file, ansibleExport)
	}
	if doc.Get("_meta").Present() {
		return fmt.Errorf("inventory: %s is what a program says to Ansible: %s", a.r.file, ansibleExport)
	}
	if !doc.IsMap() {
		return fmt.Errorf("inventory: %s is no inventory: its keys are groups, with hosts, children and vars", a.r.file)
	}
	room := maxExpand
	for key, value := range doc.Pairs() {
		a.yamlGroup(key, value, nil, &room, decrypted)
	}
	return nil
}

// yamlGroup reads a group; parent is the one it stands in.
func (a *ansible) yamlGroup(key, n strict.Node, parent *ansibleGroup, room *int, decrypted bool) {
	name, ok := key.Text()
	line, col := key.Place()
	if !ok || name == "" {
		a.r.bad(line, col, errors.New("the name of a group is a word"))
		return
	}
	g := a.group(name, line, col)
	g.declared = true
	if parent != nil {
		if err := parent.child(g); err != nil {
			a.r.bad(line, col, err)
			return // it could go on for ever: an alias may refer to what it stands in
		}
	}
	for key, value := range n.Pairs() {
		word, _ := key.Text()
		line, col := key.Place()
		if word == "vars" {
			for name, v := range a.varsOfNode(value, decrypted) {
				g.vars[name] = v
			}
			continue
		}
		if word != "hosts" && word != "children" {
			a.r.env.note(a.r.file, line, "%q is no part of a group: there are hosts, children and vars", printable(word))
			continue
		}
		add := a.yamlHosts
		if word == "children" {
			add = a.yamlGroup
		}
		if value.IsList() {
			a.r.bad(line, col, fmt.Errorf("%s is a set of names, each with a colon behind", word))
		} else if _, ok := value.Text(); ok { // a name alone
			add(value, strict.Node{}, g, room, decrypted)
		}
		for name, of := range value.Pairs() {
			add(name, of, g, room, decrypted)
		}
	}
}

func (a *ansible) yamlHosts(key, n strict.Node, g *ansibleGroup, room *int, decrypted bool) {
	line, col := key.Place()
	pattern, ok := key.Text()
	if !ok || pattern == "" {
		a.r.bad(line, col, errors.New("the name of a host is a word"))
		return
	}
	names, port, err := expandHosts(pattern, room)
	if err != nil {
		a.r.bad(line, col, err)
		return
	}
	vars := a.varsOfNode(n, decrypted)
	for _, name := range names {
		a.host(name, port, g, line, col, vars)
	}
}
