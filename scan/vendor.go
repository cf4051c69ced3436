package scan

import (
	"net"

	"github.com/gopacket/gopacket/macs"
)

// Vendor returns the organization that a MAC address was given to by the IEEE, or "" where nobody can be named: the
// address was made up locally (as those of virtual machines and of phones that hide theirs are), it is no host's, the
// block is not in the table, its owner is not published, or it is one that the IEEE shares out in smaller parts.
func Vendor(mac net.HardwareAddr) string {
	if len(mac) < 6 || mac[0]&(groupBit|localBit) != 0 || isZero(mac) {
		return ""
	}
	switch name := macs.ValidMACPrefixMap[[3]byte(mac)]; name {
	case "Private", "IEEE Registration Authority":
		return ""
	default:
		return name
	}
}

// The bits of a MAC address's first byte that say that it is of a group, or made up locally.
const (
	groupBit = 1
	localBit = 2
)

func isZero(mac net.HardwareAddr) bool {
	for _, b := range mac {
		if b != 0 {
			return false
		}
	}
	return true
}
