// Package probe asks one target one question, such as whether its SSH server greets, and says how it went.
//
// New makes a Prober of a kind that Kinds lists. The Options say what is asked, the Target who is:
//
//	p, err := probe.New("https", probe.Options{HTTP: probe.HTTP{Path: "/health", Status: []int{200}}})
//	...
//	outcome := p.Probe(ctx, probe.Target{Addr: addr, Name: "www.example.org"})
//
// Port is what a scan needs beyond that: what one TCP port says to a connection.
//
// # What an Outcome says
//
// An Outcome that is not up has a Failure with a stage, a code and the cause in words. Its RTT is set all the same when
// something answered: a host that refuses a connection lives. Three codes are no word of the target: canceled says that
// ctx ended, send-failed that this machine could not ask (see Local), unknown-host that the Target has no address.
//
// # What a probe never does
//
// A probe looks up no name, heeds no proxy of the environment, tries nothing twice, reads a bounded number of bytes, and
// leaves neither a goroutine nor a socket behind when it returns. Its TCP connections end with a reset, see reset.
package probe
