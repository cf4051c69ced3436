// Package ping finds out which of any number of hosts answer ICMP echo, over one socket, and accounts for every reply.
//
// Once asks one host, Sweep any number of them once, and Steady any number of them for ever:
//
//	for reply, err := range ping.Sweep(ctx, targets, ping.Config{}) {
//		if err == nil {
//			fmt.Println(reply.Addr, reply.RTT)
//		}
//	}
//
// # What a sweep promises
//
// Every target is yielded once: when its first reply comes, or at the end with an error that says why it counts as
// silent. Only a reply that carries the keyed cookie of the request, from the address that was asked, makes a host alive:
// a forged reply, a reply from somewhere else and an unreachable do not. A host that answers twice is one host and a
// duplicate. A reply that is late is from a host that is alive: it is yielded with its true round trip and marked.
//
// The round trip ends when the kernel received the reply, not when the program got round to reading it. A reply that the
// kernel had to drop because the receive buffer was full is counted in Summary.ReceiveDrops, and its host is asked again
// like every other one that is missing.
//
// # Steady probing
//
// Steady asks the targets of a Plan for ever, each in its own interval, and says what became of each request: a reply, a
// loss with its reason, a late reply. The Plan may be changed meanwhile, and nobody's place in time is moved by it:
//
//	var plan ping.Plan
//	plan.Set(ping.Target{Key: "r1", Addr: addr, Interval: time.Second})
//	for probe, err := range ping.Steady(ctx, &plan, ping.Config{}) {
//		fmt.Println(probe.Key, probe.RTT, err)
//	}
//
// # How
//
// A sweep, or a steady loop, lives in the goroutine that ranges over it: it sends what the rate or the time allows, reads
// what has come, yields it, and waits in the kernel. There is nothing to lock and nothing left behind. While the body of the loop runs, replies
// wait in the kernel, where their time of arrival is already written down.
//
// On Linux the socket is a raw one where that is allowed, else the unprivileged ping socket. Where neither is, and on
// other systems, the system's own ping command is run, ProcessLimit at a time, and Config.Note is told what would allow
// better.
package ping
