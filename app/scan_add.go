package app

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strings"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/scan"
)

// AddHosts writes the hosts of a scan that speak SSH and that no inventory knows to the devices.yaml beside the settings
// file: all or, where that fails, none. It returns the devices and the file. A device is called what the host calls itself,
// else its name by reverse DNS, else its address. Doing it again adds nothing.
func (a *App) AddHosts(ctx context.Context, hosts []muster.Host, dryRun bool) (devices []muster.Device, file string, err error) {
	if file = a.settings.DevicesFile; file == "" {
		return nil, "", fmt.Errorf("%w: there is no place for devices.yaml: name a settings file with --config", ErrUsage)
	}
	n, err := a.newcomers(ctx)
	if err != nil {
		return nil, file, err
	}
	for _, h := range hosts {
		port, ok := sshPort(h)
		if !ok || h.Device != "" || n.known[h.Addr] != nil {
			continue
		}
		dev, err := n.device(h, port)
		if err != nil {
			return nil, file, usage(err)
		}
		devices = append(devices, dev)
	}
	if dryRun || len(devices) == 0 {
		return devices, file, nil
	}
	if err := settings.AddDevices(file, devices...); err != nil {
		return nil, file, usage(err)
	}
	return devices, file, nil
}

// newcomers makes devices of hosts.
type newcomers struct {
	check func(muster.Device) error
	known knownDevices
	taken map[string]bool // names, in lower case: those that differ in case alone would be one
}

// newcomers knows what devices.yaml and the other sources of the settings list, also where files of -i took their place.
func (a *App) newcomers(ctx context.Context) (*newcomers, error) {
	n := &newcomers{check: a.inv.Check, known: knownDevices{}, taken: map[string]bool{}}
	apps := []*App{a}
	if len(a.opts.Inventory) > 0 {
		o := a.opts
		o.Inventory, o.AskPass = nil, false
		usual, err := Open(ctx, o)
		if err != nil {
			return nil, err
		}
		n.check, apps = usual.inv.Check, append(apps, usual)
	}
	for _, a := range apps {
		maps.Copy(n.known, a.knownDevices())
		for _, d := range a.inv.Devices {
			n.taken[strings.ToLower(d.Name)] = true
		}
	}
	return n, nil
}

// device makes a device of a host, by the first of its names that can be one and is free. A host that calls itself by
// another one's address is not believed.
func (n *newcomers) device(h muster.Host, port muster.Port) (dev muster.Device, err error) {
	dev = muster.Device{Address: h.Addr.String()}
	if port.Number != scan.SSHPort {
		dev.Port = port.Number
	}
	if h.LoggedIn {
		dev.Platform = h.Platform
	}
	plain := strings.NewReplacer(":", "-", "%", "-").Replace(dev.Address)
	for _, name := range []string{h.Hostname, h.Name, dev.Address, plain, "host-" + plain} {
		if _, err := netip.ParseAddr(name); name == "" || n.taken[strings.ToLower(name)] || err == nil && name != dev.Address {
			continue
		}
		dev.Name = name
		if n.check(dev) == nil {
			n.taken[strings.ToLower(name)] = true
			return dev, nil
		}
	}
	return dev, fmt.Errorf("there is no name for the device at %s: add it by hand with: muster device add NAME --address %s", h.Addr, h.Addr)
}
