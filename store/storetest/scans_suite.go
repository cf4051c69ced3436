package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// RunScans checks a Scans. open returns an empty one, and closes it at the end of the test.
func RunScans(t *testing.T, open func(t *testing.T) store.Scans) {
	for name, test := range map[string]func(*testing.T, store.Scans){
		"a scan comes back as it was kept":                 scansReadBack,
		"a scan without hosts is one too":                  scansEmpty,
		"of hosts it is kept what they are and say":        scansHosts,
		"many hosts come back in order":                    scansMany,
		"the last scan is the one that started last":       scansLast,
		"scans of other targets are none of these":         scansTargets,
		"of the same targets the last ten stay":            scansOfTargets,
		"of all scans a bounded number stays":              scansOfAll,
		"a list of scans holds neither sets nor hosts":     scansList,
		"an id is taken once":                              scansTwice,
		"scans kept at the same time are all kept":         scansAtOnce,
		"a cancelled scan is not kept by halves":           scansCancelled,
		"what a caller does to a scan later is not kept":   scansOwned,
		"a set of addresses may be long":                   scansLong,
		"scans that start at the same time go by their id": scansSameTime,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// scan is the nth scan of some targets, a minute after the one before.
func scan(n int, targets string) store.Scan {
	return store.Scan{
		ID: fmt.Sprintf("20261122T0803%02dZ-%06x", n%60, n), Targets: targets, Label: "label of " + targets, Ports: []int{22, 443},
		Ping: true, Identify: true, Started: at.Add(time.Duration(n) * time.Minute), Elapsed: 1234567 * time.Microsecond,
		Up:    "198.18.0.1, 198.18.0.3-198.18.0.7",
		Hosts: []muster.Host{{Addr: netip.MustParseAddr("198.18.0.1"), State: muster.HostUp, Name: fmt.Sprintf("scan%d.example", n)}},
	}
}

func keepScan(t *testing.T, x store.Scans, s store.Scan) {
	t.Helper()
	if err := x.KeepScan(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// wantLast checks that the last scan of want.Targets is want.
func wantLast(t *testing.T, x store.Scans, want store.Scan) {
	t.Helper()
	got, err := x.LastScan(t.Context(), want.Targets)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

// ids lists the scans that are kept.
func ids(t *testing.T, x store.Scans, limit int) (ids []string) {
	t.Helper()
	scans, err := x.Scans(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scans {
		ids = append(ids, s.ID)
	}
	return ids
}

func scansReadBack(t *testing.T, x store.Scans) {
	if _, err := x.LastScan(t.Context(), "198.18.0.0/24"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before the first: got %v, want ErrNotFound", err)
	}
	if got := ids(t, x, 0); len(got) != 0 {
		t.Errorf("before the first: got %v", got)
	}
	s := scan(1, "198.18.0.0/24")
	keepScan(t, x, s)
	wantLast(t, x, s)
}

func scansEmpty(t *testing.T, x store.Scans) {
	s := store.Scan{ID: "1", Targets: "198.18.0.0/24", Started: at}
	keepScan(t, x, s)
	wantLast(t, x, s)
}

func scansHosts(t *testing.T, x store.Scans) {
	s := scan(1, "198.18.0.0/24")
	h := muster.Host{
		Addr: netip.MustParseAddr("198.18.0.1"), State: muster.HostUp, Filtered: true, Platform: "frr", LoggedIn: true,
		Hostname: "<r1> & \"co\"\x00", Name: "r1.example.", MAC: "02:00:5e:10:00:01", Vendor: "V", Device: "r1",
		Ports: []muster.Port{{Number: 22, State: muster.PortOpen, Banner: "SSH-2.0-ü\u2028\x1b[1m"}, {Number: 443, State: muster.PortFiltered}},
	}
	zone := muster.Host{Addr: netip.MustParseAddr("fe80::1%eth0"), State: muster.HostUp, Name: "x"}
	s.Hosts = []muster.Host{h, zone}
	full := s
	full.Hosts = slices.Clone(s.Hosts)
	full.Hosts[0].RTT, full.Hosts[0].Late, full.Hosts[0].Reason, full.Hosts[0].Duplicates = time.Second, true, "no reply", 3
	full.Hosts[0].Change, full.Hosts[0].Failure = muster.ChangeNew, &muster.Failure{Err: errors.New("no")}
	full.Hosts[1].Name = "x\xff\xfe"
	s.Hosts[1].Name = "x\ufffd\ufffd"
	keepScan(t, x, full)
	wantLast(t, x, s)
}

// manyHosts are n hosts with a port each.
func manyHosts(n int) []muster.Host {
	hosts := make([]muster.Host, n)
	for i := range hosts {
		hosts[i] = muster.Host{
			Addr: netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), State: muster.HostUp,
			Ports: []muster.Port{{Number: 22, State: muster.PortOpen, Banner: fmt.Sprintf("SSH-2.0-OpenSSH_9.%d", i)}},
		}
	}
	return hosts
}

func scansMany(t *testing.T, x store.Scans) {
	for i, n := range []int{1023, 1024, 1025, 5000} {
		s := scan(i, "198.18.0.0/16")
		s.Hosts = manyHosts(n)
		keepScan(t, x, s)
		got, err := x.LastScan(t.Context(), s.Targets)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%d hosts: got %d hosts of scan %s, %v", n, len(got.Hosts), got.ID, err)
		}
	}
}

func scansLast(t *testing.T, x store.Scans) {
	for _, n := range []int{3, 7, 5} { // the one that started before the last may end after it
		keepScan(t, x, scan(n, "198.18.0.0/24"))
	}
	wantLast(t, x, scan(7, "198.18.0.0/24"))
}

func scansTargets(t *testing.T, x store.Scans) {
	a, b := scan(1, "198.18.0.0/24"), scan(2, "198.18.0.0/25")
	keepScan(t, x, a)
	keepScan(t, x, b)
	wantLast(t, x, a)
	wantLast(t, x, b)
	for _, other := range []string{"", "198.18.0.0", "198.18.0.0/2_", "198.18.0.0/23"} {
		if got, err := x.LastScan(t.Context(), other); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: got %v, %v, want ErrNotFound", other, got, err)
		}
	}
}

func scansOfTargets(t *testing.T, x store.Scans) {
	keepScan(t, x, scan(1, "other"))
	var want []string
	for n := range 13 {
		s := scan(n+2, "198.18.0.0/24")
		keepScan(t, x, s)
		want = append([]string{s.ID}, want...)
	}
	want = append(want[:store.MaxScansOfTargets], scan(1, "other").ID)
	if got := ids(t, x, 0); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	wantLast(t, x, scan(1, "other"))
	keepScan(t, x, scan(0, "198.18.0.0/24")) // older than all ten
	if got := ids(t, x, 0); !slices.Equal(got, want) {
		t.Errorf("after an older one: got %v, want %v", got, want)
	}
}

func scansOfAll(t *testing.T, x store.Scans) {
	for n := range store.MaxScans + 2 {
		keepScan(t, x, store.Scan{ID: fmt.Sprint(n), Targets: fmt.Sprint(n), Started: at.Add(time.Duration(n) * time.Second)})
	}
	got := ids(t, x, 0)
	if len(got) != store.MaxScans || got[0] != fmt.Sprint(store.MaxScans+1) || got[len(got)-1] != "2" {
		t.Errorf("got %d scans from %s to %s", len(got), got[0], got[len(got)-1])
	}
}

func scansList(t *testing.T, x store.Scans) {
	a, b := scan(1, "a"), scan(2, "b")
	keepScan(t, x, a)
	keepScan(t, x, b)
	a.Up, a.Hosts, b.Up, b.Hosts = "", nil, "", nil
	for limit, want := range map[int][]store.Scan{0: {b, a}, 1: {b}, 5: {b, a}} {
		if got, err := x.Scans(t.Context(), limit); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("limit %d: got %+v, %v, want %+v", limit, got, err, want)
		}
	}
}

func scansTwice(t *testing.T, x store.Scans) {
	first, second := scan(1, "a"), scan(2, "a")
	second.ID = first.ID
	keepScan(t, x, first)
	if err := x.KeepScan(t.Context(), second); err == nil {
		t.Error("an id was taken twice")
	}
	wantLast(t, x, first)
}

func scansAtOnce(t *testing.T, x store.Scans) {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = x.KeepScan(t.Context(), scan(i, "198.18.0.0/24")) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, x, 0); len(got) != len(errs) {
		t.Errorf("got %v, want %d scans", got, len(errs))
	}
	wantLast(t, x, scan(len(errs)-1, "198.18.0.0/24"))
}

func scansCancelled(t *testing.T, x store.Scans) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.KeepScan(ctx, scan(1, "a")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if got := ids(t, x, 0); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func scansOwned(t *testing.T, x store.Scans) {
	s := scan(1, "a")
	s.Hosts = manyHosts(2)
	keepScan(t, x, s)
	s.Ports[0], s.Hosts[0].Name, s.Hosts[1].Ports[0].Banner = 1, "other", "other"
	want := scan(1, "a")
	want.Hosts = manyHosts(2)
	wantLast(t, x, want)
}

func scansLong(t *testing.T, x store.Scans) {
	s := scan(1, strings.Repeat("198.18.0.1, ", 200_000)+"198.19.0.1")
	s.Up = s.Targets
	keepScan(t, x, s)
	got, err := x.LastScan(t.Context(), s.Targets)
	if err != nil || got.Up != s.Up || got.Targets != s.Targets {
		t.Errorf("got %d and %d bytes, %v, want %d", len(got.Targets), len(got.Up), err, len(s.Up))
	}
}

func scansSameTime(t *testing.T, x store.Scans) {
	a, b := scan(1, "a"), scan(1, "a")
	a.ID, b.ID = "2", "1"
	keepScan(t, x, a)
	keepScan(t, x, b)
	wantLast(t, x, a)
}
