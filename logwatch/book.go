package logwatch

import (
	"net/netip"
	"strings"

	"github.com/musternet/muster"
)

// Book says which addresses and names belong to which device. It does not change once it is made.
type Book struct {
	devices map[string]*muster.Device
	addrs   map[netip.Addr]*muster.Device
	names   map[string]*muster.Device // in small letters; nil: several devices are called so
	relays  map[netip.Addr]bool
}

// Binding is an address from which the messages of a device come.
type Binding struct {
	Addr   netip.Addr
	Device string // its name
}

// NewBook makes a Book of the devices of an inventory and of what is known of their addresses, which comes beside those that stand
// in the inventory as numbers. Where two devices have one address, the first one has it: the others are returned as the names
// of Bindings that do not hold, as are Bindings of devices that there are none of.
//
// From a relay come messages of many devices: there the name in a message counts, and where that is no device's, the address.
func NewBook(devices []muster.Device, bindings []Binding, relays []netip.Addr) (*Book, []Binding) {
	b := &Book{
		devices: map[string]*muster.Device{}, addrs: map[netip.Addr]*muster.Device{}, names: map[string]*muster.Device{},
		relays: map[netip.Addr]bool{},
	}
	var void []Binding
	for i := range devices {
		d := &devices[i]
		b.devices[d.Name] = d
		b.call(d.Name, d)
		if short, _, dotted := strings.Cut(d.Name, "."); dotted {
			b.call(short, d)
		}
		if addr, err := netip.ParseAddr(d.Address); err == nil && !b.bind(addr, d) {
			void = append(void, Binding{addr, d.Name})
		} else if err != nil {
			b.call(d.Address, d)
		}
	}
	for _, one := range bindings {
		if d := b.devices[one.Device]; d == nil || !b.bind(one.Addr, d) {
			void = append(void, one)
		}
	}
	for _, addr := range relays {
		b.relays[plain(addr)] = true
	}
	return b, void
}

// plain is an address as messages come from it.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func (b *Book) bind(addr netip.Addr, d *muster.Device) bool {
	addr = plain(addr)
	if other := b.addrs[addr]; other != nil {
		return other == d
	}
	b.addrs[addr] = d
	return true
}

// call notes a name of a device. One that two devices have says nothing.
func (b *Book) call(name string, d *muster.Device) {
	name = strings.ToLower(name)
	if other, ok := b.names[name]; ok && other != d {
		d = nil
	}
	b.names[name] = d
}

// Device is the device whose address it is; nil: nobody's.
func (b *Book) Device(addr netip.Addr) *muster.Device { return b.addrs[plain(addr)] }

// named is the device that a message means by what it calls its sender; nil: none.
func (b *Book) named(host string) *muster.Device {
	if addr, err := netip.ParseAddr(host); err == nil {
		return b.Device(addr)
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if d, ok := b.names[host]; ok {
		return d
	}
	short, _, _ := strings.Cut(host, ".")
	return b.names[short]
}
