package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// The offers. Go's order is kept: its first choice is secure against a later quantum computer, and costs what the
// budget of a session allows. Group 16 and group exchange, which Go does not offer by itself, stand at the end.
var (
	secure  = ssh.SupportedAlgorithms()
	weak    = ssh.InsecureAlgorithms()
	hostKey = rsaLast(plainKeys(secure.HostKeys))
	legacy  = ssh.Algorithms{
		KeyExchanges: slices.Concat(secure.KeyExchanges, weak.KeyExchanges),
		Ciphers:      slices.Concat(secure.Ciphers, weak.Ciphers),
		MACs:         slices.Concat(secure.MACs, weak.MACs),
		HostKeys:     slices.Concat(hostKey, plainKeys(weak.HostKeys)),
	}
)

// plainKeys leaves out certificates: known_hosts records plain keys, and a server that has both shows its plain key
// to a client that asks for no certificate.
func plainKeys(algos []string) []string {
	return slices.DeleteFunc(slices.Clone(algos), func(a string) bool { return strings.Contains(a, "-cert-") })
}

// offer returns the algorithms to offer; the host keys on record come first.
func offer(withLegacy bool, known []string) ssh.Algorithms {
	o := ssh.Algorithms{KeyExchanges: secure.KeyExchanges, Ciphers: secure.Ciphers, MACs: secure.MACs, HostKeys: hostKey}
	if withLegacy {
		o = legacy
	}
	if len(known) > 0 {
		all := o.HostKeys
		known = slices.DeleteFunc(slices.Clone(known), func(a string) bool { return !slices.Contains(all, a) })
		rest := slices.DeleteFunc(slices.Clone(all), func(a string) bool { return slices.Contains(known, a) })
		o.HostKeys = append(known, rest...)
	}
	return o
}

// weakOf returns those of the negotiated algorithms that are weak.
func weakOf(kex, host, cipher, mac string) []string {
	var found []string
	for _, p := range []struct {
		name string
		set  []string
	}{{kex, weak.KeyExchanges}, {host, weak.HostKeys}, {cipher, weak.Ciphers}, {mac, weak.MACs}} {
		if p.name != "" && slices.Contains(p.set, p.name) {
			found = append(found, p.name)
		}
	}
	return found
}

// noCommon turns a failed negotiation into an error that says what the device offers and whether legacy algorithms
// would help. It returns nil for any other error.
func noCommon(err error) *Error {
	n, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err)
	if !ok {
		return nil
	}
	code, name, set := "no-common-cipher", n.What, weak.Ciphers
	switch {
	case strings.Contains(n.What, "key exchange"):
		code, name, set = "no-common-kex", "key exchange", weak.KeyExchanges
	case strings.Contains(n.What, "host key"):
		code, name, set = "no-common-hostkey", "host key", weak.HostKeys
	case strings.Contains(n.What, "MAC"):
		code, name, set = "no-common-mac", "MAC", weak.MACs
	case strings.Contains(n.What, "cipher"):
		name = "cipher"
	}
	offered := slices.DeleteFunc(slices.Clone(n.RequestedAlgorithms), func(a string) bool {
		return strings.HasPrefix(a, "kex-strict-") || strings.HasPrefix(a, "ext-info-")
	})
	text := printable(strings.Join(offered, ", "), 2*maxQuote)
	if text == "" {
		text = "none"
	}
	e := failf(stageHandshake, code, "no common %s; the device offers only: %s", name, text)
	if !slices.ContainsFunc(offered, func(a string) bool { return slices.Contains(set, a) }) {
		e.Hint = fmt.Sprintf("none of these is implemented, not even as a legacy algorithm; enable another %s on the device", name)
	}
	return e
}

// rsaLast puts the other keys before RSA, as OpenSSH does: a dropbear 2022.83 without an RSA key ends the connection of
// a client that names RSA first.
func rsaLast(algos []string) []string {
	rsa := func(a string) bool { return strings.Contains(a, "rsa") }
	other := slices.DeleteFunc(slices.Clone(algos), rsa)
	return append(other, slices.DeleteFunc(algos, func(a string) bool { return !rsa(a) })...)
}
