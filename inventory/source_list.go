package inventory

import (
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"unicode"
)

// maxExpand bounds how many devices the prefixes of one list make.
const maxExpand = 65_536

// openList reads a plain list: a name, an address, [user@]host:port or a prefix a line, # comments. A prefix is its hosts.
func openList(spec Spec, env *Env) (Source, error) {
	return &fileSource{spec: spec, env: env, parse: func(r *rows, data []byte) error {
		room := maxExpand
		for n, line := range lines(data) {
			text, _, _ := strings.Cut(line, "#")
			word := strings.TrimSpace(text)
			if word == "" {
				continue
			}
			if !listRow(r, n, 1+strings.Index(line, word), word, &room) {
				return nil
			}
		}
		return nil
	}}, nil
}

func listRow(r *rows, n, col int, word string, room *int) bool {
	if strings.ContainsFunc(word, unicode.IsSpace) {
		return r.bad(n, col, fmt.Errorf("a line of a list is one name, address or prefix"))
	}
	if !strings.Contains(word, "/") || strings.HasPrefix(word, "ssh://") {
		t, err := parseTarget(word)
		if err != nil {
			return r.bad(n, col, err)
		}
		row := Row{Name: t.name(), Address: t.host, Settings: Settings{Port: t.port, Username: t.user}}
		return r.add(row, n, func(string) (int, int) { return n, col })
	}
	prefix, err := netip.ParsePrefix(word)
	if err != nil {
		return r.bad(n, col, fmt.Errorf("%q is no prefix: write 192.0.2.0/24", printable(word)))
	}
	count := hostCount(prefix)
	if count > *room {
		return r.bad(n, col, fmt.Errorf("%v and the prefixes before it have more than %d addresses: a list is not for that many", prefix, maxExpand))
	}
	*room -= count
	for addr := range hosts(prefix) {
		if !r.add(Row{Name: addr.String(), Address: addr.String()}, n, func(string) (int, int) { return n, col }) {
			return false
		}
	}
	return true
}

// hostCount is the number of hosts of a prefix; a number above maxExpand where it is far larger.
func hostCount(p netip.Prefix) int {
	bits := p.Addr().BitLen() - p.Bits()
	switch {
	case bits > 16:
		return maxExpand + 1
	case p.Addr().Is4() && bits > 1:
		return 1<<bits - 2
	}
	return 1 << bits
}

// hosts yields the hosts of a prefix: of an IPv4 one larger than /31, without network and broadcast.
func hosts(p netip.Prefix) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		addr := p.Masked().Addr()
		if p.Addr().Is4() && p.Bits() < 31 {
			addr = addr.Next()
		}
		for range hostCount(p) {
			if !yield(addr) {
				return
			}
			addr = addr.Next()
		}
	}
}

// printable makes a short text of what a file holds, safe for a terminal.
func printable(s string) string {
	if len(s) > 80 {
		s = s[:80]
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
