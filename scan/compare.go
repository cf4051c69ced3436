package scan

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// Comparison tells how the hosts of a scan differ from those of the last scan of the same targets. Only what both scans
// asked for counts: a host that was found by a port for which the other scan did not ask is neither new nor gone. How
// long an answer took never counts.
//
// A nil Comparison is the one without a last scan: it knows of no changes. A Comparison serves one scan and one
// goroutine.
type Comparison struct {
	up        Targets       // at the last scan
	hosts     []muster.Host // those of the last scan of which more is known, ascending
	seen      *Set          // those of up that are up now
	then, now asked
}

// asked is what a scan asks every target.
type asked struct {
	ping  bool
	ports []int
}

// NewComparison compares with a scan as store.Scans returns it. An error says that its set of addresses cannot be read.
func NewComparison(last store.Scan) (*Comparison, error) {
	up, err := ParseSet(last.Up)
	if err != nil {
		return nil, fmt.Errorf("compare with scan %s: %w", last.ID, err)
	}
	hosts := last.Hosts
	if !slices.IsSortedFunc(hosts, byAddr) {
		hosts = slices.SortedFunc(slices.Values(hosts), byAddr)
	}
	then := asked{last.Ping, last.Ports}
	return &Comparison{up: up, hosts: hosts, seen: NewSet(up), then: then, now: then}, nil
}

func byAddr(a, b muster.Host) int { return a.Addr.Compare(b.Addr) }

// Asked says what this scan asks every target, before the first Of. Without it that is what the last scan asked.
func (c *Comparison) Asked(ping bool, ports []int) {
	if c != nil {
		c.now = asked{ping, ports}
	}
}

// Of returns the change of a host. It is called once for each host that is up, when all is known of it. A host has
// changed when a port that both scans asked has another state or another banner, or its platform or its MAC is another
// one. What only one of the scans knows is no change, and neither is a guess at a platform that a login corrected. A port
// that is open and one that is mute differ only where the open one has said something: not every scan waits for that.
func (c *Comparison) Of(h muster.Host) muster.Change {
	switch {
	case c == nil || h.State != muster.HostUp:
		return ""
	case !c.up.Contains(h.Addr):
		if c.foundByBoth(h, c.then) {
			return muster.ChangeNew
		}
		return ""
	}
	c.seen.Add(h.Addr)
	if before, _ := c.before(h.Addr); differ(before, h) || openIn(h, before, c.then.ports) || openIn(before, h, c.now.ports) {
		return muster.ChangeChanged
	}
	return ""
}

// openIn tells whether a port is open in one scan and was left out by the other, which asked it and does not list what is
// not open: see MostListed.
func openIn(h, other muster.Host, asked []int) bool {
	return len(asked) > MostListed && slices.ContainsFunc(h.Ports, func(p muster.Port) bool {
		listed := slices.ContainsFunc(other.Ports, func(o muster.Port) bool { return o.Number == p.Number })
		open := p.State == muster.PortOpen || p.State == muster.PortMute
		return open && !listed && slices.Contains(asked, p.Number)
	})
}

// Gone returns the hosts that were up at the last scan and for which Of was not called, ascending, with what was known
// of them. It is called after the last Of of a scan that came to its end.
func (c *Comparison) Gone() (gone []muster.Host) {
	if c == nil {
		return nil
	}
	for addr := range c.up.All() {
		if c.seen.Has(addr) {
			continue
		}
		h, ok := c.before(addr)
		if !ok {
			h.Addr = addr
		}
		if c.foundByBoth(h, c.now) {
			h.State, h.Change = muster.HostDown, muster.ChangeGone
			gone = append(gone, h)
		}
	}
	return gone
}

// before returns what the last scan knew of a host beside that it was up.
func (c *Comparison) before(addr netip.Addr) (muster.Host, bool) {
	i := sort.Search(len(c.hosts), func(i int) bool { return c.hosts[i].Addr.Compare(addr) >= 0 }) // copies no hosts
	if i == len(c.hosts) || c.hosts[i].Addr != addr {
		return muster.Host{}, false
	}
	return c.hosts[i], true
}

// foundByBoth tells whether what one scan found of a host would have been an answer to the other scan too.
func (c *Comparison) foundByBoth(h muster.Host, other asked) bool {
	if c.then.ping && c.now.ping && !h.Filtered {
		return true
	}
	return slices.ContainsFunc(h.Ports, func(p muster.Port) bool {
		return p.State != muster.PortFiltered && slices.Contains(other.ports, p.Number)
	})
}

func differ(a, b muster.Host) bool {
	return differInPorts(a.Ports, b.Ports) || unlike(a.MAC, b.MAC) || a.LoggedIn == b.LoggedIn && unlike(a.Platform, b.Platform)
}

// unlike tells whether both are known and are not the same.
func unlike(a, b string) bool { return a != "" && b != "" && a != b }

// differInPorts compares the ports that are in both lists, which ascend.
func differInPorts(a, b []muster.Port) bool {
	return slices.ContainsFunc(b, func(now muster.Port) bool {
		i, ok := slices.BinarySearchFunc(a, now.Number, func(p muster.Port, number int) int { return p.Number - number })
		return ok && (unlike(a[i].Banner, now.Banner) || !sameState(a[i], now))
	})
}

func sameState(a, b muster.Port) bool {
	return a.State == b.State || silent(a) && silent(b)
}

// silent tells whether a port took a connection and said nothing, waited for or not.
func silent(p muster.Port) bool {
	return p.State == muster.PortMute || p.State == muster.PortOpen && p.Banner == ""
}
