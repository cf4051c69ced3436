package sim

import (
	"strconv"
	"strings"
)

// syntax is what a recording does not say of a platform: how its configuration goes on, and how it refuses.
type syntax struct {
	anchor  string // sections go before the first line that begins so
	after   bool   // or after it
	section text   // one interface section
	line    text   // what a change adds
	version string // SSH identification, after "SSH-2.0-"
	unknown string // the answer to an unknown command; %s is the command
	status  int    // of an unknown exec request
	denied  string // the answer to a wrong enable password
	tries   int    // that enable grants; 0: 1
}

// firstSection is the number of the first section that grows a configuration.
const firstSection = 2001

const caret = "                ^\n"

// plain is the syntax of a platform that the table does not know.
var plain = syntaxSource{
	anchor:  "interface ",
	section: "interface Vlan{n}\n description floor {n}\n ip address {net}.1 255.255.255.0\n!\n",
	line:    "ip route {net}.0 255.255.255.0 Null0\n",
	version: "OpenSSH_9.2p1", unknown: "% Unknown command: %s\n", status: 1, denied: "% Access denied\n",
}

// syntaxSource is a syntax as the table writes it: {n} is a number, {net} the first three octets of a network.
type syntaxSource struct {
	anchor, after, section, line, version, unknown string
	status                                         int
	denied                                         string
	tries                                          int
}

// syntaxes is the table of platforms by canonical name.
var syntaxes = map[string]syntaxSource{
	"cisco_ios": {
		anchor:  "interface ",
		section: "interface Vlan{n}\n description access floor {n}\n ip address {net}.1 255.255.255.0\n no ip redirects\n!\n",
		line:    "ip route {net}.0 255.255.255.0 Null0\n",
		version: "Cisco-1.25", unknown: caret + "% Invalid input detected at '^' marker.\n\n", denied: "% Bad secrets\n\n", tries: 3,
	},
	"cisco_nxos": {
		anchor:  "interface ",
		section: "interface Vlan{n}\n  description access floor {n}\n  no shutdown\n  ip address {net}.1/24\n\n",
		line:    "ip route {net}.0/24 Null0\n",
		version: "OpenSSH_8.3", unknown: caret + "% Invalid command at '^' marker.\n", denied: "% Access denied\n",
	},
	"cisco_iosxr": {
		anchor:  "interface ",
		section: "interface Bundle-Ether1.{n}\n description customer {n}\n ipv4 address {net}.1 255.255.255.0\n encapsulation dot1q {n}\n!\n",
		line:    "domain ipv4 host spare{n} {net}.9\n",
		version: "Cisco-2.0", unknown: caret + "% Invalid input detected at '^' marker.\n", denied: "% Access denied\n",
	},
	"cisco_asa": {
		anchor:  "interface ",
		section: "interface GigabitEthernet0/1.{n}\n vlan {n}\n nameif site{n}\n security-level 50\n ip address {net}.1 255.255.255.0\n!\n",
		line:    "name {net}.7 printer{n}\n",
		version: "Cisco-1.25", unknown: caret + "ERROR: % Invalid input detected at '^' marker.\n", denied: "Access denied.\n", tries: 3,
	},
	"arista_eos": {
		anchor:  "interface ",
		section: "interface Vlan{n}\n   description access floor {n}\n   ip address {net}.1/24\n!\n",
		line:    "ip route {net}.0/24 Null0\n",
		version: "OpenSSH_8.7", unknown: "% Invalid input\n", denied: "% Error in authentication\n", tries: 3,
	},
	"juniper_junos": {
		anchor: "interfaces {", after: "after",
		section: "    ge-1/0/{n} {\n        description \"access floor {n}\";\n        unit 0 {\n            family inet {\n" +
			"                address {net}.1/24;\n            }\n        }\n    }\n",
		line:    "    ge-1/1/{n} {\n        disable;\n    }\n",
		version: "OpenSSH_7.5", unknown: caret + "unknown command.\n", denied: "error: permission denied\n",
	},
	"mikrotik_routeros": {
		anchor: "/ip address", after: "after",
		section: "add address={net}.1/24 comment=\"access floor {n}\" interface=ether1 network={net}.0\n",
		line:    "add address={net}.9/24 interface=ether2 network={net}.0\n",
		version: "ROSSSH", unknown: "bad command name %s (line 1 column 1)\n", denied: "failure: permission denied\n",
	},
	"aruba_aoscx": {
		anchor:  "interface ",
		section: "interface vlan {n}\n    description access floor {n}\n    ip address {net}.1/24\n",
		line:    "ip route {net}.0/24 blackhole\n",
		version: "OpenSSH_8.8", unknown: "Invalid input: %s\n", denied: "Access denied\n",
	},
	"fortinet_fortios": {
		anchor: "config system interface", after: "after",
		section: "    edit \"vlan{n}\"\n        set vdom \"root\"\n        set ip {net}.1 255.255.255.0\n        set alias \"floor {n}\"\n" +
			"        set interface \"port1\"\n        set vlanid {n}\n    next\n",
		line:    "    edit \"spare{n}\"\n        set vdom \"root\"\n        set type loopback\n    next\n",
		version: "k7XzfQ2mBd", unknown: "Unknown action 0\n", status: 255, denied: "Permission denied.\n",
	},
	"frr": {
		anchor:  "interface ",
		section: "interface eth0.{n}\n description access floor {n}\n ip address {net}.1/24\nexit\n!\n",
		line:    "ip route {net}.0/24 Null0\n",
		version: "OpenSSH_9.2p1 Debian-2+deb12u3", unknown: "% Unknown command: %s\n", status: 1, denied: "% Access denied\n",
	},
	"bird": {
		anchor:  "protocol ",
		section: "protocol static floor{n} {\n\tipv4;\n\troute {net}.0/24 blackhole;\n}\n\n",
		line:    "define SPARE{n} = {net}.9;\n",
		version: "dropbear_2022.83", unknown: "syntax error, unexpected CF_SYM_UNDEFINED: %s\n", status: 1, denied: "Access denied\n",
	},
	"linux": {
		anchor:  "iface ",
		section: "iface eth0.{n} inet static\n\taddress {net}.1/24\n\n",
		line:    "source /etc/network/interfaces.d/spare{n}\n",
		version: "OpenSSH_9.2p1 Debian-2+deb12u3", unknown: "sh: 1: %s: not found\n", status: 127, denied: "su: Authentication failure\n",
	},
}

// syntaxOf returns the syntax of a platform, compiled.
func syntaxOf(platform string) *syntax {
	s, ok := syntaxes[platform]
	if !ok {
		s = plain
	}
	return &syntax{
		anchor: s.anchor, after: s.after != "", section: placeholders(s.section), line: placeholders(s.line),
		version: "SSH-2.0-" + s.version, unknown: s.unknown, status: s.status, denied: s.denied, tries: max(s.tries, 1),
	}
}

// placeholders cuts a text at {n} and {net}.
func placeholders(s string) text {
	var t text
	for s != "" {
		i := strings.Index(s, "{n")
		if i < 0 {
			i = len(s)
		}
		if i > 0 {
			t = append(t, part{kind: literal, where: both, text: s[:i]})
		}
		s = s[i:]
		if rest, ok := strings.CutPrefix(s, "{n}"); ok {
			t, s = append(t, part{kind: number, where: both}), rest
			continue
		}
		if rest, ok := strings.CutPrefix(s, "{net}"); ok {
			t, s = append(t, part{kind: network, where: both}), rest
		}
	}
	return t
}

// refuse is the answer to an unknown command.
func (s *syntax) refuse(command string) string {
	word, _, _ := strings.Cut(command, " ")
	return strings.Replace(s.unknown, "%s", word, 1)
}

// sections returns how many sections are bytes or more.
func (d *device) sections(bytes int) int {
	n := 0
	for size := 0; size < bytes; n++ {
		before := size
		for _, p := range d.script.syntax.section {
			switch p.kind {
			case literal:
				size += len(p.text)
			case number:
				size += digits(firstSection + n)
			case network:
				size += len("10.") + digits(16+(d.index+(firstSection+n)/256)%200) + len(".") + digits((firstSection+n)%256)
			}
		}
		if size == before {
			return 0
		}
	}
	return n
}

func digits(n int) int { return len(strconv.Itoa(n)) }
