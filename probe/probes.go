package probe

import (
	"fmt"
	"strings"
	"time"
)

// Kind describes one kind of probe.
type Kind struct {
	Name    string
	Summary string        // for people who look for theirs
	Port    int           // where a Target has none; 0: there are no ports
	Timeout time.Duration // where a Target has none
}

// probes is the table of all kinds, sorted by name.
var probes = []struct {
	Kind
	open func(base, Options) (Prober, error)
}{
	{Kind{"dns", "asks a DNS server for a name", 53, DefaultTimeout}, openDNS},
	{Kind{"http", "gets a page and looks at its status", 80, DefaultTimeout}, openHTTP},
	{Kind{"https", "gets a page over TLS and looks at certificate and status", 443, DefaultTimeout}, openHTTP},
	{Kind{"icmp", "sends an ICMP echo request", 0, DefaultTimeout}, openICMP},
	{Kind{"ssh", "reads the identification of an SSH server", 22, DefaultBanner}, openSSH},
	{Kind{"tcp", "opens a TCP connection", 22, DefaultTimeout}, openTCP},
}

// Kinds returns all kinds of probes, sorted by name.
func Kinds() []Kind {
	all := make([]Kind, len(probes))
	for i, p := range probes {
		all[i] = p.Kind
	}
	return all
}

// New returns the Prober of a kind. The error is one of the Options: a kind that there is none of, a file that cannot be
// read, a pattern that does not parse.
func New(kind string, o Options) (Prober, error) {
	names := make([]string, len(probes))
	for i, p := range probes {
		if p.Name == kind {
			return p.open(base{kind: p.Kind, dial: o.Dial}, o)
		}
		names[i] = p.Name
	}
	return nil, fmt.Errorf("unknown kind of probe %q: there are %s", kind, strings.Join(names, ", "))
}
