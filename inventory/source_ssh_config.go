package inventory

import "strings"

// openSSHConfig reads the concrete hosts of an ssh_config file: names without wildcards.
func openSSHConfig(spec Spec, env *Env) (Source, error) {
	return &fileSource{spec: spec, env: env, parse: func(r *rows, data []byte) error {
		rd := &sshReader{env: r.env, out: &sshConfig{}}
		rd.parse(r.file, data, nil, 0)
		for _, n := range rd.out.notes {
			r.env.note(n.File, n.Line, "%w", n.Err)
		}
		for _, b := range rd.out.bad {
			if !r.bad(b.Line, b.Col, b.Err) {
				return nil
			}
		}
		rd.hosts(r)
		return nil
	}}, nil
}

// hosts yields each concrete name once.
func (rd *sshReader) hosts(r *rows) {
	seen := map[string]bool{}
	for _, p := range rd.out.pieces {
		for _, name := range p.names {
			if seen[name] || strings.ContainsAny(name, "*?!") {
				continue
			}
			seen[name] = true
			row, err := rd.out.entry(r.env, name)
			more := true
			if err != nil {
				more = r.bad(p.line, 1, err)
			} else {
				more = r.add(row, p.line, nil)
			}
			if !more {
				return
			}
		}
	}
}
