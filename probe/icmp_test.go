package probe_test

import (
	"net/netip"
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
)

func TestAPingOfThisMachineIsUp(t *testing.T) {
	t.Parallel()
	p := prober(t, "icmp", probe.Options{})
	o := p.Probe(t.Context(), probe.Target{Addr: netip.MustParseAddr("::ffff:127.0.0.1")})
	check(t, "icmp", o)
	if probe.Local(o) {
		t.Skipf("no ping is allowed: %v", o.Failure)
	}
	if !o.Up || o.RTT <= 0 || o.Detail != "127.0.0.1" {
		t.Errorf("got %+v (%v)", o, o.Failure)
	}
}

func TestAPingIsCancelledAsOtherProbesAre(t *testing.T) {
	t.Parallel()
	ctx, cancel := cutAfter(0)(t.Context())
	defer cancel()
	o := prober(t, "icmp", probe.Options{}).Probe(ctx, probe.Target{Addr: netip.MustParseAddr("127.0.0.1")})
	check(t, "icmp", o)
	want(t, o, muster.StageCanceled, "canceled")
}
