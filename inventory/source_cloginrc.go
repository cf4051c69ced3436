package inventory

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// openCloginrc reads the .cloginrc of RANCID's user for the devices of the router.db files near it: beside it, one level
// below, or below var, as RANCID's groups are.
func openCloginrc(spec Spec, env *Env) (Source, error) {
	return &fileSource{spec: spec, env: env, parse: parseCloginrc, dir: func(r *rows, dir string) error {
		for _, name := range []string{".cloginrc", "cloginrc"} {
			path := filepath.Join(dir, name)
			data, err := readRegular(r.env.expand(path))
			if err != nil {
				continue
			}
			r.file, r.spec.File = path, path
			return parseCloginrc(r, data)
		}
		return fmt.Errorf("inventory: %s has no .cloginrc in it", dir)
	}}, nil
}

func parseCloginrc(r *rows, data []byte) error {
	r.open = 0 // which of the files holds a password is looked at below
	c := &cloginrc{r: r, env: r.env, lines: map[string][]cloginLine{}}
	c.read(r.file, data)
	tables := routerTables(r.env.expand(r.file))
	if len(tables) == 0 {
		return fmt.Errorf("inventory: near %s there is no router.db, whose devices its passwords are for", r.file)
	}
	for _, path := range tables {
		group := ""
		if dir := filepath.Dir(path); dir != filepath.Dir(r.env.expand(r.spec.File)) {
			group = filepath.Base(dir)
		}
		text, err := readRegular(path)
		if err == nil {
			err = checkText(path, text)
		}
		if err != nil {
			if !r.badIn(path, 0, 0, cause(err)) {
				return nil
			}
			continue
		}
		r.file = path
		for n, line := range lines(text) {
			if s := strings.TrimSpace(line); s == "" || s[0] == '#' {
				continue
			}
			if !rancidRow(r, n, line, func(row *Row) error { return c.complete(row, group) }) {
				return nil
			}
		}
	}
	r.exposed(c.secrets)
	return nil
}

// routerTables returns the router.db files near a .cloginrc, sorted.
func routerTables(file string) []string {
	var all []string
	for _, pattern := range []string{"router.db", "*/router.db", "var/*/router.db"} {
		matches, _ := filepath.Glob(filepath.Join(globQuote(filepath.Dir(file)), filepath.FromSlash(pattern)))
		slices.Sort(matches)
		all = append(all, matches...)
	}
	return all
}

// globQuote makes a directory a pattern that fits it alone.
func globQuote(dir string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// complete adds to a row what is said of its name. Without a method the transport is the group's: clogin would try telnet
// first.
func (c *cloginrc) complete(row *Row, group string) error {
	name := row.Name
	row.foreign, row.Group = true, group
	row.Username = c.value("user", name)
	passwords := c.find("password", name)
	if len(passwords) > 0 {
		row.Password = passwords[0]
	}
	row.Password = first(c.value("userpassword", name), row.Password)
	if len(passwords) > 1 && c.value("noenable", name) != "1" && c.value("autoenable", name) != "1" {
		row.Enable = passwords[1]
	}
	if key := c.value("identity", name); key != "" {
		row.keys = []string{c.env.expand(key)}
		row.passphrase = c.value("passphrase", name)
	}
	for _, method := range c.find("method", name) {
		method, port, _ := strings.Cut(method, ":")
		if method != "ssh" && method != "telnet" {
			continue
		}
		row.Transport = method
		if port = strings.TrimPrefix(port, "-"); port != "" { // a - asks some telnet clients to negotiate
			n, err := parsePort(port)
			if err != nil {
				return fmt.Errorf("method: %w", err)
			}
			row.Port = n
		}
		break
	}
	return nil
}
