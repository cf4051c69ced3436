package inventory

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
)

// vaultMark begins whatever ansible-vault has encrypted.
const vaultMark = "$ANSIBLE_VAULT;"

// errVault says what to do about a vault that cannot be opened.
var errVault = errors.New("it needs a vault password: name it under secrets: ansible_vault in muster.yaml")

// opened is what became of a vaulted text.
type opened struct {
	text string
	err  error
}

// decrypt opens what ansible-vault made; the same text is opened once, for that takes a while.
func (a *ansible) decrypt(text string) (string, error) {
	if o, ok := a.opened[text]; ok {
		return o.text, o.err
	}
	if a.r.env.Vault == nil {
		return "", errVault
	}
	head, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	label := ""
	if fields := strings.Split(strings.TrimSpace(head), ";"); len(fields) > 3 { // $ANSIBLE_VAULT;1.2;AES256;label
		label = fields[3]
	}
	plain, err := a.r.env.Vault(a.r.ctx, label, []byte(text))
	a.opened[text] = opened{string(plain), err}
	return string(plain), err
}

// sibling reads a file beside an inventory: a vaulted one decrypted, one that others may read noted where it holds
// passwords in clear.
func (a *ansible) sibling(path string) (data []byte, vaulted bool, err error) {
	if data, err = readRegular(path); err != nil {
		return nil, false, err
	}
	if err := checkText(path, data); err != nil {
		return nil, false, errors.New("it is no text in UTF-8")
	}
	if !bytes.HasPrefix(data, []byte(vaultMark)) {
		return data, false, nil
	}
	plain, err := a.decrypt(string(data))
	return []byte(plain), true, err
}

// varsOf returns the variables that the files of a host or group have: host_vars/NAME, with .yml, .yaml or .json, or a
// directory of such files.
func (a *ansible) varsOf(kind, name string) ansibleVars {
	if !a.hasDir(kind) || strings.ContainsAny(name, `/\`) || name == "." || name == ".." {
		return nil
	}
	key := kind + "/" + name
	if vars, ok := a.files[key]; ok {
		return vars
	}
	var all ansibleVars
	for _, path := range varsFiles(filepath.Join(a.dir, kind, name)) {
		for name, v := range a.varsFile(path) {
			if all == nil {
				all = ansibleVars{}
			}
			all[name] = v
		}
	}
	a.files[key] = all
	return all
}

// hasDir says whether there is a directory of variables: most have none for hosts, and would be looked through for each.
func (a *ansible) hasDir(kind string) bool {
	has, known := a.dirs[kind]
	if !known && a.dir != "" {
		info, err := os.Stat(filepath.Join(a.dir, kind))
		has = err == nil && info.IsDir()
		a.dirs[kind] = has
	}
	return has
}

// varsSuffixes are the ends of files of variables, in the order in which they are looked for.
var varsSuffixes = []string{"", ".yml", ".yaml", ".json"}

// varsFiles returns the files of one name: the first that is there, or all below it where that is a directory.
func varsFiles(path string) []string {
	for _, suffix := range varsSuffixes {
		info, err := os.Stat(path + suffix)
		switch {
		case err != nil:
		case !info.IsDir():
			return []string{path + suffix}
		case suffix == "":
			return varsBelow(path, maxInclude)
		}
	}
	return nil
}

// varsBelow returns the files of variables in a directory and those in it, without hidden ones and backups.
func varsBelow(dir string, depth int) []string {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil || depth == 0 {
		return nil
	}
	var files []string
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
			continue
		}
		ext := filepath.Ext(name)
		if info.IsDir() && ext == "" {
			files = append(files, varsBelow(path, depth-1)...)
		} else if info.Mode().IsRegular() && slices.Contains(varsSuffixes, ext) {
			files = append(files, path)
		}
	}
	return files
}

// varsFile reads one file of variables. One that cannot be read is reported, and the rest goes on.
func (a *ansible) varsFile(path string) ansibleVars {
	was := a.r.file
	a.r.file = path
	defer func() { a.r.file = was }()
	data, vaulted, err := a.sibling(path)
	if err != nil {
		a.sealed = path
		a.r.bad(1, 1, cause(err))
		return nil
	}
	doc, problem := strict.Parse(path, data)
	if problem != nil {
		a.r.bad(problem.Line, problem.Col, errors.New(problem.Text))
		return nil
	}
	if doc.Present() && !doc.IsMap() {
		a.r.bad(1, 1, errors.New("a file of variables is a set of keys with their values"))
		return nil
	}
	return a.varsOfNode(doc, vaulted)
}
