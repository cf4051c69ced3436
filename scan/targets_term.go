package scan

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// kind is what a term is.
type kind int

const (
	kindPrefix kind = iota
	kindRange
	kindAddress
	kindName
	kindNetwork // an address that on its own means its prefix
)

// term is one target, or one exclusion, as somebody wrote it.
type term struct {
	text   string
	kind   kind
	block  block        // of all kinds but kindName
	addrs  []netip.Addr // of a name
	label  string       // what it means, for people
	within bool         // host bits were set
}

// refuse is an error that matches ErrTargets.
func refuse(format string, args ...any) error { return &refusal{text: fmt.Sprintf(format, args...)} }

// longestShown bounds how much of a term an error repeats.
const longestShown = 80

// shown is what somebody wrote, fit for one line of text.
func shown(text string) string {
	if len(text) > longestShown {
		text = text[:longestShown] + "..."
	}
	if text == "" || strings.ContainsFunc(text, notPlain) {
		return strconv.Quote(text)
	}
	return text
}

func notPlain(r rune) bool { return r == ' ' || r == unicode.ReplacementChar || !unicode.IsPrint(r) }

// readTerm reads one term. It asks nobody.
func readTerm(text string) (term, error) {
	if err := foreign(text); err != nil {
		return term{}, err
	}
	if strings.Contains(text, "/") {
		return readPrefix(text)
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return readAddress(text, a.Unmap())
	}
	if from, to, ok := strings.Cut(text, "-"); ok && addressLike(from) && (to == "" || addressLike(to)) {
		return readRange(text, from, to)
	}
	if addressLike(text) {
		return term{}, noAddress(text, text)
	}
	return readName(text)
}

// foreign refuses what is written in a form that belongs elsewhere.
func foreign(text string) error {
	host, port, _ := strings.Cut(text, ":")
	switch {
	case text == "":
		return refuse("an empty target names nothing: leave it out")
	case strings.ContainsFunc(text, unicode.IsSpace):
		return refuse("%s has a space in it: give each target as an argument of its own", shown(text))
	case strings.Contains(text, ","):
		return refuse("%s has a comma in it: give each target as an argument of its own", shown(text))
	case strings.Contains(text, "://"):
		return refuse("%s is a URL: name the host alone%s", shown(text), hostOf(text))
	case strings.HasPrefix(text, "["):
		return refuse("%s is in brackets: name the address alone, without brackets and port", shown(text))
	case host != "" && digits(port):
		return refuse("%s has a port: name the host alone, as %s, and the ports to ask apart, as --tcp %s", shown(text), shown(host), shown(port))
	}
	return nil
}

// hostOf is the host of a URL as an example.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	return ", as " + shown(u.Hostname())
}

// digits tells whether a text is a number without a sign.
func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// addressLike tells whether a text is meant as an address, right or wrong: host names have letters and no colon.
func addressLike(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.") == "" || strings.Contains(text, ":")
}

// noAddress refuses a term because a part of it, or all, is meant as an address and is none.
func noAddress(text, part string) error {
	why := wrong(part)
	if text == part && strings.HasPrefix(why, shown(text)) {
		return refuse("%s", why)
	}
	return refuse("%s: %s", shown(text), why)
}

// wrong says why a text that is meant as an address is none.
func wrong(text string) string {
	if strings.Contains(text, ":") {
		return shown(text) + " is no IPv6 address"
	}
	numbers := strings.Split(text, ".")
	if len(numbers) != 4 {
		return fmt.Sprintf("%s has %s, an IPv4 address has 4", shown(text), plural(uint64(len(numbers)), "number"))
	}
	for _, n := range numbers {
		if why := wrongNumber(n); why != "" {
			return why
		}
	}
	return shown(text) + " is no address"
}

// wrongNumber says why a number of an IPv4 address is wrong; empty: it is right.
func wrongNumber(n string) string {
	switch value, err := strconv.Atoi(n); {
	case n == "":
		return "a number is missing between its dots"
	case len(n) > 1 && n[0] == '0':
		return fmt.Sprintf("%s begins with a zero, which some programs read as octal and others do not: leave the zero out", shown(n))
	case err != nil || value > 255:
		return fmt.Sprintf("%s is above 255, the most that a number of an IPv4 address can be", shown(n))
	}
	return ""
}

// readPrefix reads 10.50.1.0/24.
func readPrefix(text string) (term, error) {
	head, length, _ := strings.Cut(text, "/")
	a, err := netip.ParseAddr(head)
	switch {
	case err != nil && addressLike(head):
		return term{}, noAddress(text, head)
	case err != nil:
		return term{}, refuse("%s: a prefix begins with an address, and %s is none", shown(text), shown(head))
	case a.Zone() != "":
		return term{}, refuse("%s: a prefix has no interface: name single addresses, as %s", shown(text), shown(head))
	}
	n, err := readLength(text, length, a)
	if err != nil {
		return term{}, err
	}
	if a.Is4In6() {
		a, n = a.Unmap(), n-96
	}
	p := netip.PrefixFrom(a, n)
	b := prefixBlock(p)
	t := term{text: text, kind: kindPrefix, block: b, label: p.Masked().String(), within: a != b.first}
	if b.first == b.last {
		t.kind, t.label = kindAddress, b.String()
	}
	return t, nil
}

// readLength reads the length of a prefix that begins with a.
func readLength(text, length string, a netip.Addr) (int, error) {
	if _, err := netip.ParseAddr(length); err == nil {
		return 0, refuse("%s: write the mask as the number of its bits, as in %s/24", shown(text), a.Unmap())
	}
	least, of := 0, "IPv6"
	switch {
	case a.Is4():
		of = "IPv4"
	case a.Is4In6():
		least, of = 96, "IPv4 in IPv6"
	}
	n, err := strconv.Atoi(length)
	if !digits(length) || length != strconv.Itoa(n) || err != nil || n < least || n > a.BitLen() {
		return 0, refuse("%s: the length of a prefix of %s is a number from %d to %d", shown(text), of, least, a.BitLen())
	}
	return n, nil
}

// readAddress reads a single address, or a bare network.
func readAddress(text string, a netip.Addr) (term, error) {
	if zone := a.Zone(); zone != "" {
		if !a.IsLinkLocalUnicast() {
			return term{}, refuse("%s: only a link-local address (fe80::/10) takes an interface: leave %s out", shown(text), shown("%"+zone))
		}
		if strings.ContainsAny(zone, ":%") || shown(zone) != zone {
			return term{}, refuse("%s: %s is no interface: name single addresses, as fe80::1%%eth0", shown(text), shown(zone))
		}
	}
	if bareNetwork(a) {
		b := prefixBlock(netip.PrefixFrom(a, 24))
		return term{text: text, kind: kindNetwork, block: b, label: b.String()}, nil
	}
	return term{text: text, kind: kindAddress, block: single(a), label: a.String()}, nil
}

// readRange reads 10.50.1.10-10.50.1.40 or 10.50.1.10-40.
func readRange(text, from, to string) (term, error) {
	first, err := netip.ParseAddr(from)
	if err != nil {
		return term{}, noAddress(text, from)
	}
	if why := wrongNumber(to); first.Is4() && digits(to) {
		if why != "" {
			return term{}, refuse("%s: %s", shown(text), why)
		}
		to = from[:strings.LastIndexByte(from, '.')+1] + to
	}
	last, err := netip.ParseAddr(to)
	switch {
	case to == "":
		return term{}, refuse("%s has no end: write both addresses, as %s-%s", shown(text), from, from)
	case err != nil:
		return term{}, noAddress(text, to)
	}
	return rangeTerm(text, first.Unmap(), last.Unmap())
}

// rangeTerm is the term of a range.
func rangeTerm(text string, first, last netip.Addr) (term, error) {
	switch {
	case first.Zone() != "" || last.Zone() != "":
		return term{}, refuse("%s: a range has no interface: name single addresses, as fe80::1%%eth0", shown(text))
	case first.Is4() != last.Is4():
		return term{}, refuse("%s begins with one family of addresses and ends with the other: name a range of each", shown(text))
	case last.Less(first):
		return term{}, refuse("%s runs backwards: write %s-%s", shown(text), last, first)
	case first == last:
		return term{text: text, kind: kindAddress, block: single(first), label: single(first).String()}, nil
	}
	return term{text: text, kind: kindRange, block: block{first, last}, label: shown(text)}, nil
}

// readName reads a host name.
func readName(text string) (term, error) {
	labels := strings.Split(strings.TrimSuffix(text, "."), ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || strings.ContainsFunc(l, notOfName) {
			return term{}, noTarget(text)
		}
	}
	if len(text) > 253 || len(labels) > 1 && digits(labels[len(labels)-1]) {
		return term{}, noTarget(text)
	}
	return term{text: text, kind: kindName, label: shown(text)}, nil
}

func notOfName(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

func noTarget(text string) error {
	return refuse("%s is no target: write a prefix (10.50.1.0/24), a range (10.50.1.10-40), an address or a host name", shown(text))
}
