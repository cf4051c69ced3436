package inventory

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// target is a destination as ssh takes it.
type target struct {
	user, host string
	port       int
}

// parseTarget reads [user@]host, [user@]host:port, [user@][v6]:port, a bare IPv6 address and ssh://[user@]host[:port].
func parseTarget(s string) (target, error) {
	var t target
	rest := strings.TrimSuffix(strings.TrimPrefix(s, "ssh://"), "/")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		t.user, rest = rest[:i], rest[i+1:]
		if err := checkUser(t.user); err != nil || t.user == "" {
			return t, fmt.Errorf("%q is not [user@]host[:port]: the user before @ is wrong", s)
		}
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return t, fmt.Errorf("%q: %w", s, err)
	}
	t.host, t.port = host, port
	if err := checkAddress(host); err != nil {
		return t, err
	}
	return t, nil
}

// splitPort parts host:port, [v6]:port and v6_port, which is how such a device is named; a bare IPv6 address has no port.
func splitPort(s string) (host string, port int, err error) {
	if _, err := netip.ParseAddr(s); err == nil {
		return s, 0, nil
	}
	if h, text, ok := strings.Cut(s, "_"); ok && strings.Count(h, ":") > 1 {
		if _, err := netip.ParseAddr(h); err == nil { // as target.name writes it
			port, err := parsePort(text)
			return h, port, err
		}
	}
	host, text, ok := s, "", false
	if inner, bracketed := strings.CutPrefix(s, "["); bracketed {
		h, after, closed := strings.Cut(inner, "]")
		if _, err := netip.ParseAddr(h); !closed || err != nil {
			return "", 0, fmt.Errorf("what stands in brackets is no IPv6 address")
		}
		if host, text, ok = h, strings.TrimPrefix(after, ":"), after != ""; ok && after[0] != ':' {
			return "", 0, fmt.Errorf("after ] there must be a colon and the port")
		}
	} else if strings.Count(s, ":") == 1 {
		host, text, ok = strings.Cut(s, ":")
	}
	if !ok {
		return host, 0, nil
	}
	port, err = parsePort(text)
	return host, port, err
}

func parsePort(text string) (int, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("the port must be a number from 1 to 65535")
	}
	return int(port), nil
}

// name returns the device name of a target that has no other: the host, with the port where one was given.
func (t target) name() string {
	switch {
	case t.port == 0:
		return t.host
	case strings.ContainsRune(t.host, ':'):
		return t.host + "_" + strconv.Itoa(t.port)
	}
	return t.host + ":" + strconv.Itoa(t.port)
}

// checkUser says whether a text can be a login name.
func checkUser(user string) error {
	for _, r := range user {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return fmt.Errorf("the username holds a control character")
		}
	}
	if len(user) > 255 {
		return fmt.Errorf("the username is longer than 255 bytes")
	}
	if strings.HasPrefix(user, "-") {
		return fmt.Errorf("the username begins with -")
	}
	return nil
}

// checkHops says whether texts can be jump hosts, and parts those that stand in one text with commas between.
func checkHops(jump []string) ([]string, error) {
	var hops []string
	for _, s := range jump {
		for hop := range strings.SplitSeq(s, ",") {
			hop = strings.TrimSpace(hop)
			if hop == "" {
				continue
			}
			if _, err := parseTarget(hop); err != nil {
				return nil, fmt.Errorf("jump: %w", err)
			}
			hops = append(hops, hop)
		}
	}
	return hops, nil
}
