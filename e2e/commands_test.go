//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// reply is one line of `run -o ndjson`.
type reply struct {
	Device     string `json:"device"`
	Command    string `json:"command"`
	Output     string `json:"output"`
	ExitStatus *int   `json:"exit_status"`
	Stage      string `json:"stage"`
	Code       string `json:"code"`
}

func TestRunPrintsWhatTheDeviceSays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := s.inventory(t, of("r1"), of("r2"), of("b1"))
	out := s.ok(t, "run", "r1", "r2", "-i", list, "-o", "ndjson", "--", "show ip prefix-list")
	got := map[string]reply{}
	for _, r := range lines[reply](t, out) {
		got[r.Device] = r
	}
	for _, name := range []string{"r1", "r2"} {
		want, err := the.nodes[name].output("runuser", "-u", "admin", "--", "vtysh", "-c", "show ip prefix-list")
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(got[name].Output) != strings.TrimSpace(want) {
			t.Errorf("%s: %d bytes, its own tool prints %d", name, len(got[name].Output), len(want))
		}
	}
	if out := s.ok(t, "run", "b1", "-i", list, "-o", "ndjson", "--", "/usr/sbin/birdc show status"); !strings.Contains(out, "Router ID is 198.19.173.13") {
		t.Errorf("b1 says %s", out)
	}
	if a := s.muster(t, "run", "-i", list, "--", "show version"); a.code != 2 {
		t.Errorf("run without a selector: exit %d, want 2", a.code)
	}
}

func TestACommandThatTheDeviceRejectsIsAFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.muster(t, "run", "r1", "-i", s.inventory(t, of("r1")), "-o", "ndjson", "--", "show nonsense")
	got := lines[reply](t, a.stdout)
	if a.code != 1 || len(got) != 1 || got[0].Code != "command-rejected" {
		t.Errorf("exit %d, %+v", a.code, got)
	}
}

func TestGrepStatusAndSelectorsOverRealDevices(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bad := of("srv1")
	bad.name, bad.password = "bad", the.sec.wrong
	list := s.inventory(t, of("r1"), of("b1"), bad)
	if a := s.muster(t, "backup", "-i", list, "-q"); a.code != 1 {
		t.Fatalf("exit %d\n%s", a.code, a.stderr)
	}
	type match struct {
		Device, Text string
		Section      []string
	}
	found := lines[match](t, s.ok(t, "grep", "blackhole", "-i", list, "-o", "ndjson"))
	if len(found) != 21 { // 20 routes of r1, one of b1
		t.Errorf("%d matches, want 21", len(found))
	}
	if a := s.muster(t, "grep", "no such line anywhere", "-i", list); a.code != 3 && a.code != 1 {
		t.Errorf("grep without a match: exit %d", a.code)
	}
	if a := s.muster(t, "status", "-i", list); a.code != 1 {
		t.Errorf("status with a device that has no backup: exit %d, want 1", a.code)
	}
	s.ok(t, "status", "r1", "b1", "-i", list)
	if a := s.muster(t, "backup", "@failed", "-i", list, "-o", "ndjson"); len(outcomes(t, a.stdout)) != 1 || outcomes(t, a.stdout)["bad"].Status != "failed" {
		t.Errorf("@failed is not the one that failed: %s", a.stdout)
	}
	if a := s.muster(t, "backup", "nothing-*", "-i", list); a.code != 3 {
		t.Errorf("a selector without a device: exit %d, want 3", a.code)
	}
	if got := s.ok(t, "device", "ls", "-i", list, "-o", "list"); got != "r1\nb1\nbad\n" {
		t.Errorf("device ls: %q", got)
	}
}

func TestChangesAreEveryDiffSince(t *testing.T) {
	s, list, _, _ := changed(t)
	out := s.ok(t, "changes", "-i", list)
	if !strings.Contains(out, "r2") || !strings.Contains(out, "+ description uplink to r1, 10G") || strings.Contains(out, "--- r1 ") {
		t.Errorf("changes:\n%s", out)
	}
}

func TestTwoDevicesAreCompared(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := s.identity(t).inventory(t, of("keys"), of("kbd"))
	s.ok(t, "backup", "-i", list, "-q")
	out := s.ok(t, "diff", "keys", "--with", "kbd", "-i", list)
	for _, line := range []string{"-hostname keys", "+hostname kbd"} {
		if !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
}

func TestJSONIsOneDocument(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := s.inventory(t, of("r1"), of("b1"))
	var doc struct {
		Results []outcome
		Summary map[string]any
	}
	if err := json.Unmarshal([]byte(s.ok(t, "backup", "-i", list, "-o", "json")), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Results) != 2 || doc.Results[0].Device != "r1" || doc.Results[1].Device != "b1" {
		t.Errorf("results are not in the order of the input: %+v", doc.Results)
	}
	for _, field := range []string{"total", "new", "changed", "unchanged", "failed", "duration_ms", "run"} {
		if _, there := doc.Summary[field]; !there {
			t.Errorf("the summary has no %s", field)
		}
	}
}
