package sim_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
)

// BenchmarkConversation is one whole backup of a device by a bare client, both ends in this process.
func BenchmarkConversation(b *testing.B) {
	f := start(b, sim.Config{ConfigBytes: 30_000, Recordings: []*platform.Recording{router()}})
	d := f.Devices()[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fetch(f, d); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWant is what rendering a configuration costs.
func BenchmarkWant(b *testing.B) {
	f := start(b, sim.Config{ConfigBytes: 30_000, Recordings: []*platform.Recording{router()}})
	b.ReportAllocs()
	for b.Loop() {
		f.Want("sim-0001")
	}
}

// BenchmarkIdle is what a device costs that nobody asks, and a session that waits at its prompt.
func BenchmarkIdle(b *testing.B) {
	const devices, sessions = 5000, 500
	for b.Loop() {
		before := resident(b)
		f := start(b, sim.Config{Devices: devices, ConfigBytes: 30_000, Recordings: []*platform.Recording{router()}})
		all := f.Devices()
		idle := resident(b)
		var terms []*terminal
		for _, d := range all[:sessions] {
			term, err := openTerminal(f, d, 24)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := term.until(d.Name + ">"); err != nil {
				b.Fatal(err)
			}
			terms = append(terms, term)
		}
		busy := resident(b)
		for _, term := range terms {
			term.close()
		}
		f.Close()
		b.ReportMetric(float64(idle-before)/devices, "B/device")
		b.ReportMetric(float64(busy-idle)/sessions, "B/session-both-ends")
	}
}

// resident is the memory of this process after a collection.
func resident(b *testing.B) int64 {
	b.Helper()
	runtime.GC()
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("this system has no /proc")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(status))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
