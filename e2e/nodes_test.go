//go:build e2e && linux

package e2e

import "strings"

// Addresses of the lab, out of the range set aside for benchmarks. The test machine is .1 of the front network. Its own
// prefix covers the other networks too: what it sends there finds nobody, instead of leaving by some default route.
const (
	machine       = "198.19.173.1"
	machinePrefix = "/24"
	nodePrefix    = "/26"
	nowhere       = "198.19.173.62" // nobody has it
)

// The networks: the test machine reaches only the front one.
const (
	front  = "front"
	middle = "middle"
	inner  = "inner"
)

// networks of the switch.
var networks = []string{front, middle, inner}

// port is one interface of a node.
type port struct{ network, address string }

// nodeSpec says what a node is.
type nodeSpec struct {
	name     string
	kind     string // frr, bird, linux or tiny: the script of lab/
	platform string // what muster calls it
	ports    []port
	user     string   // "admin" where empty
	daemons  string   // frr: beside zebra
	sshd     []string // lines of sshd_config that this node is about
	hostKeys string   // ed25519 where empty, or several words
	motd     string
	conf     string // the routing daemon's configuration
}

// address is the first one.
func (s nodeSpec) address() string { return s.ports[0].address }

// keysOnly says that no password is taken.
func (s nodeSpec) keysOnly() bool { return s.name == "keys" || s.kind == "tiny" }

func (s nodeSpec) login() string {
	if s.user != "" {
		return s.user
	}
	return "admin"
}

// hostKeyKinds are the kinds of its host keys.
func (s nodeSpec) hostKeyKinds() []string {
	if s.hostKeys == "" {
		return []string{"ed25519"}
	}
	return strings.Fields(s.hostKeys)
}

// nodeSpecs is the lab. The names are those that the tests use.
func nodeSpecs(sec *secrets) []nodeSpec {
	small := func(name string) string { return smallConf(name, sec) }
	at := func(address string) []port { return []port{{front, address}} }
	return []nodeSpec{
		{name: "r1", kind: "frr", platform: "frr", ports: at("198.19.173.11"), daemons: "staticd bgpd",
			conf: largeConf("r1", sec), motd: hostileMotd},
		{name: "r2", kind: "frr", platform: "frr", ports: at("198.19.173.12"), daemons: "staticd bgpd", conf: small("r2")},
		{name: "b1", kind: "bird", platform: "bird", ports: at("198.19.173.13"), hostKeys: "ed25519 rsa", conf: birdConf(sec)},
		{name: "srv1", kind: "linux", platform: "linux", ports: at("198.19.173.14")},
		{name: "old1", kind: "frr", platform: "frr", ports: at("198.19.173.21"), daemons: "staticd", conf: small("old1"),
			hostKeys: "rsa", sshd: []string{"KexAlgorithms diffie-hellman-group14-sha1", "HostKeyAlgorithms ssh-rsa", "Ciphers aes128-cbc", "MACs hmac-sha1"}},
		{name: "old2", kind: "frr", platform: "frr", ports: at("198.19.173.22"), daemons: "staticd", conf: small("old2"),
			hostKeys: "rsa", sshd: []string{"KexAlgorithms diffie-hellman-group1-sha1", "HostKeyAlgorithms ssh-rsa", "Ciphers 3des-cbc", "MACs hmac-sha1"}},
		{name: "oldcipher", kind: "linux", platform: "linux", ports: at("198.19.173.26"), sshd: []string{"Ciphers 3des-cbc"}},
		{name: "oldkey", kind: "linux", platform: "linux", ports: at("198.19.173.27"), hostKeys: "rsa", sshd: []string{"HostKeyAlgorithms ssh-rsa"}},
		{name: "kbd", kind: "frr", platform: "frr", ports: at("198.19.173.23"), daemons: "staticd", conf: small("kbd"),
			sshd: []string{"PasswordAuthentication no", "PubkeyAuthentication no", "KbdInteractiveAuthentication yes", "UsePAM yes"}},
		{name: "keys", kind: "frr", platform: "frr", ports: at("198.19.173.24"), daemons: "staticd", conf: small("keys"),
			sshd: []string{"PasswordAuthentication no", "MaxSessions 1"}},
		{name: "tiny", kind: "tiny", platform: "linux", ports: at("198.19.173.28")},
		{name: "rekey", kind: "frr", platform: "frr", ports: at("198.19.173.25"), daemons: "staticd", conf: small("rekey")},
		{name: "bastion", kind: "linux", platform: "linux", user: "hop", ports: []port{{front, "198.19.173.31"}, {middle, "198.19.173.65"}}},
		{name: "bastion2", kind: "linux", platform: "linux", user: "hop", ports: []port{{middle, "198.19.173.66"}, {inner, "198.19.173.129"}}},
		{name: "r3", kind: "frr", platform: "frr", ports: []port{{middle, "198.19.173.67"}}, daemons: "staticd", conf: small("r3")},
		{name: "r4", kind: "frr", platform: "frr", ports: []port{{inner, "198.19.173.130"}}, daemons: "staticd", conf: small("r4")},
	}
}
