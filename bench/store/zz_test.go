package store_test

import (
	"fmt"
	"os"
	"runtime/pprof"
	"testing"
)

func BenchmarkZZ(b *testing.B) {
	groups := 100
	if os.Getenv("G") != "" {
		groups = 1
	}
	devices := makeFleet(groups)
	dir := b.TempDir()
	s := open(b, dir)
	defer s.Close()
	keep(b, s, "run0", devices)
	git(b, "--git-dir="+dir+"/configs.git", "repack", "-adq")
	f, _ := os.Create("/tmp/loop.prof")
	var o spent
	first := true
	for round := uint64(1); b.Loop(); round++ {
		next := changed(devices, round)
		if first {
			pprof.StartCPUProfile(f)
			first = false
		}
		st := now()
		keep(b, s, fmt.Sprintf("run%d", round), next)
		o = o.plus(st.since())
		devices = next
	}
	pprof.StopCPUProfile()
	b.ReportMetric(o.wall.Seconds()/float64(b.N), "wall-s")
	b.ReportMetric(o.cpu.Seconds()/float64(b.N), "cpu-s")
	ls, _ := os.ReadDir(dir + "/configs.git/objects/pack")
	for _, e := range ls {
		i, _ := e.Info()
		fmt.Println(e.Name()[:9], i.Size(), e.Name()[len(e.Name())-4:])
	}
}
