package muster

import (
	"net/netip"
	"time"
)

// Host is what a scan found at one address. What a host says of itself (Banner, Name) is as it came: it is escaped where
// it is printed.
type Host struct {
	Addr     netip.Addr
	State    HostState
	RTT      time.Duration // of the ping, or where that has no answer of the first port that answered; 0: unknown
	Late     bool          // the reply to the ping took longer than the scan's timeout
	Filtered bool          // a port answers, a ping does not: something between drops pings
	Reason   string        // why it is not up, in words

	Duplicates int    // further replies to a ping that had its reply: they are no further hosts
	Ports      []Port // what was asked, ascending

	Platform string // canonical name; a guess from what it says, unless LoggedIn
	LoggedIn bool   // Platform and Hostname were read in a login
	Hostname string // what it calls itself in a login
	Name     string // reverse DNS
	MAC      string // of a neighbour on the same link: "02:00:5e:10:00:01"
	Vendor   string // who the MAC was given to
	Device   string // the name of the inventory's device with this address
	Change   Change // against the last scan of the same targets
	Failure  *Failure
}

// HostState says what a scan knows of an address.
type HostState string

// The states of a Host.
const (
	HostUp          HostState = "up"          // a ping or a port answered, a refusal included
	HostDown        HostState = "down"        // silence
	HostUnreachable HostState = "unreachable" // silence, and a router or this machine said that there is no way
)

// Port is what a scan found at one TCP port of a host.
type Port struct {
	Number int       `json:"port"`
	State  PortState `json:"state"`
	Banner string    `json:"banner"` // the first line it said by itself
}

// PortState says what a TCP port answered.
type PortState string

// The states of a Port.
const (
	PortOpen     PortState = "open"
	PortMute     PortState = "mute"     // open, but said nothing where a banner was waited for
	PortClosed   PortState = "closed"   // refused: the host is up
	PortFiltered PortState = "filtered" // silence, or a message that it is prohibited
)

// Change is the difference of a host against an earlier scan.
type Change string

// The changes of a Host; empty: none, or there was no earlier scan.
const (
	ChangeNew     Change = "new"
	ChangeGone    Change = "gone"    // was up, is not
	ChangeChanged Change = "changed" // other ports, banners or platform
)
