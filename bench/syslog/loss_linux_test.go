package syslog_test

import (
	"fmt"
	"testing"
)

// BenchmarkLoss reports what each loses, without rules, of 300,000 messages a second from one sender for ten seconds, of half as many,
// and of 5,000 messages back to back; and how many a second there were in fact.
func BenchmarkLoss(b *testing.B) {
	build(b)
	for _, c := range []struct {
		name        string
		count, rate int
	}{
		{"300000ASecond", 3_000_000, 300_000},
		{"100000ASecond", 1_000_000, 100_000},
		{"BurstOf5000", 5000, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			loopback(b)
			all := figures{}
			for b.Loop() {
				for _, p := range peers[:3] {
					o := p.take(b, load{Address: fmt.Sprintf("127.0.0.1:%d", port), Form: "Cisco", Count: c.count, Rate: c.rate}, nil)
					all.add(p.name, float64(c.count-o.lines))
					all.add("sent", float64(c.count)/o.sent.Took.Seconds())
				}
			}
			for _, p := range peers[:3] {
				b.ReportMetric(all.median(p.name), p.name+"-lost")
			}
			b.ReportMetric(all.median("sent"), "sent/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
