package settings

import (
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster/internal/settings/strict"
	"github.com/musternet/muster/inventory"
)

// What messages a receiver can take, and the longest path that a socket can have.
const (
	minMessage   = Bytes(1 << 10)
	maxMessage   = Bytes(1 << 20)
	maxSocketLen = 107
)

// When a changed device is backed up, unless the file says otherwise.
const (
	defaultQuiet  = Span(5 * time.Second)
	defaultAtMost = Span(time.Minute)
)

func (c checker) syslog(n strict.Node, y Syslog) Problems {
	p := c.sockets(n, y)
	if y.MaxMessage != 0 && (y.MaxMessage < minMessage || y.MaxMessage > maxMessage) {
		p = append(p, n.Get("max_message").Problem("max_message must be from 1KiB to 1MiB"))
	}
	for _, key := range []string{"retention", "max_size"} {
		if y.Archive.Off && n.Get(key).Present() {
			p = append(p, n.Get(key).Problem("%s means nothing with archive: off", key))
		}
	}
	p = append(p, sources(n.Get("sources"), y.Sources)...)
	p = append(p, relays(n.Get("relays"), y)...)
	p = append(p, c.noise(n.Get("noise"), y.Noise)...)
	if quiet, most := first(y.Changes.Quiet, defaultQuiet), first(y.Changes.AtMost, defaultAtMost); quiet > most {
		p = append(p, at(n.Get("changes"), "quiet", "at_most").Problem("quiet for %s is more than at_most %s", shown(quiet), shown(most)))
	}
	return p
}

// sockets checks where messages are received.
func (c checker) sockets(n strict.Node, y Syslog) Problems {
	p := twice(n.Get("udp"), y.UDP, nil)
	p = append(p, twice(n.Get("tcp"), y.TCP, nil)...)
	p = append(p, twice(n.Get("tls"), y.TLS, y.TCP)...)
	paths := items(n.Get("unix"))
	for i, path := range y.Unix {
		switch {
		case strings.TrimSpace(path) == "":
			p = append(p, paths[i].Problem("the socket has no path"))
		case len(c.path(path)) > maxSocketLen:
			p = append(p, paths[i].Problem("the path of a socket has at most %d bytes", maxSocketLen))
		}
	}
	return append(p, certificates(n, y)...)
}

// twice finds what is listened on twice; before has those of another list.
func twice(n strict.Node, all, before []Socket) Problems {
	var p Problems
	nodes := items(n)
	for i, one := range all {
		if strings.HasSuffix(string(one), ":0") {
			continue // any port that is free
		}
		if slices.Contains(all[:i], one) || slices.Contains(before, one) {
			p = append(p, nodes[i].Problem("%s is listened on already", one))
		}
	}
	return p
}

// certificates checks what TLS needs.
func certificates(n strict.Node, y Syslog) Problems {
	var p Problems
	for _, key := range []string{"tls_cert", "tls_key", "tls_client_ca"} {
		if k := n.Get(key); k.Present() && len(y.TLS) == 0 {
			p = append(p, k.Problem("%s means nothing without tls: add tls: 6514", key))
		}
	}
	if len(p) == 0 && len(y.TLS) > 0 && (y.TLSCert == "" || y.TLSKey == "") {
		p = append(p, n.Get("tls").Problem("TLS needs a certificate and its key: add tls_cert: and tls_key:"))
	}
	return p
}

// sources checks which devices send from where.
func sources(n strict.Node, all []SyslogSource) Problems {
	var p Problems
	devices := map[Addr]string{}
	for i, s := range all {
		one := items(n)[i]
		switch err := inventory.CheckName(s.Device); {
		case s.Device == "":
			p = append(p, one.Problem("the source has no device: add device: NAME"))
		case err != nil:
			p = append(p, one.Get("device").Problem("device: %v", err))
		case len(s.Address) == 0:
			p = append(p, one.Problem("the source has no address: add address: 192.0.2.1, or a list of them"))
		}
		nodes := items(one.Get("address"))
		for j, a := range s.Address {
			if other, ok := devices[a]; ok {
				p = append(p, nodes[j].Problem("%s is an address of %s already", a, other))
				continue
			}
			devices[a] = s.Device
		}
	}
	return p
}

// relays checks who passes messages on.
func relays(n strict.Node, y Syslog) Problems {
	var p Problems
	nodes := items(n)
	for i, a := range y.Relays {
		for _, s := range y.Sources {
			if slices.Contains(s.Address, a) {
				p = append(p, nodes[i].Problem("%s is an address of %s: a relay is nobody's, or all that it passes on would be put down to %s", a, s.Device, s.Device))
			}
		}
	}
	return p
}

// noise checks what alarms nobody.
func (c checker) noise(n strict.Node, all Noise) Problems {
	var p Problems
	var shipped []string
	if c.options.Noises != nil {
		shipped = c.options.Noises()
	}
	off, add := items(n.Get("off")), items(n.Get("add"))
	for i, name := range all.Without {
		if shipped != nil && !slices.Contains(shipped, name) {
			p = append(p, off[i].Problem("no noise is called %q%s", name, strict.Hint(name, shipped)))
		}
	}
	for i, r := range all.Add {
		n := add[i]
		switch {
		case strings.TrimSpace(r.Name) == "":
			p = append(p, n.Problem("the noise has no name: add name: NAME"))
			continue
		case slices.ContainsFunc(all.Add[:i], func(o NoiseRule) bool { return o.Name == r.Name }):
			p = append(p, n.Get("name").Problem("noise is called %q already", r.Name))
		case slices.Contains(shipped, r.Name) && !slices.Contains(all.Without, r.Name):
			p = append(p, n.Get("name").Problem("shipped noise is called %q: name it at off too, or give this another name", r.Name))
		case strings.TrimSpace(r.Reason) == "":
			p = append(p, n.Problem("the noise has no reason: add reason: TEXT, for whoever wonders later"))
		}
		p = append(p, c.noiseRule(n, r)...)
	}
	return p
}

func (c checker) noiseRule(n strict.Node, r NoiseRule) Problems {
	p := append(c.selection(n, r.Select), c.messages(n, r.Severity, r.Facility)...)
	if bad := expression(n, "match", r.Match); bad != nil {
		p = append(p, bad)
	}
	if len(p) == 0 && !says(n) {
		p = append(p, n.Problem("the noise does not say which messages: add mnemonic:, text: or another"))
	}
	if len(p) > 0 || c.options.Noise == nil {
		return p
	}
	if field, err := c.options.Noise(r); err != nil {
		p = append(p, at(n, field).Problem("%v", err))
	}
	return p
}

// messageKeys say which messages are meant, beside match and select.
var messageKeys = []string{"severity", "facility", "app", "mnemonic", "text"}

// says tells whether anything is said of which messages are meant.
func says(n strict.Node) bool { return at(n, append(messageKeys, "match", "select")...) != n }

// messages checks the keys that say which messages are meant.
func (c checker) messages(n strict.Node, severity string, facility []string) Problems {
	var p Problems
	for _, key := range messageKeys {
		k := n.Get(key)
		if text, ok := k.Text(); ok && text == "" {
			p = append(p, k.Problem("%s is empty: leave it out for any", key))
		} else if k.IsList() && len(k.Items()) == 0 {
			p = append(p, k.Problem("%s names none: leave it out for any", key))
		}
	}
	if len(p) > 0 {
		return p
	}
	if severity != "" && c.options.Severity != nil {
		if err := c.options.Severity(severity); err != nil {
			p = append(p, n.Get("severity").Problem("severity: %v", err))
		}
	}
	nodes := items(n.Get("facility"))
	for i, word := range facility {
		if c.options.Facility == nil {
			break
		}
		if err := c.options.Facility(word); err != nil {
			p = append(p, nodes[i].Problem("facility: %v", err))
		}
	}
	return p
}
