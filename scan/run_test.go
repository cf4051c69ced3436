package scan_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/ping"
	"github.com/musternet/muster/scan"
)

// network answers connections as a test wants it.
type network struct {
	mu      sync.Mutex
	answers map[string]func() (net.Conn, error) // by address and port; the others are silent
	asked   map[string]int
	open    atomic.Int64
	most    int64
}

func newNetwork() *network {
	return &network{answers: map[string]func() (net.Conn, error){}, asked: map[string]int{}}
}

// says is a port that is open and says something; with no text it says nothing.
func (n *network) says(addr, text string) {
	n.answers[addr] = func() (net.Conn, error) {
		client, server := net.Pipe()
		go func() { // the test's own server, ended by the client's end
			_, _ = io.WriteString(server, text)
			_, _ = io.Copy(io.Discard, server)
			_ = server.Close()
		}()
		return client, nil
	}
}

func (n *network) fails(addr string, err error) {
	n.answers[addr] = func() (net.Conn, error) { return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err} }
}

func (n *network) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	open := n.open.Add(1)
	defer n.open.Add(-1)
	n.mu.Lock()
	n.asked[addr]++
	n.most = max(n.most, open)
	answer := n.answers[addr]
	n.mu.Unlock()
	time.Sleep(time.Millisecond)
	if answer != nil {
		return answer()
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// found scans prefix by TCP alone over the network and returns what is yielded, by address.
func (n *network) found(t *testing.T, ctx context.Context, prefix string, c scan.Config) (map[string]muster.Host, error) {
	t.Helper()
	targets, err := scan.Parse(ctx, []string{prefix}, scan.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.NoPing, c.Dial = true, n.dial
	hosts := map[string]muster.Host{}
	for h, err := range scan.Run(ctx, targets, c) {
		if !h.Addr.IsValid() {
			return hosts, err
		}
		if _, twice := hosts[h.Addr.String()]; twice {
			t.Errorf("%s was yielded twice", h.Addr)
		}
		hosts[h.Addr.String()] = h
	}
	return hosts, nil
}

func keys(hosts map[string]muster.Host) []string {
	var addrs []netip.Addr
	for a := range hosts {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return texts
}

func TestAHostIsUpWhenAnyPortAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.says("198.18.0.1:22", "SSH-2.0-OpenSSH_9.2p1\r\n")
		n.says("198.18.0.2:22", "")
		n.fails("198.18.0.3:22", syscall.ECONNREFUSED)
		n.fails("198.18.0.4:22", syscall.EHOSTUNREACH)
		var sum scan.Summary
		hosts, err := n.found(t, t.Context(), "198.18.0.0/29", scan.Config{Ports: []int{22}, Summary: &sum})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := keys(hosts), []string{"198.18.0.1", "198.18.0.2", "198.18.0.3"}; !slices.Equal(got, want) {
			t.Fatalf("up are %v, want %v", got, want)
		}
		for addr, want := range map[string]muster.Port{
			"198.18.0.1": {Number: 22, State: muster.PortOpen, Banner: "SSH-2.0-OpenSSH_9.2p1"},
			"198.18.0.2": {Number: 22, State: muster.PortMute},
			"198.18.0.3": {Number: 22, State: muster.PortClosed},
		} {
			if h := hosts[addr]; !slices.Equal(h.Ports, []muster.Port{want}) || h.Filtered || h.RTT != time.Millisecond {
				t.Errorf("%s: %+v, want port %+v", addr, h, want)
			}
		}
		if sum.Targets != 8 || sum.Up != 3 || sum.Received != 3 || sum.Unreachable == 0 || !sum.Complete() {
			t.Errorf("summary %+v", sum)
		}
	})
}

func TestOnlyWhoIsSilentIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.fails("198.18.0.1:22", syscall.ECONNREFUSED)
		c := scan.Config{Ports: []int{22}, Ping: ping.Config{Tries: 3, Timeout: time.Second}}
		if _, err := n.found(t, t.Context(), "198.18.0.0/30", c); err != nil {
			t.Fatal(err)
		}
		for addr, want := range map[string]int{"198.18.0.0:22": 3, "198.18.0.1:22": 1, "198.18.0.2:22": 3, "198.18.0.3:22": 3} {
			if n.asked[addr] != want {
				t.Errorf("%s was asked %d times, want %d", addr, n.asked[addr], want)
			}
		}
	})
}

func TestWithAllEveryTargetIsYieldedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.fails("198.18.0.7:22", syscall.ECONNREFUSED)
		n.fails("198.18.0.8:22", syscall.EHOSTUNREACH)
		hosts, err := n.found(t, t.Context(), "198.18.0.0/24", scan.Config{Ports: []int{22}, All: true})
		if err != nil || len(hosts) != 256 {
			t.Fatalf("%d of 256 were yielded, %v", len(hosts), err)
		}
		for addr, want := range map[string]muster.HostState{"198.18.0.7": muster.HostUp, "198.18.0.8": muster.HostUnreachable, "198.18.0.9": muster.HostDown} {
			if got := hosts[addr].State; got != want {
				t.Errorf("%s is %s, want %s", addr, got, want)
			}
		}
	})
}

func TestRateAndConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, began := newNetwork(), time.Now()
		c := scan.Config{Ports: []int{22, 23}, InFlight: 7, Ping: ping.Config{Tries: 1, Rate: 100, Timeout: 50 * time.Millisecond}}
		if _, err := n.found(t, t.Context(), "198.18.0.0/24", c); err != nil {
			t.Fatal(err)
		}
		if n.most > 7 {
			t.Errorf("%d connections were open at once, 7 are allowed", n.most)
		}
		if took, least := time.Since(began), 511*10*time.Millisecond; took < least || took > least+time.Second {
			t.Errorf("512 requests at 100 a second took %s, want about %s", took, least)
		}
	})
}

func TestHostsThatAreUpAreIdentifiedAndAskedForSSH(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.says("198.18.0.1:80", "")
		n.says("198.18.0.1:22", "SSH-2.0-Cisco-1.25\n")
		c := scan.Config{Ports: []int{80}, Ping: ping.Config{Tries: 1}, Identify: func(_ context.Context, h *muster.Host) {
			h.Name = fmt.Sprintf("%d ports, first %s", len(h.Ports), h.Ports[0].Banner)
		}}
		hosts, err := n.found(t, t.Context(), "198.18.0.0/30", c)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := hosts["198.18.0.1"].Name, "2 ports, first SSH-2.0-Cisco-1.25"; got != want || len(hosts) != 1 {
			t.Errorf("identified %q, want %q; %d hosts", got, want, len(hosts))
		}
		if n.asked["198.18.0.2:22"] != 0 {
			t.Error("a silent host was asked for SSH")
		}
	})
}

func TestWhatThisMachineCouldNotSendIsInDoubtAndNotDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.fails("198.18.0.1:22", syscall.EMFILE)
		var sum scan.Summary
		hosts, err := n.found(t, t.Context(), "198.18.0.0/30", scan.Config{Ports: []int{22}, All: true, Summary: &sum})
		if err != nil {
			t.Fatal(err)
		}
		if sum.Lost != 1 || sum.Complete() || sum.SendErrors == 0 || hosts["198.18.0.1"].Reason == "" {
			t.Errorf("summary %+v, reason %q", sum, hosts["198.18.0.1"].Reason)
		}
	})
}

func TestTheEndOfTheContextYieldsWhatIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, stop := newNetwork(), errors.New("enough")
		n.says("198.18.0.1:22", "SSH-2.0-x\n")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stop) })
		var p scan.Progress
		hosts, err := n.found(t, ctx, "198.18.0.0/28", scan.Config{Ports: []int{22}, All: true, Progress: &p})
		if !errors.Is(err, stop) {
			t.Errorf("the error is %v, want one that says why", err)
		}
		if done := p.Done.Load(); done != 1 {
			t.Errorf("%d have a verdict, want 1: of the others nothing is known", done)
		}
		if len(hosts) != 1 || hosts["198.18.0.1"].Ports[0].Banner != "SSH-2.0-x" {
			t.Errorf("found %v", hosts)
		}
	})
}

func TestALoopThatIsLeftEndsTheScan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		targets, err := scan.Parse(t.Context(), []string{"198.18.0.0/24"}, scan.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for a := range targets.All() {
			n.fails(netip.AddrPortFrom(a, 22).String(), syscall.ECONNREFUSED)
		}
		seen := 0
		for range scan.Run(t.Context(), targets, scan.Config{NoPing: true, Ports: []int{22}, Dial: n.dial}) {
			seen++
			break
		}
		if seen != 1 || n.open.Load() != 0 {
			t.Errorf("%d were seen and %d connections are open", seen, n.open.Load())
		}
	})
}

func TestAConfigThatMakesNoSenseIsRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	targets, err := scan.Parse(t.Context(), []string{"198.18.0.1"}, scan.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]scan.Config{
		"nothing to ask":        {NoPing: true},
		"a port that is none":   {NoPing: true, Ports: []int{22, 65536}},
		"a negative limit":      {NoPing: true, Ports: []int{22}, InFlight: -1},
		"a rate below no limit": {NoPing: true, Ports: []int{22}, Ping: ping.Config{Rate: -2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			for h, err := range scan.Run(t.Context(), targets, c) {
				if n++; err == nil || h.Addr.IsValid() {
					t.Errorf("yielded %v, %v", h, err)
				}
			}
			if n != 1 {
				t.Errorf("%d were yielded, want the one error", n)
			}
		})
	}
}

func TestAPortWhoseBannerIsCutShortByTheEndOfTheContextIsOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.says("198.18.0.1:22", "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		hosts, err := n.found(t, ctx, "198.18.0.0/30", scan.Config{Ports: []int{22}})
		want := muster.Port{Number: 22, State: muster.PortOpen}
		if h := hosts["198.18.0.1"]; len(hosts) != 1 || !slices.Equal(h.Ports, []muster.Port{want}) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("found %v and the error %v, want port %+v and the end of the context", hosts, err, want)
		}
	})
}

func TestADeadlineThatTheRateCannotKeepFindsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		c := scan.Config{Ports: []int{22}, Ping: ping.Config{Rate: 1, Tries: 1}}
		if hosts, err := n.found(t, ctx, "198.18.0.0/29", c); len(hosts) != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("found %v, %v; want nobody and the end of the context", hosts, err)
		}
	})
}

func TestAHostWhoseIdentificationPanicsIsFoundAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.fails("198.18.0.1:22", syscall.ECONNREFUSED)
		n.fails("198.18.0.2:22", syscall.ECONNREFUSED)
		bad := func(_ context.Context, h *muster.Host) {
			if h.Addr.As4()[3] == 1 {
				panic("a mistake")
			}
		}
		hosts, err := n.found(t, t.Context(), "198.18.0.0/30", scan.Config{Ports: []int{22}, Identify: bad})
		if len(hosts) != 2 || len(hosts["198.18.0.1"].Ports) != 1 || err == nil || !strings.Contains(err.Error(), "a mistake") {
			t.Errorf("found %v, %v; want both and the panic", hosts, err)
		}
	})
}

func TestOfManyPortsThoseThatAreOpenAreListed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var ports []int
		for port := range 1000 {
			ports = append(ports, port+1)
			n.fails(fmt.Sprintf("198.18.0.1:%d", port+1), syscall.ECONNREFUSED)
			n.fails(fmt.Sprintf("198.18.0.2:%d", port+1), syscall.ECONNREFUSED)
		}
		n.says("198.18.0.1:22", "SSH-2.0-x\n")
		n.says("198.18.0.1:900", "")
		c := scan.Config{Ports: ports, Ping: ping.Config{Tries: 1, Rate: ping.Unlimited, Timeout: 100 * time.Millisecond}}
		hosts, err := n.found(t, t.Context(), "198.18.0.1-198.18.0.3", c)
		if err != nil || len(hosts) != 2 {
			t.Fatalf("found %v, %v", keys(hosts), err)
		}
		for addr, want := range map[string][]muster.Port{
			"198.18.0.1": {{Number: 22, State: muster.PortOpen, Banner: "SSH-2.0-x"}, {Number: 900, State: muster.PortMute}},
			"198.18.0.2": {{Number: 1, State: muster.PortClosed}},
		} {
			if got := hosts[addr].Ports; !slices.Equal(got, want) {
				t.Errorf("%s has %v, want %v", addr, got, want)
			}
		}
	})
}

func TestWithManyPortsFewHostsAreAskedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var ports []int
		for port := range 16 {
			ports = append(ports, port+1)
		}
		c := scan.Config{Ports: ports, InFlight: 64, Ping: ping.Config{Tries: 1, Rate: ping.Unlimited, Timeout: time.Hour}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.found(t, ctx, "198.18.0.0/24", c); err == nil {
			t.Fatal("silence for an hour ended within a second")
		}
		hosts := map[string]bool{}
		for at := range n.asked {
			hosts[netip.MustParseAddrPort(at).Addr().String()] = true
		}
		if len(hosts) != 4 || n.most != 64 {
			t.Errorf("%d hosts were asked over %d connections, want 4 over 64", len(hosts), n.most)
		}
	})
}

func TestAPortThatThisMachineCouldNotAskForIsInDoubtAlsoOfAHostThatIsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, began := newNetwork(), time.Now()
		n.fails("198.18.0.1:22", syscall.ECONNREFUSED)
		n.fails("198.18.0.1:23", syscall.EMFILE)
		var sum scan.Summary
		hosts, err := n.found(t, t.Context(), "198.18.0.1", scan.Config{Ports: []int{22, 23}, Summary: &sum})
		if err != nil || len(hosts) != 1 || sum.Lost != 1 || sum.Complete() {
			t.Errorf("found %v, %v, summary %+v; want the host and one doubt", keys(hosts), err, sum)
		}
		if took := time.Since(began); n.asked["198.18.0.1:23"] != 2 || took < 100*time.Millisecond {
			t.Errorf("asked %d times within %s, want twice with a pause", n.asked["198.18.0.1:23"], took)
		}
	})
}
