//go:build e2e && linux

package e2e

import (
	"context"
	"encoding/json"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// host is one line of `scan -o ndjson`.
type host struct {
	Index      *int       `json:"index"`
	Address    netip.Addr `json:"address"`
	State      string     `json:"state"`
	RTT        int64      `json:"rtt_us"`
	Late       bool       `json:"late"`
	Duplicates int        `json:"duplicates"`
	Filtered   bool       `json:"filtered"`
	Ports      []hostPort `json:"ports"`
	Platform   string     `json:"platform_guess"`
	LoggedIn   bool       `json:"logged_in"`
	Hostname   string     `json:"hostname"`
	Code       string     `json:"code"`
	KnownAs    string     `json:"known_as"`
	Name       string     `json:"name"`
	MAC        string     `json:"mac"`
	Vendor     string     `json:"vendor"`
	Change     string     `json:"change"`
	Reason     string     `json:"reason"`
}

type hostPort struct {
	Port   int    `json:"port"`
	State  string `json:"state"`
	Banner string `json:"banner"`
}

// port is what was found at a port, or nothing.
func (h host) port(number int) hostPort {
	for _, p := range h.Ports {
		if p.Port == number {
			return p
		}
	}
	return hostPort{}
}

// tally is the summary of a scan.
type tally struct {
	Targets      int `json:"targets"`
	Up           int `json:"up"`
	Sent         int `json:"sent"`
	Received     int `json:"received"`
	Late         int `json:"late"`
	Duplicates   int `json:"duplicates"`
	Unreachable  int `json:"unreachable"`
	SendErrors   int `json:"send_errors"`
	ReceiveDrops int `json:"receive_drops"`
	Duration     int `json:"duration_ms"`
	Lost         int `json:"lost"`
	New          int `json:"new"`
	Gone         int `json:"gone"`
	Changed      int `json:"changed"`
}

// scanned is how a scan ended: its answer, what it took, each address that it reported, and its summary.
type scanned struct {
	answer
	cost
	hosts map[netip.Addr]host
	sum   tally
}

// scan runs `muster scan -o ndjson` in the network of the space.
func (w space) scan(t *testing.T, s *site, args ...string) scanned {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return w.scanBy(t, s.command(ctx, append([]string{"scan", "-o", "ndjson"}, args...)...))
}

// scanBy runs a command that is `muster scan -o ndjson` and reads what it prints.
func (w space) scanBy(t *testing.T, cmd *exec.Cmd) scanned {
	t.Helper()
	words := strings.Join(cmd.Args, " ")
	var r scanned
	r.answer, r.cost = w.run(t, cmd)
	the.sec.mustNotBeIn(t, words, r.stdout+r.stderr, false)
	r.hosts = hostsOf(t, r.stdout)
	r.sum = summaryOf(t, r.stderr)
	t.Logf("muster found %d, %v, exit %d %+v", r.sum.Up, r.cost, r.code, r.sum)
	return r
}

// hostsOf reads the lines of hosts; an address that is reported twice is an error.
func hostsOf(t *testing.T, stdout string) map[netip.Addr]host {
	t.Helper()
	all := map[netip.Addr]host{}
	for _, h := range lines[host](t, stdout) {
		if _, twice := all[h.Address]; twice {
			t.Errorf("%s was reported twice", h.Address)
		}
		if h.Index == nil {
			t.Errorf("%s has no index", h.Address)
		}
		all[h.Address] = h
	}
	return all
}

// summaryOf reads the last line of stderr, where the summary is when the data is for programs. All its fields are there,
// also those that are zero.
func summaryOf(t *testing.T, stderr string) tally {
	t.Helper()
	said := strings.Split(strings.TrimSpace(stderr), "\n")
	last := []byte(said[len(said)-1])
	var sum tally
	var fields map[string]any
	if err := json.Unmarshal(last, &sum); err != nil {
		t.Fatalf("the last line of stderr is no summary: %v\n%s", err, stderr)
	}
	if err := json.Unmarshal(last, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"targets", "up", "sent", "received", "late", "duplicates", "unreachable", "send_errors", "receive_drops", "duration_ms",
		"lost", "new", "gone", "changed"} {
		if _, there := fields[name]; !there {
			t.Errorf("the summary has no %s: %s", name, last)
		}
	}
	return sum
}

// up are the addresses that were found up, ascending.
func (r scanned) up() []netip.Addr {
	var all []netip.Addr
	for addr, h := range r.hosts {
		if h.State == "up" {
			all = append(all, addr)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}

// exactly fails the test unless these addresses, ascending, are the ones that are up, and the scan was complete.
func (r scanned) exactly(t *testing.T, want []netip.Addr) {
	t.Helper()
	got := r.up()
	if !slices.Equal(got, want) {
		t.Errorf("found %d, want %d; missed %v, invented %v", len(got), len(want), without(want, got), without(got, want))
	}
	if r.sum.Up != len(want) || r.code != 0 {
		t.Errorf("exit %d, the summary says %d up, want %d\n%s", r.code, r.sum.Up, len(want), r.stderr)
	}
}

// without are the first few of a that are not in b; both ascend.
func without(a, b []netip.Addr) []netip.Addr {
	var rest []netip.Addr
	for _, addr := range a {
		if _, there := slices.BinarySearchFunc(b, addr, netip.Addr.Compare); !there && len(rest) < 5 {
			rest = append(rest, addr)
		}
	}
	return rest
}
