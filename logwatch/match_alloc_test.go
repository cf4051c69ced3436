//go:build !race

package logwatch_test

import (
	"testing"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

// TestAMatchAllocatesNothing is not for the race detector, under which package regexp throws away some of what it uses again. It
// is not parallel: allocations of other tests would count.
func TestAMatchAllocatesNothing(t *testing.T) {
	set := compiled(t, append(manyRules(1000),
		logwatch.Rule{Name: "severity", Severity: severity(syslog.Notice)},
		logwatch.Rule{Name: "mnemonic", Mnemonics: []string{"*-UPDOWN", "SYS-5-CONFIG_I"}},
		logwatch.Rule{Name: "app", Apps: []string{"ssh*", "bgpd"}, Text: "neighbor"},
		logwatch.Rule{Name: "device", Text: "neighbor", Select: inCore})...)
	filter, err := logwatch.NewFilter(manyRules(1000), logwatch.Noise())
	if err != nil {
		t.Fatal(err)
	}
	noise, err := logwatch.CompileNoise(logwatch.Noise())
	if err != nil {
		t.Fatal(err)
	}
	all, core := messages(), &muster.Device{Group: "core"}
	all[0].Text = []byte("denied tcp 203.0.113.506(51234) -> 198.51.100.4(445), 1 packet")
	all[1] = said("", "sshd", "fatal: Read from socket failed: Connection reset by peer [preauth]")
	hits := make([]int, 0, 64)
	matched := 0
	allocs := testing.AllocsPerRun(100, func() {
		for i := range all {
			hits = set.Match(hits[:0], &all[i], core)
			matched += len(hits)
			hits, _ = filter.Match(hits[:0], &all[i], core)
			matched += len(hits)
			noise.Find(&all[i], core)
		}
	})
	if allocs != 0 || matched == 0 {
		t.Errorf("%v allocations for %d messages, %d hits", allocs, len(all), matched)
	}
}
