package probe_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/musternet/muster/probe"
)

// One probe of one target: an SSH server that is played here.
func ExampleNew() {
	greet := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			fmt.Fprint(theirs, "SSH-2.0-OpenSSH_9.2p1\r\n")
		}()
		return ours, nil
	}
	p, err := probe.New("ssh", probe.Options{Dial: greet})
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome := p.Probe(context.Background(), probe.Target{Addr: netip.MustParseAddr("198.18.0.1")})
	fmt.Println(outcome.Up, outcome.Detail)
	// Output: true SSH-2.0-OpenSSH_9.2p1
}
