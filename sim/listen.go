package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// defaultPort is the port of the devices of a prefix: not 22, which takes root.
const defaultPort = 2222

// listen gives each device its address and opens its listener.
func (f *Fleet) listen(ctx context.Context) error {
	at, err := f.places()
	if err != nil {
		return err
	}
	var trap *net.TCPListener
	for i, d := range f.devices {
		place := at(i)
		if d.fault == faultRefuse {
			if d.address, trap, err = f.dead(ctx, place, trap); err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
			continue
		}
		l, err := f.open(ctx, place)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		d.listener, d.address = l, l.Addr().(*net.TCPAddr)
	}
	return nil
}

// places returns where the i-th device listens.
func (f *Fleet) places() (func(i int) netip.AddrPort, error) {
	listen, port, n := f.config.Listen, f.config.Port, f.config.Devices
	if listen == "" {
		listen = "127.0.0.1"
	}
	if port < 0 || port > 65535 {
		return nil, fmt.Errorf("port %d: there is none of that number", port)
	}
	if strings.Contains(listen, "/") {
		return f.placesOf(listen, port)
	}
	addr, err := netip.ParseAddr(listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if port == 0 {
		return func(int) netip.AddrPort { return netip.AddrPortFrom(addr, 0) }, nil
	}
	if port+n > 65536 {
		return nil, fmt.Errorf("port %d: %d devices do not fit above it", port, n)
	}
	return func(i int) netip.AddrPort { return netip.AddrPortFrom(addr, uint16(port+i)) }, nil
}

// placesOf is places for a prefix, whose first address is nobody's.
func (f *Fleet) placesOf(listen string, port int) (func(i int) netip.AddrPort, error) {
	prefix, err := netip.ParsePrefix(listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	first := prefix.Masked().Addr()
	if !first.Is4() || !first.IsLoopback() {
		return nil, fmt.Errorf("listen: %s is no part of 127.0.0.0/8", listen)
	}
	if room := 1<<(32-prefix.Bits()) - 2; f.config.Devices > room {
		return nil, fmt.Errorf("listen: %s has room for %d devices, not for %d", listen, max(room, 0), f.config.Devices)
	}
	if port == 0 {
		port = defaultPort
	}
	return func(i int) netip.AddrPort {
		b := first.As4()
		n := (uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])) + uint32(i) + 1
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), uint16(port))
	}, nil
}

func (f *Fleet) open(ctx context.Context, place netip.AddrPort) (net.Listener, error) {
	var lc net.ListenConfig
	lc.KeepAlive = -1 // a session has its own limits
	l, err := lc.Listen(ctx, "tcp", place.String())
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil, notOurs(place.Addr())
	}
	if err != nil {
		return nil, err
	}
	f.listeners = append(f.listeners, l)
	return l, nil
}

// notOurs says what to do about an address that the system does not have.
func notOurs(addr netip.Addr) error {
	if !addr.IsLoopback() {
		return fmt.Errorf("listen: %s is no address of this system", addr)
	}
	return fmt.Errorf("listen: this system does not have %s: use 127.0.0.1, or first add the addresses to the loopback interface", addr)
}

// dead returns an address where nothing listens, and nobody else will as long as the fleet runs. Where the place names
// a port that is enough. Else a connection to a trap of our own keeps a port busy that does not listen.
func (f *Fleet) dead(ctx context.Context, place netip.AddrPort, trap *net.TCPListener) (*net.TCPAddr, *net.TCPListener, error) {
	if place.Port() != 0 {
		return net.TCPAddrFromAddrPort(place), trap, nil
	}
	if trap == nil {
		l, err := f.open(ctx, place)
		if err != nil {
			return nil, nil, err
		}
		trap = l.(*net.TCPListener)
	}
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(place)}
	ours, err := dialer.DialContext(ctx, "tcp", trap.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	f.hold(ours)
	theirs, err := trap.AcceptTCP()
	if err != nil {
		return nil, nil, err
	}
	if !f.hold(theirs) {
		return nil, nil, errors.New("closed")
	}
	return ours.LocalAddr().(*net.TCPAddr), trap, nil
}
