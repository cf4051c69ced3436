//go:build !linux

package scan

import (
	"net"
	"net/netip"
)

// Neighbours returns the MAC addresses of the hosts on this machine's links that it has talked to. On this system none
// are known.
func Neighbours() (map[netip.Addr]net.HardwareAddr, error) { return nil, nil }
