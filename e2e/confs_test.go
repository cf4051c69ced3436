//go:build e2e && linux

package e2e

import (
	"fmt"
	"strings"
)

// hostileMotd is what a login shows before the prompt: lines that look like prompts.
const hostileMotd = "#### r1# production ####\r\nr1(config)# \r\nr1> do not touch\r\n# \r\n> \r\n"

// smallConf is the configuration of a router of which nothing special is wanted.
func smallConf(name string, sec *secrets) string {
	return fmt.Sprintf(`frr version 8.4.4
frr defaults traditional
hostname %s
log syslog informational
service integrated-vtysh-config
!
password %s
enable password %s
!
interface eth0
 description management
exit
!
ip route 203.0.113.0/24 blackhole
!
line vty
exit
!
end
`, name, sec.vty, sec.enable)
}

// largeConf takes more than a few packets, and holds secrets of several kinds.
func largeConf(name string, sec *secrets) string {
	var b strings.Builder
	fmt.Fprintf(&b, "hostname %s\nlog syslog informational\nservice integrated-vtysh-config\npassword %s\nenable password %s\n", name, sec.vty, sec.enable)
	b.WriteString("interface eth0\n description management\nexit\n")
	for i := range 20 {
		fmt.Fprintf(&b, "ip route 203.0.113.%d/32 blackhole\n", i)
	}
	fmt.Fprintf(&b, "router bgp 64496\n no bgp ebgp-requires-policy\n neighbor 198.19.173.12 remote-as 64497\n neighbor 198.19.173.12 password %s\n", sec.bgp)
	b.WriteString(" neighbor 198.19.173.12 description # > looks like a prompt#\nexit\n")
	words := strings.Repeat(" leased line and its circuit number", 7)
	for i := range 100 {
		fmt.Fprintf(&b, "ip prefix-list customers seq %d permit 198.51.100.%d/32\n", 5*(i+1), i)
		fmt.Fprintf(&b, "route-map customer permit %d\n description%s %d\nexit\n", i+1, words, i)
	}
	b.WriteString("end\n")
	return b.String()
}

// birdConf is a BIRD configuration with what makes comparing hard: comments, trailing blanks, a secret.
func birdConf(sec *secrets) string {
	return fmt.Sprintf(`# b1
log "/run/bird/bird.log" all;
router id 198.19.173.13;

protocol device {
}

protocol static {
	ipv4;
	route 203.0.113.0/24 blackhole;	# documentation
}

protocol bgp upstream {
	local 198.19.173.13 as 64498;
	neighbor 198.19.173.11 as 64496;
	password "%s";
	ipv4 {
		import none;
		export none;
	};
}
`, sec.bird)
}
