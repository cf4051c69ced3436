package probe_test

import (
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
	"golang.org/x/sys/unix"
)

// inNamespace moves the test into a network of its own, which is gone with the goroutine of the test: nothing that it
// sends leaves this machine. 198.18.0.0/16 is a wire with nobody at its end, 198.18.0.1 is up; of 198.18.1.1 the routing
// says that there is no way, to 198.18.1.2 a filter lets nothing out, and 198.19.9.9 has no route.
func inNamespace(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("a network namespace needs the command %s", tool)
		}
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("a network namespace is not allowed: %v", err)
	}
	c := exec.Command("sh", "-e")
	c.Stdin = strings.NewReader(`
ip link set lo up
ip link add wire0 type veth peer name wire1
ip link set wire0 arp off
ip addr add 198.19.0.1/32 dev wire0
ip link set wire0 up
ip link set wire1 up
ip route add 198.18.0.0/16 dev wire0
ip route add local 198.18.0.1/32 dev lo
ip route add unreachable 198.18.1.1/32
nft add table ip filter
nft add chain ip filter out '{ type filter hook output priority 0; }'
nft add rule ip filter out ip daddr 198.18.1.2 drop
`)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("set up the namespace: %v\n%s", err, out)
	}
}

func TestAPingTellsSilenceFromARouteAndFromAFilterOfOurs(t *testing.T) {
	inNamespace(t)
	p := prober(t, "icmp", probe.Options{})
	for _, c := range []struct {
		addr, code string
		local      bool
	}{
		{"198.18.0.1", "", false},
		{"198.18.0.2", "no-reply", false},
		{"198.18.1.1", "unreachable", false},
		{"198.19.9.9", "unreachable", false},
		{"198.18.1.2", "send-failed", true},
	} {
		o := p.Probe(t.Context(), probe.Target{Addr: netip.MustParseAddr(c.addr), Timeout: 100 * time.Millisecond})
		check(t, "icmp", o)
		if c.code == "" && o.Up {
			continue
		}
		want(t, o, muster.StageConnect, c.code)
		if probe.Local(o) != c.local || o.RTT != 0 {
			t.Errorf("%s: %+v", c.addr, o)
		}
	}
}

func TestAPingThatIsCancelledEndsAtOnce(t *testing.T) {
	inNamespace(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	time.AfterFunc(20*time.Millisecond, func() { cancel(errEnough) })
	began := time.Now()
	o := prober(t, "icmp", probe.Options{}).Probe(ctx, probe.Target{Addr: netip.MustParseAddr("198.18.0.2"), Timeout: time.Hour})
	want(t, o, muster.StageCanceled, "canceled")
	if time.Since(began) > time.Minute || !errors.Is(o.Failure, errEnough) {
		t.Errorf("after %s: %v", time.Since(began), o.Failure)
	}
}

func TestAPortOfARealNetwork(t *testing.T) {
	inNamespace(t)
	for _, c := range []struct {
		addr   string
		state  muster.PortState
		reason string
	}{
		{"198.18.0.1", muster.PortClosed, ""},
		{"198.18.0.2", muster.PortFiltered, ""},
		{"198.18.1.1", muster.PortFiltered, "no route to host"},
		{"198.19.9.9", muster.PortFiltered, "network is unreachable"},
	} {
		to := netip.AddrPortFrom(netip.MustParseAddr(c.addr), 22)
		got, rtt, err := probe.Port(t.Context(), to, probe.PortOptions{Timeout: 100 * time.Millisecond})
		unreachable, ok := errors.AsType[*probe.UnreachableError](err)
		if got.State != c.state || ok != (c.reason != "") || ok && unreachable.Reason != c.reason || (rtt > 0) != (c.reason == "" && got.State == muster.PortClosed) {
			t.Errorf("%s: %+v, RTT %s: %v", c.addr, got, rtt, err)
		}
	}
}
