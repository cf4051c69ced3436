//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// revision is one entry of `history -o json`.
type revision struct {
	Revision string `json:"revision"`
	Time     string `json:"time"`
	Author   string `json:"author"`
	Trigger  string `json:"trigger"`
	Added    int    `json:"added"`
	Removed  int    `json:"removed"`
}

// history reads the revisions of a device, newest first.
func (s *site) history(t *testing.T, device, list string) []revision {
	t.Helper()
	text := s.ok(t, "history", device, "-i", list, "-o", "json")
	var doc struct{ Results []revision }
	var bare []revision
	if json.Unmarshal([]byte(text), &bare) == nil {
		return bare
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return doc.Results
}

// describe changes one line of a router, as an operator would.
func (n *node) describe(t *testing.T, text string) {
	t.Helper()
	if _, err := n.output("vtysh", "-c", "configure terminal", "-c", "interface eth0", "-c", "description "+text); err != nil {
		t.Fatal(err)
	}
}

// changed is a site in which one line of r2 was changed between two backups of r1 and r2.
func changed(t *testing.T) (s *site, list, before, after string) {
	t.Helper()
	s = newSite(t)
	list = s.inventory(t, of("r1"), of("r2"))
	n := the.nodes["r2"]
	n.describe(t, "uplink to r1")
	s.ok(t, "backup", "-i", list, "-q")
	before = s.ok(t, "show", "r2", "-i", list)
	n.describe(t, "uplink to r1, 10G")
	got := outcomes(t, s.ok(t, "backup", "-i", list, "-o", "ndjson"))
	if o := got["r2"]; o.Status != "changed" || o.Added != 1 || o.Removed != 1 {
		t.Errorf("r2: %s +%d -%d, want changed +1 -1", o.word(), o.Added, o.Removed)
	}
	if o := got["r1"]; o.Status != "unchanged" {
		t.Errorf("r1: %s, want unchanged", o.word())
	}
	return s, list, before, s.ok(t, "show", "r2", "-i", list)
}

func TestAChangedLineIsSeenAndNothingElse(t *testing.T) {
	s, list, before, after := changed(t)
	if want := strings.Replace(before, "description uplink to r1\n", "description uplink to r1, 10G\n", 1); after != want {
		t.Fatalf("stored after the change:\n%s", after)
	}
	diff := s.ok(t, "diff", "r2", "-i", list)
	var moved []string
	for line := range strings.Lines(diff) {
		if (line[0] == '+' || line[0] == '-') && !strings.HasPrefix(line, "+++") && !strings.HasPrefix(line, "---") {
			moved = append(moved, strings.TrimRight(line, "\n"))
		}
	}
	if want := []string{"- description uplink to r1", "+ description uplink to r1, 10G"}; !slices.Equal(moved, want) {
		t.Errorf("diff says %q, want %q", moved, want)
	}
	if !strings.Contains(diff, "interface eth0") {
		t.Errorf("diff does not say in which section:\n%s", diff)
	}
}

func TestEveryRevisionCanBeShown(t *testing.T) {
	s, list, before, after := changed(t)
	revs := s.history(t, "r2", list)
	if len(revs) != 2 {
		t.Fatalf("history of r2: %+v", revs)
	}
	if got := s.ok(t, "show", "r2@"+revs[0].Revision, "-i", list); got != after {
		t.Error("the newest revision is not what was stored last")
	}
	if got := s.ok(t, "show", "r2@"+revs[1].Revision, "-i", list); got != before {
		t.Error("the older revision is not what was stored first")
	}
	if revs[0].Added != 1 || revs[0].Removed != 1 {
		t.Errorf("history counts %+v", revs[0])
	}
}

func TestGitItselfAgreesWithHistoryAndShow(t *testing.T) {
	s, list, before, after := changed(t)
	if out := s.git(t, "fsck", "--full", "--strict"); strings.TrimSpace(out) != "" {
		t.Errorf("git fsck: %s", out)
	}
	var ours []string
	for _, r := range s.history(t, "r2", list) {
		ours = append(ours, r.Revision)
	}
	path := s.pathOf(t, "HEAD", "r2")
	theirs := strings.Fields(s.git(t, "log", "--format=%H", "--", path))
	if len(theirs) != len(ours) {
		t.Fatalf("git log has %q, history %q", theirs, ours)
	}
	for i := range ours {
		if !strings.HasPrefix(theirs[i], ours[i]) && !strings.HasPrefix(ours[i], theirs[i]) {
			t.Errorf("revision %d is %s in git and %s in history", i, theirs[i], ours[i])
		}
	}
	if got := s.git(t, "show", theirs[0]+":"+path); got != after {
		t.Error("git show of the newest differs from muster show")
	}
	if got := s.git(t, "show", theirs[1]+":"+path); got != before {
		t.Error("git show of the older differs from muster show")
	}
	message := s.git(t, "log", "-1", "--format=%B", theirs[0])
	for _, trailer := range []string{"Muster-Run: ", "Muster-Device: r2", "Muster-Trigger: "} {
		if !strings.Contains(message, trailer) {
			t.Errorf("no trailer %q in %q", trailer, message)
		}
	}
	the.sec.mustNotBeIn(t, "git log", s.git(t, "log", "--all", "--format=fuller"), false)
}
