package inventory

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// ansibleScope is what the variables of one host are looked up in.
type ansibleScope struct {
	a      *ansible
	host   *ansibleHost
	layers []ansibleVars
	hidden bool // what is looked up is a secret
}

// valueError is what is wrong with the value of a variable, and where it stands. It does not hold the value.
type valueError struct {
	file      string
	line, col int
	err       error
}

func (v ansibleVar) wrong(err error) error { return &valueError{v.file, v.line, v.col, err} }

func (e *valueError) Error() string { return e.err.Error() }
func (e *valueError) Unwrap() error { return e.err }

// find returns the first of several variables that is not null, empty though it may be: that is how a person takes back what
// a group says.
func (s *ansibleScope) find(names ...string) (name string, v ansibleVar, ok bool) {
	for _, name := range names {
		for _, vars := range s.layers {
			if v, ok := vars[name]; ok {
				if v.null {
					break
				}
				return name, v, true
			}
		}
	}
	return "", ansibleVar{}, false
}

// get returns the value of the first of several names, decrypted and with its templates replaced; empty: there is none.
// Errors are *valueError.
func (s *ansibleScope) get(names ...string) (string, error) {
	name, v, ok := s.find(names...)
	if !ok {
		return "", nil
	}
	text, err := s.value(v, maxTemplates)
	if err != nil {
		return "", v.wrong(fmt.Errorf("%s: %w", name, err))
	}
	return text, nil
}

// secret is get for what must not stand where others may read it.
func (s *ansibleScope) secret(names ...string) (string, error) {
	s.hidden = true
	defer func() { s.hidden = false }()
	return s.get(names...)
}

// maxTemplates bounds how deep templates name variables that are templates.
const maxTemplates = 10

func (s *ansibleScope) value(v ansibleVar, depth int) (string, error) {
	switch {
	case v.nested:
		return "", errors.New("it is a list or a mapping")
	case v.vaulted:
		plain, err := s.a.decrypt(v.text)
		return strings.TrimSuffix(plain, "\n"), err
	case v.unsafe || !strings.Contains(v.text, "{{") && !strings.Contains(v.text, "{%"):
		if s.hidden && !v.decrypted && v.text != "" {
			s.a.clear[v.file] = true
		}
		return v.text, nil
	case depth == 0:
		return "", errors.New("its templates name each other")
	}
	return s.expand(v.text, depth)
}

var (
	template    = regexp.MustCompile(`\{\{-?\s*(.*?)\s*-?\}\}`)
	templateVar = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	templateEnv = regexp.MustCompile(`^lookup\(\s*['"](?:ansible\.builtin\.)?env['"]\s*,\s*['"]([A-Za-z_][A-Za-z0-9_]*)['"]\s*\)$`)
)

// expand replaces templates that are the name of a variable or of one of the environment: what a person writes to keep a
// password elsewhere. Any other is a program, which muster does not run.
func (s *ansibleScope) expand(text string, depth int) (string, error) {
	var out strings.Builder
	at := 0
	for _, m := range template.FindAllStringSubmatchIndex(text, -1) {
		value, err := s.term(text[m[2]:m[3]], depth)
		if err != nil {
			return "", err
		}
		out.WriteString(text[at:m[0]])
		out.WriteString(value)
		at = m[1]
	}
	if rest := text[at:]; strings.Contains(rest, "{{") || strings.Contains(text, "{%") {
		return "", errTemplate
	}
	out.WriteString(text[at:])
	return out.String(), nil
}

var errTemplate = errors.New("muster replaces only templates that are the name of a variable, or lookup('env', 'NAME')")

func (s *ansibleScope) term(expr string, depth int) (string, error) {
	if m := templateEnv.FindStringSubmatch(expr); m != nil {
		text := s.a.r.env.getenv(m[1])
		switch {
		case secretVariable(m[1]) && !s.hidden:
			return "", errShown(m[1])
		case text == "":
			return "", fmt.Errorf("the environment variable %s is not set", m[1])
		}
		return text, nil
	}
	if !templateVar.MatchString(expr) {
		return "", errTemplate
	}
	switch expr {
	case "inventory_hostname":
		return s.host.name, nil
	case "inventory_hostname_short":
		short, _, _ := strings.Cut(s.host.name, ".")
		return short, nil
	}
	_, v, ok := s.find(expr)
	if !ok {
		return "", fmt.Errorf("nothing says what %s is%s", expr, s.a.locked())
	}
	return s.value(v, depth-1)
}

// locked says that there are files that nobody could open.
func (a *ansible) locked() string {
	if a.sealed == "" {
		return ""
	}
	return "; " + a.sealed + ", which may, could not be opened"
}

// ansibleFields are the variables that a field is made of. Of those that are set the first here counts, which is the last in
// the list of Ansible's connection plug-ins.
var ansibleFields = map[string][]string{
	"platform": {"ansible_network_os"}, "address": {"ansible_ssh_host", "ansible_host"}, "port": {"ansible_ssh_port", "ansible_port"},
	"username": {"ansible_ssh_user", "ansible_user"}, "jump": {"ansible_ssh_common_args", "ansible_ssh_extra_args"},
}

// row makes a row of what the variables say; left says why the host is none of ours. Errors that have a place in the files
// are *valueError.
func (s *ansibleScope) row(groups []*ansibleGroup) (row Row, left string, err error) {
	row = Row{Name: s.host.name, foreign: true}
	port := ""
	for _, f := range []struct {
		to    *string
		get   func(names ...string) (string, error)
		names []string
	}{
		{&row.Platform, s.get, ansibleFields["platform"]},
		{&row.Address, s.get, ansibleFields["address"]},
		{&port, s.get, ansibleFields["port"]},
		{&row.Username, s.get, ansibleFields["username"]},
		{&row.Password, s.secret, []string{"ansible_ssh_password", "ansible_ssh_pass", "ansible_password"}},
		{&row.Enable, s.secret, []string{"ansible_enable_pass", "ansible_become_pass", "ansible_become_password"}},
	} {
		if f.to == &row.Address {
			connection, err := s.get("ansible_connection")
			if left = s.foreignTo(connection, row.Platform); err != nil || left != "" {
				return row, left, err
			}
		}
		if *f.to, err = f.get(f.names...); err != nil {
			return row, "", err
		}
	}
	if port = strings.TrimSpace(port); port != "" && !s.otherPort() {
		if row.Port, err = parsePort(port); err != nil {
			_, v, _ := s.find(ansibleFields["port"]...)
			return row, "", v.wrong(err)
		}
	}
	if err := s.ssh(&row); err != nil {
		return row, "", err
	}
	s.grouped(&row, groups)
	return row, "", nil
}

// connection returns the last word of the name of a connection plug-in: ansible.netcommon.network_cli is network_cli.
func connectionName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// foreignTo says why a host with such a connection is left out; empty: it is not.
func (s *ansibleScope) foreignTo(connection, platform string) string {
	switch name := connectionName(connection); name {
	case "", "ssh", "smart", "paramiko", "paramiko_ssh", "libssh", "network_cli", "netconf", "httpapi", "grpc":
		return ""
	case "local":
		if platform != "" {
			return "" // as playbooks for network devices had it before network_cli
		}
		return "its connection is local, which is the machine that Ansible runs on"
	default:
		return fmt.Sprintf("its connection %q is not over SSH", printable(name))
	}
}

// otherPort says that ansible_port is not that of the command line.
func (s *ansibleScope) otherPort() bool {
	connection, _ := s.get("ansible_connection")
	switch connectionName(connection) {
	case "netconf", "httpapi", "grpc":
		return true
	}
	return false
}

var sshJump = regexp.MustCompile(`(?:^|\s)(?:-J\s*|-o\s*["']?ProxyJump[= ]\s*)([^\s"']+)`)

// ssh takes key files and jump hosts.
func (s *ansibleScope) ssh(row *Row) error {
	key, err := s.get("ansible_ssh_private_key_file", "ansible_private_key_file")
	if err != nil {
		return err
	}
	if key != "" {
		path := s.a.r.env.expand(key)
		if !filepath.IsAbs(path) && s.a.dir != "" {
			path = filepath.Join(s.a.dir, path)
		}
		row.keys = []string{path}
	}
	for _, name := range []string{"ansible_ssh_common_args", "ansible_ssh_extra_args"} {
		args, err := s.get(name)
		if err != nil {
			return err
		}
		if m := sshJump.FindStringSubmatch(args); m != nil {
			row.Jump = []string{m[1]}
		} else if strings.Contains(args, "ProxyCommand") && !s.a.noted["ProxyCommand"] {
			s.a.noted["ProxyCommand"] = true
			s.a.r.env.note(s.host.file, s.host.line, "%s is a ProxyCommand, which muster does not run: say jump for the group", name)
		}
	}
	return nil
}

// grouped makes the first group that lists the host its group, and all that it is in tags.
func (s *ansibleScope) grouped(row *Row, groups []*ansibleGroup) {
	for _, g := range groups {
		if g.name != "all" && g.name != "ungrouped" && CheckName(g.name) == nil {
			row.tag(g.name, "true")
		}
	}
	for _, g := range s.host.groups {
		if g.name != "all" && g.name != "ungrouped" && CheckGroup(g.name) == nil {
			row.Group = g.name
			return
		}
	}
}
