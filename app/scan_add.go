package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/scan"
)

// AddHosts writes the hosts of a scan that speak SSH and that no inventory knows to the devices.yaml beside the settings
// file: all or, where that fails, none. It returns the devices and the file. A device is called what the host calls itself,
// else its name by reverse DNS, else its address.
func (a *App) AddHosts(_ context.Context, hosts []muster.Host, dryRun bool) (devices []muster.Device, file string, err error) {
	if file = a.settings.DevicesFile; file == "" {
		return nil, "", fmt.Errorf("%w: there is no place for devices.yaml: name a settings file with --config", ErrUsage)
	}
	taken := map[string]bool{}
	for _, h := range hosts {
		port, ok := sshPort(h)
		if !ok || h.Device != "" {
			continue
		}
		dev, err := a.newDevice(h, port, taken)
		if err != nil {
			return nil, file, usage(err)
		}
		taken[strings.ToLower(dev.Name)] = true
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

// newDevice makes a device of a host, by the first of its names that can be one and is free.
func (a *App) newDevice(h muster.Host, port muster.Port, taken map[string]bool) (dev muster.Device, err error) {
	dev = muster.Device{Address: h.Addr.String()}
	if port.Number != scan.SSHPort {
		dev.Port = port.Number
	}
	if h.LoggedIn {
		dev.Platform = h.Platform
	}
	for _, name := range []string{h.Hostname, h.Name, dev.Address, strings.ReplaceAll(dev.Address, ":", "-")} {
		if _, known := a.inv.Lookup(name); name == "" || known || taken[strings.ToLower(name)] {
			continue
		}
		dev.Name = name
		if err = a.inv.Check(dev); err == nil {
			return dev, nil
		}
	}
	return dev, fmt.Errorf("there is no name for the device at %s: add it by hand with: muster device add NAME --address %s", h.Addr, h.Addr)
}
