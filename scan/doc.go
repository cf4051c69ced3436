// Package scan finds the hosts of networks: it asks every address of some Targets, by ping and by TCP, and says of each
// what is there.
//
//	targets, err := scan.Parse(ctx, []string{"198.18.0.0/24"}, scan.ParseOptions{})
//	...
//	for host, err := range scan.Run(ctx, targets, scan.Config{Ports: []int{22}}) {
//		if err == nil {
//			fmt.Println(host.Addr, host.RTT, host.Ports)
//		}
//	}
//
// # The verdict
//
// A host is up when it answers a ping, however late, or a connection to any of the ports, a refusal included. One that
// answers connections only is marked as filtered. A host of which only others speak, such as a router that says "host
// unreachable", is not up: that is a hint, and routers give few of them.
//
// # The order
//
// Addresses are asked in an order that spreads over the subnets, so that no router behind which a subnet lies gets them all
// at once. Hosts are yielded as they are complete; Targets.Index tells each one's place.
//
// # What it costs
//
// Pings go over one socket (package ping). A connection is a descriptor, of which Config.InFlight are open at once. A
// target costs 8 bytes while it is asked by ping, and nothing is kept of those that are silent.
package scan
