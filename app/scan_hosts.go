package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/backup"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/scan"
	"github.com/musternet/muster/task"
)

// lookupTime bounds one question to the name service.
const lookupTime = 2 * time.Second

// identifyAtOnce is how many hosts are looked up and logged in to at once.
const identifyAtOnce = 64

// lookupHost asks the name service for the addresses of a name.
func lookupHost(ctx context.Context, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*lookupTime)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	dnsErr, fromDNS := errors.AsType[*net.DNSError](err)
	_, none := errors.AsType[*net.AddrError](err)
	switch {
	case none, fromDNS && dnsErr.IsNotFound:
		return nil, errors.New("no such host")
	case fromDNS:
		return nil, errors.New(dnsErr.Err)
	}
	return addrs, err
}

// knownDevices are the devices of the inventory by their address.
type knownDevices map[netip.Addr][]muster.Device

// knownDevices are those whose address is a number.
func (a *App) knownDevices() knownDevices {
	known := knownDevices{}
	for _, d := range a.inv.Devices {
		if addr, err := netip.ParseAddr(d.Address); err == nil {
			known.add(d, addr)
		}
	}
	return known
}

func (k knownDevices) add(d muster.Device, addr netip.Addr) {
	addr = addr.Unmap()
	k[addr] = append(k[addr], d)
}

// lookUp adds the devices whose address is a name. The error says which could not be found.
func (k knownDevices) lookUp(ctx context.Context, devices []muster.Device) error {
	ctx, cancel := context.WithTimeout(ctx, 2*lookupTime)
	defer cancel()
	var named []muster.Device
	for _, d := range devices {
		if _, err := netip.ParseAddr(d.Address); err != nil {
			named = append(named, d)
		}
	}
	found := task.Settle(ctx, named, func(ctx context.Context, d muster.Device) ([]netip.Addr, error) {
		return lookupHost(ctx, d.Address)
	}, task.Limit(identifyAtOnce), task.Named("lookup"))
	var missing []string
	for i, r := range found {
		for _, addr := range r.Value {
			k.add(named[i], addr)
		}
		if r.Err != nil {
			missing = append(missing, named[i].Name)
		}
	}
	if n := len(missing); n > 0 {
		return fmt.Errorf("the name service does not know the address of %d of them: %s", n, strings.Join(missing[:min(n, 10)], ", "))
	}
	return nil
}

// of returns the device at an address: where several share it, the one whose port is open.
func (k knownDevices) of(h muster.Host) (muster.Device, bool) {
	devices := k[h.Addr]
	if len(devices) == 0 {
		return muster.Device{}, false
	}
	for _, d := range devices {
		for _, port := range h.Ports {
			if port.Number == devicePort(d) && answers(port) {
				return d, true
			}
		}
	}
	return devices[0], true
}

func devicePort(d muster.Device) int {
	_, port, _ := net.SplitHostPort(backup.Address(d))
	n, _ := net.LookupPort("tcp", port)
	return n
}

func answers(p muster.Port) bool { return p.State == muster.PortOpen || p.State == muster.PortMute }

// sshPort returns the port at which a host says that it speaks SSH.
func sshPort(h muster.Host) (muster.Port, bool) {
	for _, p := range h.Ports {
		if p.State == muster.PortOpen && strings.HasPrefix(p.Banner, "SSH-") {
			return p, true
		}
	}
	return muster.Port{}, false
}

// AloneTarget is an address as a target that means it alone: a bare 192.0.2.0 means its /24.
func AloneTarget(addr netip.Addr) string {
	if addr.Is4() && addr.As4()[3] == 0 {
		return addr.String() + "/32"
	}
	return addr.String()
}

// SpeaksSSH tells whether a host said at one of its ports that it speaks SSH.
func SpeaksSSH(h muster.Host) bool {
	_, ok := sshPort(h)
	return ok
}

// describe writes into a host what is known of it without asking it.
func (s *Scan) describe(ctx context.Context, h *muster.Host) {
	if h.State != muster.HostUp {
		return
	}
	if d, ok := s.known.of(*h); ok {
		h.Device = d.Name
		if h.Platform == "" {
			h.Platform = d.Platform
		}
	}
	if port, ok := sshPort(*h); ok && h.Platform == "" {
		h.Platform, _ = platform.Guess(port.Banner)
	}
	s.links.describe(h)
	h.Change = s.comparison.Of(*h)
}

// neighbourhood knows the MAC addresses of hosts on the same link.
type neighbourhood struct {
	onLink []netip.Prefix
	macs   map[netip.Addr]net.HardwareAddr
	read   time.Time
}

func newNeighbourhood(onLink []netip.Prefix) *neighbourhood { return &neighbourhood{onLink: onLink} }

// rereadAfter is how often the table of neighbours is read at most.
const rereadAfter = time.Second

func (n *neighbourhood) describe(h *muster.Host) {
	if !n.has(h.Addr) {
		return
	}
	mac, ok := n.macs[h.Addr]
	if !ok && time.Since(n.read) >= rereadAfter {
		// A MAC address says more of a host that is found without it: that the table cannot be read is no failure.
		n.macs, _ = scan.Neighbours()
		n.read = time.Now()
		mac = n.macs[h.Addr]
	}
	h.MAC, h.Vendor = mac.String(), scan.Vendor(mac)
}

func (n *neighbourhood) has(addr netip.Addr) bool {
	for _, p := range n.onLink {
		if p.Contains(addr) && !addr.IsLoopback() {
			return true
		}
	}
	return false
}

// identifier asks hosts what they are.
type identifier struct {
	app    *App
	dialer *backup.Dialer // nil: nobody is logged in to
	known  knownDevices
	stored *storage // nil: nothing is stored
	login  bool
	names  *names
	slots  *task.Semaphore
}

func (a *App) identifier(ctx context.Context, o ScanOptions, known knownDevices) (*identifier, error) {
	i := &identifier{app: a, known: known, login: o.Login, names: newNames(), slots: task.NewSemaphore(identifyAtOnce)}
	if err := CheckUser(a.opts.User); err != nil {
		return nil, err
	}
	var err error
	if i.dialer, err = a.dialer(nil); err != nil && o.Login {
		return nil, err
	}
	if err != nil {
		o.warn("no device is logged in to", err)
	}
	if i.stored, err = a.reader(ctx); err != nil {
		i.stored = nil
	}
	if err := known.lookUp(ctx, a.inv.Devices); err != nil {
		o.warn("some devices of the inventory cannot be recognized", err)
	}
	return i, ctx.Err()
}

// CheckUser says what is wrong with the name of a user to log in as, nil if nothing.
func CheckUser(user string) error {
	if _, err := new(inventory.Env).CheckSettings(inventory.Settings{Username: user}); err != nil {
		return usage(err)
	}
	return nil
}

// host asks one host. It is called by many tasks at once.
func (i *identifier) host(ctx context.Context, h *muster.Host) {
	if i.slots.Acquire(ctx, 1) != nil {
		return
	}
	defer i.slots.Release(1)
	h.Name = i.names.of(ctx, h.Addr)
	dev, ok := i.device(ctx, *h)
	if !ok {
		return
	}
	if i.dialer == nil || dev.Platform != "" && !i.login {
		h.Platform = dev.Platform
		return
	}
	i.logIn(ctx, h, dev)
}

// device is what a host is logged in to as: a device of the inventory, or with login any host that speaks SSH.
func (i *identifier) device(ctx context.Context, h muster.Host) (muster.Device, bool) {
	if dev, ok := i.known.of(h); ok {
		if i.stored != nil {
			dev = i.app.remembered(ctx, i.stored, []muster.Device{dev})[0]
		}
		return dev, true
	}
	port, ok := sshPort(h)
	if !ok || !i.login {
		return muster.Device{}, false
	}
	dev, err := i.app.inv.Argument(ctx, h.Addr.String())
	if err != nil {
		return dev, false
	}
	if port.Number != scan.SSHPort {
		dev.Port = port.Number
	}
	return dev, true
}

// logIn finds out the platform of a host, and with login how it calls itself.
func (i *identifier) logIn(ctx context.Context, h *muster.Host, dev muster.Device) {
	ctx, cancel := i.app.withTimeout(ctx, dev, RunOptions{})
	defer cancel()
	conn, err := i.dialer.Open(ctx, dev)
	if err != nil {
		h.Failure = backup.Failure(dev, err)
		return
	}
	defer conn.Close()
	h.Platform, h.LoggedIn = conn.Def.Name, true
	if !i.login || !conn.Def.HasConfig() {
		return
	}
	c, err := conn.Config(ctx)
	if err != nil {
		h.Failure = backup.Failure(dev, err)
		return
	}
	h.Hostname = c.Hostname
}
