package scan

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// OnLink returns the prefixes of this machine's interfaces that are up, ascending and each once.
func OnLink() ([]netip.Prefix, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var all []netip.Prefix
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list addresses of %s: %w", i.Name, err)
		}
		for _, a := range addrs {
			if p, ok := prefixOf(a); ok {
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, netip.Prefix.Compare)
	return slices.Compact(all), nil
}

// prefixOf is the prefix of an interface's address.
func prefixOf(a net.Addr) (netip.Prefix, bool) {
	n, ok := a.(*net.IPNet)
	if !ok {
		return netip.Prefix{}, false
	}
	addr, ok := netip.AddrFromSlice(n.IP)
	if !ok {
		return netip.Prefix{}, false
	}
	length, _ := n.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), length).Masked(), true
}

// link is a prefix of an interface that has a network and a broadcast address.
type link struct {
	prefix    netip.Prefix
	network   netip.Addr
	broadcast netip.Addr
}

// linksOf returns those of an interface's prefixes that matter: IPv6 has no broadcast, and neither has a /31.
func linksOf(prefixes []netip.Prefix) (links []link) {
	for _, p := range prefixes {
		if p.Addr().Is4() && p.Bits() <= 30 {
			b := prefixBlock(p)
			links = append(links, link{prefix: p.Masked(), network: b.first, broadcast: b.last})
		}
	}
	return links
}
