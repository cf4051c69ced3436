//go:build e2e && linux

package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// A host at .0 is a host, and not its /24.
func TestInitByScanLogsInToNobodyWhomItDidNotFind(t *testing.T) {
	w, there := twoSpaces(t, `ip route add local 198.18.5.0/24 dev lo
nft add table ip count
nft add chain ip count in '{ type filter hook prerouting priority 0; }'
nft add rule ip count in ip daddr 198.18.5.0/24 ip daddr != 198.18.5.0/30 counter drop
`)
	there.serve(t, 22, named)
	s := newSite(t).set("MUSTER_USERNAME", "admin").set("MUSTER_PASSWORD", the.sec.wrong)
	a := w.ask(t, s, "init", "--scan", "198.18.5.0/30")
	if a.code == 0 {
		t.Errorf("exit 0 without any login:\n%s%s", a.stdout, a.stderr)
	}
	counted, _ := there.run(t, exec.Command("nft", "list", "table", "ip", "count"))
	if !strings.Contains(counted.stdout, "packets 0 bytes 0") {
		t.Errorf("others were asked: %s\n%s%s", counted.stdout, a.stdout, a.stderr)
	}
}

// What a scan lists is a list of targets, also where a host has the address of a network.
func TestScanReadsWhatItListed(t *testing.T) {
	w := newSpace(t, "")
	s := newSite(t)
	found := w.ask(t, s, "scan", "127.1.0.0/30", "-o", "list").stdout
	if r := w.scan(t, s, "-f", s.write(t, "found", found)); r.sum.Targets != 4 {
		t.Errorf("%d targets, want 4:\n%s", r.sum.Targets, found)
	}
}

func TestScanRefusesMoreRetriesThanAnybodyWaitsFor(t *testing.T) {
	w := newSpace(t, "")
	w.ask(t, newSite(t), "scan", "127.1.0.1", "--retries", "1000").complaint(t, 2, "retries")
}

// Also where the output has no place for a summary.
func TestScanSaysInEveryFormatThatRepliesAreLost(t *testing.T) {
	w, _ := inBursts(t, func(int64) int { return 64 })
	s := newSite(t)
	for _, format := range []string{"list", "csv"} {
		a := w.ask(t, s, "scan", "198.18.0.0/22", "--rate", "0", "--timeout", "300ms", "--retries", "0", "--buffer", "1", "-o", format)
		if a.code != 1 || !strings.Contains(a.stderr, "replies were lost") {
			t.Errorf("-o %s: exit %d, not said:\n%s", format, a.code, a.stderr)
		}
	}
}
