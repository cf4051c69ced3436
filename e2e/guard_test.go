//go:build e2e && linux

package e2e

import (
	"fmt"
	"testing"
)

func TestAWrongPasswordReachesAtMostFiveDevices(t *testing.T) {
	s := newSite(t)
	var rows []row
	for _, name := range []string{"r1", "r2", "b1", "srv1", "kbd", "rekey", "old1", "old2", "oldcipher", "oldkey"} {
		r := of(name)
		r.password, r.legacy = the.sec.wrong, true
		rows = append(rows, r)
	}
	before := loginsRefused(t)
	a := s.muster(t, "backup", "-i", s.inventory(t, rows...), "-o", "ndjson", "--limit", "50")
	saw := 0
	for name, count := range loginsRefused(t) {
		if count > before[name] {
			saw++
		}
	}
	if saw == 0 || saw > 5 {
		t.Errorf("%d devices saw the wrong password, want 1 to 5", saw)
	}
	words := map[string]int{}
	for _, o := range outcomes(t, a.stdout) {
		words[o.word()]++
	}
	if words["auth auth-rejected"] != saw || words["auth locked-out"] != len(rows)-saw {
		t.Errorf("outcomes %v, want %d auth-rejected and the rest locked-out", words, saw)
	}
	if a.code != 1 {
		t.Errorf("exit %d, want 1", a.code)
	}
}

func TestOneRightPasswordDisarmsTheGuard(t *testing.T) {
	s := newSite(t).set("MUSTER_USERNAME", "admin").set("MUSTER_PASSWORD", the.sec.password)
	var rows []row
	for i := range 8 { // one device that accepts it among eight that do not: bastions know no admin
		r := of("bastion")
		r.name, r.user, r.password, r.want = fmt.Sprintf("not-mine-%d", i), "", "", "auth auth-rejected"
		rows = append(rows, r)
		if i == 2 {
			mine := of("r2")
			mine.user, mine.password = "", ""
			rows = append(rows, mine)
		}
	}
	s.expect(t, rows, 1, "backup", "-i", s.inventory(t, rows...), "-o", "ndjson", "--limit", "1")
}

// loginsRefused counts, by node, the logins that its server has refused so far.
func loginsRefused(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for name, n := range the.nodes {
		count, err := n.failedLogins()
		if err != nil {
			t.Fatal(err)
		}
		counts[name] = count
	}
	return counts
}
