// Package lab gives the tests of the examples a simulated fleet whose devices are called sw1, sw2 and so on.
package lab

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// Run starts the fleet that c describes, calls f with it and with what logs in to it, and ends it. Nothing listens at a
// name that the fleet does not have.
func Run(t *testing.T, c sim.Config, f func(ctx context.Context, fleet *sim.Fleet, login session.Config)) {
	t.Helper()
	err := task.Scope(t.Context(), "lab", func(ctx context.Context, g *task.Group) error {
		fleet, err := sim.Start(ctx, g, c)
		if err != nil {
			return err
		}
		defer fleet.Close()
		f(ctx, fleet, login(t, fleet))
		return nil
	})
	if err != nil {
		t.Fatalf("the fleet failed: %v", err)
	}
}

func login(t *testing.T, fleet *sim.Fleet) session.Config {
	t.Helper()
	keys, err := session.OpenKnownHosts(true, filepath.Join(t.TempDir(), "known_hosts"))
	if err != nil {
		t.Fatalf("known hosts: %v", err)
	}
	user, password, _ := fleet.Login()
	credential := session.Credential{User: user, Password: Secret(password)}
	return session.Config{HostKeys: keys, Credentials: []session.Credential{credential}, Dialer: dialer(fleet)}
}

// Secret returns a function that gives text, as sessions want their secrets.
func Secret(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

// dialer finds "sw1:22" at the loopback port of the fleet's first device.
func dialer(fleet *sim.Fleet) func(ctx context.Context, network, address string) (net.Conn, error) {
	ports := map[string]string{}
	for i, d := range fleet.Devices() {
		ports[fmt.Sprintf("sw%d:22", i+1)] = net.JoinHostPort(d.Address, strconv.Itoa(d.Port))
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		port, ok := ports[address]
		if !ok {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return new(net.Dialer).DialContext(ctx, network, port)
	}
}
