//go:build e2e && linux

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// What `muster ise` does with an ISE that is large, that fails, and that is left in the middle.

// startISE runs a simulated ISE until the test ends.
func startISE(t *testing.T, c sim.ISEConfig) *sim.ISE {
	t.Helper()
	return simulated(t, func(ctx context.Context, g *task.Group) (*sim.ISE, error) { return sim.StartISE(ctx, g, c) })
}

// asks is a site whose environment points to an ISE, as its administrator.
func asks(t *testing.T, i *sim.ISE, urls ...string) *site {
	t.Helper()
	s := newSite(t)
	user, password := i.Login()
	if len(urls) == 0 {
		urls = []string{i.URL()}
	}
	s.set("MUSTER_ISE_URL", strings.Join(urls, ",")).set("MUSTER_ISE_USERNAME", user).set("MUSTER_ISE_PASSWORD", password)
	return s.set("MUSTER_ISE_CA_FILE", s.write(t, "ca.pem", string(i.CA())))
}

// iseRow is what these tests look at of the lines of `muster ise`.
type iseRow struct {
	MAC    string `json:"mac"`
	Group  string `json:"group"`
	Status string `json:"status"`
	ID     string `json:"id"`
	Code   string `json:"code"`
	Error  string `json:"error"`
	Place  string `json:"place"`
}

// withoutPassword runs the binary, and fails the test where it shows the password of ISE.
func (s *site) withoutPassword(t *testing.T, i *sim.ISE, args ...string) answer {
	t.Helper()
	a := s.muster(t, args...)
	if _, password := i.Login(); strings.Contains(a.stdout+a.stderr, password) {
		t.Errorf("muster %s shows the password of ISE", strings.Join(args, " "))
	}
	return a
}

// endpointList is a list for an import, and its MAC addresses.
func endpointList(n int) (text string, macs []string) {
	var b strings.Builder
	b.WriteString("mac,group,description\n")
	for i := range n {
		macs = append(macs, fmt.Sprintf("06:00:5E:00:%02X:%02X", i>>8, i&0xff))
		fmt.Fprintf(&b, "%s,Group-0%d,\"printer %d, on the left\"\n", strings.ReplaceAll(macs[i], ":", "-"), i%7+1, i)
	}
	return b.String(), macs
}

func TestISEListsTheExactSetWhateverFails(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 5000, Seed: 3, Faults: []sim.ISEShare{
		{Kind: "500", Share: .02}, {Kind: "503", Share: .02}, {Kind: "reset", Share: .02}, {Kind: "truncated", Share: .02}, {Kind: "429", Share: .02},
	}})
	s := asks(t, i)
	a := s.withoutPassword(t, i, "ise", "endpoints", "ls", "-v", "-o", "ndjson", "--connections", "6", "--rate", "60")
	if a.code != 0 {
		t.Fatalf("exit %d: %s", a.code, a.stderr)
	}
	var got []string
	for _, row := range lines[iseRow](t, a.stdout) {
		got = append(got, row.MAC)
	}
	if diff := cmp.Diff(i.Endpoints(), got); diff != "" {
		t.Error(diff)
	}
	c := i.Counts()
	if c.PeakConns > 6 {
		t.Errorf("%d connections at once, where 6 are allowed", c.PeakConns)
	}
	if n := i.Busiest(time.Second); n > 60+6 { // the bucket may be full at the start
		t.Errorf("%d requests in a second, where 60 are allowed", n)
	}
	if c.Faults == 0 {
		t.Error("nothing failed")
	}
}

func TestISEListsInAMemoryThatDoesNotGrow(t *testing.T) {
	t.Parallel()
	few, many := peakOfListing(t, 20_000), peakOfListing(t, 200_000)
	// A line is about 300 bytes. To notice that a list changes, 16 bytes of each id are kept in a table; the collector doubles that.
	grown := float64(many-few) / 180_000
	t.Logf("memory grows by %.0f bytes an endpoint: %d MB for 20,000, %d MB for 200,000", grown, few>>20, many>>20)
	if grown > 160 {
		t.Error("that is more than a table of ids")
	}
}

// peakOfListing lists n endpoints and returns the most memory that this took, in bytes.
func peakOfListing(t *testing.T, n int) (peak int64) {
	t.Helper()
	i := startISE(t, sim.ISEConfig{Endpoints: n, Seed: 3})
	cmd := asks(t, i).command(t.Context(), "ise", "endpoints", "ls", "-o", "ndjson", "--rate", "100000")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	got := 0
	for scan := bufio.NewScanner(out); scan.Scan(); got++ {
		if got == n-1000 { // those that are left are more than a pipe holds: it is still there
			peak = highWater(t, cmd.Process.Pid)
		}
	}
	if err := cmd.Wait(); err != nil || got != n {
		t.Fatalf("got %d lines, want %d: %v", got, n, err)
	}
	return peak
}

// highWater is the most memory that a process has had, in bytes. The kernel's figure after its end would be that of the process it was
// forked from, if that had more.
func highWater(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb int64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

func TestISEImportsFiveThousandOnce(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 300, Seed: 4, CSRF: true, Faults: []sim.ISEShare{{Kind: "reset", Share: .02}, {Kind: "lost", Share: .02}, {Kind: "503", Share: .02}}})
	s := asks(t, i)
	text, macs := endpointList(5000)
	there := i.Endpoints()
	text += there[7] + ",Group-03,was there\n" + macs[0] + ",Group-01,again\n" + "nonsense,,\n"
	file := s.write(t, "list.csv", text)

	dry := s.withoutPassword(t, i, "ise", "import", file, "--dry-run", "-o", "ndjson")
	if dry.code != 1 { // two rows are bad
		t.Fatalf("dry run: exit %d: %s", dry.code, dry.stderr)
	}
	if c := i.Counts(); c.Created != 0 || c.Updated != 0 || len(i.Endpoints()) != 300 {
		t.Errorf("a dry run changed something: %+v", c)
	}
	want := map[string]int{"new": 5000, "changed": 1, "bad": 2}
	if diff := cmp.Diff(want, statuses(t, dry.stdout)); diff != "" {
		t.Errorf("dry run: %s", diff)
	}
	wet := s.withoutPassword(t, i, "ise", "import", file, "-v", "-o", "ndjson")
	if diff := cmp.Diff(want, statuses(t, wet.stdout)); diff != "" || wet.code != 1 {
		t.Errorf("exit %d: %s\n%s", wet.code, diff, wet.stderr)
	}
	hasEachOnce(t, i, append(there, macs...))
	if n := i.Counts().Created; n != 5000 {
		t.Errorf("%d were created, want 5,000", n)
	}
	again := s.withoutPassword(t, i, "ise", "import", file, "-o", "ndjson")
	if diff := cmp.Diff(map[string]int{"same": 5001, "bad": 2}, statuses(t, again.stdout)); diff != "" {
		t.Errorf("again: %s", diff)
	}
	for _, row := range lines[iseRow](t, again.stdout) {
		if row.Status == "bad" && row.Place != file+":5003" && row.Place != file+":5004" {
			t.Errorf("a bad row is told of at %s", row.Place)
		}
	}
	if n := i.Counts().Created; n != 5000 {
		t.Errorf("%d were created when it was repeated", n)
	}
}

// statuses counts the lines by what became of the endpoints.
func statuses(t *testing.T, stdout string) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, row := range lines[iseRow](t, stdout) {
		n[row.Status]++
		if row.Status == "failed" {
			t.Logf("%s: %s: %s", row.MAC, row.Code, row.Error)
		}
	}
	return n
}

// hasEachOnce compares what ISE has with what it should have, without order.
func hasEachOnce(t *testing.T, i *sim.ISE, want []string) {
	t.Helper()
	got := i.Endpoints()
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), got); diff != "" {
		t.Errorf("ISE has not what it should have:\n%s", diff)
	}
}

// An import that was interrupted, or killed, is run again, and everything is there once.
func TestISEImportThatWasInterruptedIsRepeated(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			i := startISE(t, sim.ISEConfig{Seed: 5, Latency: 20 * time.Millisecond})
			s := asks(t, i)
			text, macs := endpointList(3000)
			file := s.write(t, "list.csv", text)
			out := &console{}
			cmd := s.command(t.Context(), "ise", "import", file, "-o", "ndjson")
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			within(t, 20*time.Second, "some are made", func() bool { return i.Counts().Created > 600 })
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); signal == syscall.SIGINT && code != 130 {
				t.Errorf("interrupted: exit %d (%v): %s", code, err, out)
			}
			begun := len(i.Endpoints())
			if begun == 0 || begun == len(macs) {
				t.Fatalf("%d of %d were made when it was stopped: that shows nothing", begun, len(macs))
			}
			a := s.withoutPassword(t, i, "ise", "import", file, "-o", "ndjson")
			if a.code != 0 {
				t.Fatalf("again: exit %d: %s", a.code, a.stderr)
			}
			n := statuses(t, a.stdout)
			if n["new"]+n["same"] != len(macs) || n["same"] < begun {
				t.Errorf("again: %v, where %d were there", n, begun)
			}
			hasEachOnce(t, i, macs)
		})
	}
}

func TestISEFallsBackOnAStandbyThatTakesNoChanges(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 300, Seed: 6, Standby: true})
	s := asks(t, i, i.URL(), i.StandbyURL())
	i.StopPrimary()
	if got := strings.Fields(s.ok(t, "ise", "endpoints", "ls", "-o", "list")); !slices.Equal(got, i.Endpoints()) {
		t.Errorf("got %d endpoints from the standby, want 300", len(got))
	}
	a := s.withoutPassword(t, i, "ise", "endpoint", "add", "02:00:5E:00:00:01")
	if a.code != 1 && a.code != 4 || !strings.Contains(a.stderr, "muster: ") || strings.Count(a.stderr, "\n") != 1 {
		t.Errorf("a change at the standby: exit %d: %s", a.code, a.stderr)
	}
	if n := i.Counts().Created; n != 0 {
		t.Errorf("the standby made %d", n)
	}
}

func TestISEBefore31IsAskedAsWell(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 250, Seed: 7, NoOpenAPI: true})
	s := asks(t, i)
	rows := lines[iseRow](t, s.ok(t, "ise", "endpoints", "ls", "--full", "-o", "ndjson", "--rate", "10000"))
	if len(rows) != 250 || slices.ContainsFunc(rows, func(r iseRow) bool { return r.Group == "" }) {
		t.Errorf("got %d endpoints, of which some have no group", len(rows))
	}
	a := s.withoutPassword(t, i, "ise", "summary")
	if a.code != 1 || !strings.Contains(a.stdout, "endpoints    250") || !strings.Contains(a.stdout, "policies") || !strings.Contains(a.stdout, "not-found") {
		t.Errorf("exit %d: %s%s", a.code, a.stdout, a.stderr)
	}
	text, _ := endpointList(20)
	file := s.write(t, "list.csv", text+i.Endpoints()[0]+",Group-02,\n")
	if a := s.withoutPassword(t, i, "ise", "import", file); a.code != 0 || !strings.Contains(a.stdout, "20 new, 1 changed, 0 same") {
		t.Errorf("exit %d: %s%s", a.code, a.stdout, a.stderr)
	}
}

func TestISEWhoMayNotChangeIsToldSo(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 3, Seed: 8})
	user, password := i.OperatorLogin()
	s := asks(t, i).set("MUSTER_ISE_USERNAME", user).set("MUSTER_ISE_PASSWORD", password)
	if a := s.muster(t, "ise", "endpoint", "add", "02:00:5E:00:00:01"); a.code != 1 || !strings.HasPrefix(a.stderr, "muster: forbidden: ") || strings.Contains(a.stderr, password) {
		t.Errorf("exit %d: %s", a.code, a.stderr)
	}
	s.set("MUSTER_ISE_PASSWORD", "another")
	if a := s.muster(t, "ise", "groups", "ls"); a.code != 1 || !strings.HasPrefix(a.stderr, "muster: unauthorized: ") {
		t.Errorf("exit %d: %s", a.code, a.stderr)
	}
}

// The password comes from the environment and stays there: no argument, no file and no child of muster's has it.
func TestISEPasswordIsNowhereElse(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Endpoints: 2000, Seed: 9, Latency: 300 * time.Millisecond})
	s := asks(t, i)
	_, password := i.Login()
	cmd := s.command(t.Context(), "ise", "endpoints", "ls", "-v", "--connections", "1", "-o", "ndjson")
	out := &console{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "ISE is asked", func() bool { return i.Counts().Requests > 0 })
	argv, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("interrupted: %v", err)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v to end", took)
	}
	for where, text := range map[string]string{"the arguments": string(argv), "the output": out.String()} {
		if strings.Contains(text, password) {
			t.Errorf("the password is in %s", where)
		}
	}
	found, err := exec.Command("grep", "-rlF", password, s.dir).Output()
	if len(found) > 0 {
		t.Errorf("the password is in %s (%v)", found, err)
	}
}

// ISE's devices are backed up like any others, also when ISE is away.
func TestISEDevicesAreAnInventoryThatOutlivesIt(t *testing.T) {
	t.Parallel()
	i := startISE(t, sim.ISEConfig{Devices: 12, Seed: 10})
	s := asks(t, i)
	settings := s.write(t, "muster.yaml", "inventory: [{type: ise}]\n")
	list := func() []string { return strings.Fields(s.ok(t, "--config", settings, "device", "ls", "-o", "list")) }
	there := list()
	if len(there) != 12 {
		t.Fatalf("got %v", there)
	}
	i.StopPrimary()
	a := s.withoutPassword(t, i, "--config", settings, "device", "ls", "-o", "list")
	if diff := cmp.Diff(there, strings.Fields(a.stdout)); diff != "" || !strings.Contains(a.stderr, "the 12 devices that it gave at") {
		t.Errorf("with ISE away: %s\n%s", diff, a.stderr)
	}
	kept, err := filepath.Glob(filepath.Join(s.data, "inventory", "ise-*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept: %v, %v", kept, err)
	}
	text, err := os.ReadFile(kept[0])
	if err != nil || strings.Contains(string(text), "haredSecret") || strings.Contains(string(text), "ommunity") {
		t.Errorf("what is kept has secrets of ISE's devices: %v", err)
	}
}
