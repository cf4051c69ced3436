package app

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
)

// names finds the names of addresses by reverse DNS. It is safe for concurrent use.
type names struct {
	lookup func(ctx context.Context, addr string) ([]string, error)
	silent atomic.Int32 // questions in a row that got no answer
}

// silentMost is how many questions in a row may get no answer before no more are asked: each takes lookupTime, and a
// scan of many hosts would take hours.
const silentMost = 2 * identifyAtOnce

func newNames() *names { return &names{lookup: net.DefaultResolver.LookupAddr} }

// of asks the name service for the name of an address; empty: it has none. Addresses that mean something on this machine
// or link alone have none (RFC 6303), and nobody else is asked for them.
func (n *names) of(ctx context.Context, addr netip.Addr) string {
	if addr.IsLoopback() || addr.IsLinkLocalUnicast() || n.givenUp() {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := n.lookup(ctx, addr.String())
	if ctx.Err() != nil {
		n.silent.Add(1)
		return ""
	}
	n.silent.Store(0)
	if err != nil || len(found) == 0 {
		return ""
	}
	return strings.TrimSuffix(found[0], ".")
}

// givenUp tells whether no more questions are asked.
func (n *names) givenUp() bool { return n.silent.Load() >= silentMost }
