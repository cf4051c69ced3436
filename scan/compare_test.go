package scan_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/scan"
	"github.com/musternet/muster/store"
)

const someone = "198.18.0.1"

// up is a host that is up, with more that is known of it.
func up(addr string, more ...func(*muster.Host)) muster.Host {
	h := muster.Host{Addr: netip.MustParseAddr(addr), State: muster.HostUp}
	for _, f := range more {
		f(&h)
	}
	return h
}

func port(number int, state muster.PortState, banner string) func(*muster.Host) {
	return func(h *muster.Host) {
		h.Ports = append(h.Ports, muster.Port{Number: number, State: state, Banner: banner})
	}
}

func open(number int) func(*muster.Host) { return port(number, muster.PortOpen, "") }

func closed(number int) func(*muster.Host) { return port(number, muster.PortClosed, "") }

func mute(number int) func(*muster.Host) { return port(number, muster.PortMute, "") }

func silent(number int) func(*muster.Host) { return port(number, muster.PortFiltered, "") }

func says(number int, banner string) func(*muster.Host) { return port(number, muster.PortOpen, banner) }

func platform(name string) func(*muster.Host) { return func(h *muster.Host) { h.Platform = name } }

func mac(mac string) func(*muster.Host) { return func(h *muster.Host) { h.MAC = mac } }

func noPing(h *muster.Host) { h.Filtered = true }

func loggedIn(h *muster.Host) { h.LoggedIn = true }

// pinged is a scan by ping alone that found these hosts.
func pinged(hosts ...muster.Host) store.Scan { return scanned(true, nil, hosts...) }

// scanned is a scan that found these hosts, ascending.
func scanned(ping bool, ports []int, hosts ...muster.Host) store.Scan {
	s := store.Scan{ID: "1", Targets: "198.18.0.0/24", Ping: ping, Ports: ports, Hosts: hosts}
	var addrs []string
	for _, h := range hosts {
		addrs = append(addrs, h.Addr.String())
	}
	s.Up = strings.Join(addrs, ", ")
	return s
}

func compareWith(t testing.TB, last store.Scan) *scan.Comparison {
	t.Helper()
	c, err := scan.NewComparison(last)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// changes are the changes by address: those of hosts that are up now, and who is gone.
func changes(c *scan.Comparison, now ...muster.Host) map[string]muster.Change {
	out := map[string]muster.Change{}
	note := func(h muster.Host, change muster.Change) {
		if change != "" {
			out[h.Addr.String()] = change
		}
	}
	for _, h := range now {
		note(h, c.Of(h))
	}
	for _, h := range c.Gone() {
		note(h, h.Change)
	}
	return out
}

func TestAHostThatIsUpAtBothScansHasChanged(t *testing.T) {
	t.Parallel()
	const ssh = "SSH-2.0-OpenSSH_9.2p1"
	with := func(more ...func(*muster.Host)) []func(*muster.Host) { return more }
	for name, c := range map[string]struct {
		then, now []func(*muster.Host)
		changed   bool
	}{
		"when a port opened":                           {with(closed(22)), with(open(22)), true},
		"when a port closed":                           {with(says(22, ssh)), with(closed(22)), true},
		"when a port fell silent":                      {with(open(22)), with(silent(22)), true},
		"when a refusing port fell silent":             {with(closed(22)), with(silent(22)), true},
		"when one port of several changed":             {with(open(22), open(80), open(443)), with(open(22), closed(80), open(443)), true},
		"when a banner is another one":                 {with(says(22, ssh)), with(says(22, "SSH-2.0-dropbear")), true},
		"when a banner has another version":            {with(says(22, ssh)), with(says(22, "SSH-2.0-OpenSSH_9.2p2")), true},
		"when a port that spoke is mute":               {with(says(22, ssh)), with(mute(22)), true},
		"when a mute port speaks":                      {with(mute(22)), with(says(22, ssh)), true},
		"when a guess at its platform is another one":  {with(platform("frr")), with(platform("bird")), true},
		"when a login shows another platform":          {with(platform("frr"), loggedIn), with(platform("bird"), loggedIn), true},
		"when its MAC is another one":                  {with(mac("02:00:5e:10:00:01")), with(mac("02:00:5e:10:00:02")), true},
		"not when nothing is known of it":              {nil, nil, false},
		"not when all is as it was":                    {with(closed(21), says(22, ssh), mac("m")), with(closed(21), says(22, ssh), mac("m")), false},
		"not when a port is asked for the first time":  {with(open(22)), with(open(22), open(80)), false},
		"not when a port is asked for no more":         {with(closed(21), open(22), open(80)), with(open(22)), false},
		"not when no port is asked for by both":        {with(open(22)), with(closed(23)), false},
		"not when only this scan waited for a banner":  {with(open(22)), with(says(22, ssh)), false},
		"not when only the last scan waited for it":    {with(says(22, ssh)), with(open(22)), false},
		"not when a port that was open is called mute": {with(open(443)), with(mute(443)), false},
		"not when a mute port is called open":          {with(mute(443)), with(open(443)), false},
		"not when only one scan knows its platform":    {with(platform("frr")), nil, false},
		"not when its platform is found out":           {nil, with(platform("frr")), false},
		"not when a login corrects a guess":            {with(platform("linux")), with(platform("frr"), loggedIn), false},
		"not when a guess follows a login":             {with(platform("frr"), loggedIn), with(platform("linux")), false},
		"not when only one scan knows its MAC":         {with(mac("02:00:5e:10:00:01")), nil, false},
		"not for times, duplicates, names and devices": {
			with(func(h *muster.Host) { h.Name, h.Device = "a", "a" }),
			with(func(h *muster.Host) {
				h.RTT, h.Late, h.Duplicates, h.Name, h.Device, h.Vendor, h.Hostname = 9, true, 3, "b", "b", "b", "b"
			}), false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := map[string]muster.Change{}
			if c.changed {
				want[someone] = muster.ChangeChanged
			}
			got := changes(compareWith(t, pinged(up(someone, c.then...))), up(someone, c.now...))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHostsComeAndGo(t *testing.T) {
	t.Parallel()
	const a, b, c = "198.18.0.1", "198.18.0.2", "198.18.0.3"
	hosts := func(hosts ...muster.Host) []muster.Host { return hosts }
	type want = map[string]muster.Change
	for name, c := range map[string]struct {
		last  store.Scan
		ping  bool // what this scan asks
		ports []int
		now   []muster.Host
		want  want
	}{
		"one is new and one is gone":                 {pinged(up(a), up(b)), true, nil, hosts(up(b), up(c)), want{a: "gone", c: "new"}},
		"all are new after a scan that found nobody": {pinged(), true, nil, hosts(up(a), up(b)), want{a: "new", b: "new"}},
		"all are gone when nobody is found":          {pinged(up(a), up(b)), true, nil, nil, want{a: "gone", b: "gone"}},
		"a host that is not up is not new":           {pinged(), true, nil, hosts(down(a)), want{}},
		"a host that is not up any more is gone":     {pinged(up(a)), true, nil, hosts(down(a)), want{a: "gone"}},
		"one found by a port both asked is new": {
			scanned(true, []int{22}), true, []int{22}, hosts(up(a, noPing, closed(22))), want{a: "new"},
		},
		"one found by a port the last scan did not ask is not new": {
			pinged(), true, []int{22}, hosts(up(a, noPing, open(22))), want{},
		},
		"one found by ping is new whatever else is asked now": {
			pinged(), true, []int{22}, hosts(up(a, open(22)), up(b, silent(22))), want{a: "new", b: "new"},
		},
		"one found by a ping where the last scan sent none is not new": {
			scanned(false, []int{22}), true, []int{22}, hosts(up(a, silent(22))), want{},
		},
		"one that answers a port both asked is new although only one of them pinged": {
			scanned(false, []int{22}), true, []int{22, 80}, hosts(up(a, closed(22), open(80))), want{a: "new"},
		},
		"one found by a port this scan does not ask is not gone": {
			scanned(true, []int{22, 80}, up(a, noPing, silent(22), open(80)), up(b, noPing, open(22))), true, []int{22}, nil, want{b: "gone"},
		},
		"one found by ping is not gone for a scan that sends none": {
			scanned(true, []int{22}, up(a), up(b, silent(22)), up(c, closed(22))), false, []int{22}, nil, want{c: "gone"},
		},
		"one found by a port is gone for a scan by ping only where it answered pings": {
			scanned(true, []int{22}, up(a, open(22)), up(b, noPing, open(22))), true, nil, nil, want{a: "gone"},
		},
		"a port that answered only because the host was up is no way to find it": {
			pinged(up(a, says(22, "SSH-2.0-x"))), false, []int{443}, hosts(up(b, open(443))), want{},
		},
		"addresses of both families are compared": {
			pinged(up(a), up("2001:db8::1"), up("2001:db8::2")), true, nil, hosts(up("2001:db8::2"), up("2001:db8::3"), up(a)),
			want{"2001:db8::1": "gone", "2001:db8::3": "new"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			comparison := compareWith(t, c.last)
			comparison.Asked(c.ping, c.ports)
			if diff := cmp.Diff(c.want, changes(comparison, c.now...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func down(addr string) muster.Host {
	return muster.Host{Addr: netip.MustParseAddr(addr), State: muster.HostDown, Reason: "no reply"}
}

func TestWithoutAWordAboutItAScanAsksWhatTheLastOneAsked(t *testing.T) {
	t.Parallel()
	c := compareWith(t, scanned(false, []int{22}, up(someone, open(22))))
	got := changes(c, up("198.18.0.2", closed(22)), up("198.18.0.3", closed(23)))
	if diff := cmp.Diff(map[string]muster.Change{someone: "gone", "198.18.0.2": "new"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestThoseWhoAreGoneComeInOrderWithWhatWasKnownOfThem(t *testing.T) {
	t.Parallel()
	last := pinged(up("198.18.0.1"), up("198.18.0.2", says(22, "SSH-2.0-x"), platform("frr")), up("198.18.0.9"), up("198.18.0.10", mac("m")))
	last.Hosts = []muster.Host{last.Hosts[3], last.Hosts[1]} // as they answered
	var got []string
	for _, h := range compareWith(t, last).Gone() {
		got = append(got, fmt.Sprint(h.Addr, " ", h.State, " ", h.Change, " ", h.Ports, " ", h.Platform, " ", h.MAC))
	}
	want := []string{
		"198.18.0.1 down gone []  ", "198.18.0.2 down gone [{22 open SSH-2.0-x}] frr ", "198.18.0.9 down gone []  ",
		"198.18.0.10 down gone []  m",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if last.Hosts[0].Addr != netip.MustParseAddr("198.18.0.10") || last.Hosts[1].State != muster.HostUp {
		t.Errorf("the last scan was altered: %+v", last.Hosts)
	}
}

func TestWithoutALastScanNothingIsAChange(t *testing.T) {
	t.Parallel()
	var c *scan.Comparison
	c.Asked(true, nil)
	if got := changes(c, up(someone)); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

func TestASetThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	last := store.Scan{ID: "20261122T080300Z-aabbcc", Up: "198.18.0.300"}
	if _, err := scan.NewComparison(last); err == nil || !strings.Contains(err.Error(), last.ID) {
		t.Errorf("got %v, want the scan's id", err)
	}
}

// A million hosts of which nothing more is known are a bit each.
func TestAMillionHostsAreComparedInLittleMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := compareWith(t, store.Scan{ID: "1", Ping: true, Up: "127.16.0.0/12"})
	for addr := netip.MustParseAddr("127.16.0.1"); addr.As4()[1] < 32; addr = addr.Next() {
		if change := c.Of(muster.Host{Addr: addr, State: muster.HostUp}); change != "" {
			t.Fatalf("%v is %s", addr, change)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("comparing took %d bytes, want at most 1 MiB", took)
	}
	if gone := c.Gone(); len(gone) != 1 || gone[0].Addr != netip.MustParseAddr("127.16.0.0") {
		t.Errorf("got %d hosts that are gone, want 127.16.0.0", len(gone))
	}
}

func BenchmarkOf(b *testing.B) {
	var hosts []muster.Host
	for addr := netip.MustParseAddr("198.18.0.0"); addr.As4()[1] < 19; addr = addr.Next() {
		hosts = append(hosts, up(addr.String(), says(22, "SSH-2.0-OpenSSH_9.2p1")))
	}
	last := scanned(true, []int{22}, hosts...)
	last.Up = "198.18.0.0/16"
	c := compareWith(b, last)
	for i := 0; b.Loop(); i++ {
		c.Of(hosts[i*7919%len(hosts)])
	}
}

func TestAPortThatOpensOrClosesIsAChangeAlsoWhereManyPortsWereAsked(t *testing.T) {
	t.Parallel()
	var many []int
	for port := range 2 * scan.MostListed {
		many = append(many, port+1)
	}
	host := func(ports ...muster.Port) muster.Host {
		return muster.Host{Addr: netip.MustParseAddr("198.18.0.1"), State: muster.HostUp, Ports: ports}
	}
	ssh, web := muster.Port{Number: 22, State: muster.PortOpen}, muster.Port{Number: 80, State: muster.PortMute}
	for name, c := range map[string]struct {
		then, now []muster.Port
		asked     []int
		want      muster.Change
	}{
		"another one is open":            {[]muster.Port{ssh}, []muster.Port{ssh, web}, many, muster.ChangeChanged},
		"one of them is closed":          {[]muster.Port{ssh, web}, []muster.Port{ssh}, many, muster.ChangeChanged},
		"the first one is open":          {nil, []muster.Port{ssh}, many, muster.ChangeChanged},
		"the same are open":              {[]muster.Port{ssh, web}, []muster.Port{ssh, web}, many, ""},
		"it was not asked the last time": {[]muster.Port{ssh}, []muster.Port{ssh, web}, []int{22}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			last := store.Scan{Up: "198.18.0.1", Ping: true, Ports: c.asked}
			if c.then != nil {
				last.Hosts = []muster.Host{host(c.then...)}
			}
			comparison, err := scan.NewComparison(last)
			if err != nil {
				t.Fatal(err)
			}
			comparison.Asked(true, many)
			if got := comparison.Of(host(c.now...)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
