// Package syslog_test measures the program `muster serve`, which receives syslog, beside Debian's rsyslog and syslog-ng, which do the same work with
// the same messages, and where in it the time goes, in a network that the benchmark made. It needs Linux and root.
package syslog_test

import (
	"fmt"
	"slices"
	"testing"
)

const (
	cpuCount = 300_000
	cpuRate  = 50_000 // over UDP: all can do it without rules
	slowFor  = 4      // seconds of messages for who is slow
)

// BenchmarkCPU reports the CPU time of a million messages of each, with 1,000 rules and without any, what muster takes in comparison,
// and how many were lost.
func BenchmarkCPU(b *testing.B) {
	build(b)
	for _, tcp := range []bool{false, true} {
		for _, form := range []string{"plain", "Cisco"} {
			name := "UDP" + form
			if tcp {
				name = "TCP" + form
			}
			b.Run(name, func(b *testing.B) {
				loopback(b)
				measureCPU(b, load{TCP: tcp, Address: fmt.Sprintf("127.0.0.1:%d", port), Form: form})
			})
		}
	}
}

func measureCPU(b *testing.B, l load) {
	all := figures{}
	var names []string
	for b.Loop() {
		names = names[:0]
		for _, p := range peers {
			if p.name == "syslog-ng-cisco-parser" && l.Form != "Cisco" {
				continue
			}
			for name, rules := range map[string][]string{p.name: ruleTexts(), p.name + "-without-rules": nil} {
				l.Count, l.Rate = cpuCount, cpuRate
				if l.TCP {
					l.Rate = 0
				}
				if len(rules) > 0 && p.slow > 0 {
					l.Count, l.Rate = p.slow*slowFor, p.slow
				}
				o := p.take(b, l, rules)
				all.add(name, o.cpu.Seconds()/float64(o.lines)*1e6)
				all.add(name+"-lost", float64(l.Count-o.lines))
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b.ReportMetric(all.median(name), name+"-cpu-s/million")
		b.ReportMetric(all.median(name+"-lost"), name+"-lost")
	}
	b.ReportMetric(0, "ns/op") // says nothing of its own
}
