package scan

import (
	"syscall"
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
)

// up is a host that answered at a port.
func up(h muster.Host) muster.Host {
	h.State = muster.HostUp
	return h
}

func TestWhoIsFoundByAPortIsNotInDoubtForThePingThatCouldNotBeSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pings    ping.Summary
		findings []finding
		want     int
	}{
		"silent, no ping was sent":           {ping.Summary{Lost: 1, Unsent: 1}, []finding{{Host: host(1), unsent: true}}, 1},
		"up by a port, no ping was sent":     {ping.Summary{Lost: 1, Unsent: 1}, []finding{{Host: up(host(1)), unsent: true}}, 0},
		"neither ping nor port was sent":     {ping.Summary{Lost: 1, Unsent: 1}, []finding{{Host: host(1), unsent: true, doubt: true}}, 1},
		"the first ping was sent":            {ping.Summary{}, []finding{{Host: host(1), unsent: true}}, 0},
		"up, a port could not be asked":      {ping.Summary{}, []finding{{Host: up(host(1)), doubt: true}}, 1},
		"replies were dropped, all up since": {ping.Summary{Lost: 2}, []finding{{Host: up(host(1))}, {Host: up(host(2))}}, 0},
		"replies were dropped, one up since": {ping.Summary{Lost: 2}, []finding{{Host: up(host(1))}, {Host: host(2)}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := Config{}.settled()
			if err != nil {
				t.Fatal(err)
			}
			r := newRunner(Targets{}, cfg, func(muster.Host, error) bool { return true })
			r.Summary.Targets, r.pings = len(c.findings), c.pings
			for _, f := range c.findings {
				r.found(f)
			}
			r.count()
			if r.Summary.Lost != c.want {
				t.Errorf("%d are in doubt, want %d", r.Summary.Lost, c.want)
			}
		})
	}
}

func TestAPingThatHasNoWayMakesAHostUnreachableAndInDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		state  muster.HostState
		reason string
		unsent bool
	}{
		"no route here":           {&ping.SendError{Err: syscall.ENETUNREACH}, muster.HostUnreachable, syscall.ENETUNREACH.Error(), true},
		"a firewall here":         {&ping.SendError{Err: syscall.EPERM}, muster.HostDown, "send echo request: " + syscall.EPERM.Error(), true},
		"a router says no":        {&ping.UnreachableError{Reason: "host unreachable"}, muster.HostUnreachable, "host unreachable", false},
		"nobody says anything":    {ping.ErrNoReply, muster.HostDown, "no reply", false},
		"the host itself answers": {nil, muster.HostUp, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if f := pinged(ping.Reply{}, c.err); f.State != c.state || f.Reason != c.reason || f.unsent != c.unsent {
				t.Errorf("got %s, %q, unsent %v; want %s, %q, %v", f.State, f.Reason, f.unsent, c.state, c.reason, c.unsent)
			}
		})
	}
}
