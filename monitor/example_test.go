package monitor_test

import (
	"context"
	"fmt"
	"net"

	"github.com/musternet/muster"
	"github.com/musternet/muster/monitor"
	"github.com/musternet/muster/probe"
)

// One round of one device, whose SSH server is played here.
func ExampleOnce() {
	greet := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			fmt.Fprint(theirs, "SSH-2.0-OpenSSH_9.2p1\r\n")
		}()
		return ours, nil
	}
	targets := []monitor.Target{{
		Device: muster.Device{Name: "r1", Address: "198.18.0.1"},
		Probes: []monitor.Check{{Kind: "ssh", Options: probe.Options{Dial: greet}}},
	}}
	for state, err := range monitor.Once(context.Background(), targets, monitor.Config{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s is %s: %s\n", state.Device.Name, state.Health, state.Reason)
	}
	// Output: r1 is up: 2 of the last 2 ssh probes were answered
}
