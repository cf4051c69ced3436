package logfile_test

import (
	"fmt"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
)

// lines500 are lines of about 500 bytes.
func lines500(b *testing.B, n int) (all [][]byte) {
	for i := range n {
		l := line(i)
		l.Device, l.Host = fmt.Sprintf("switch-%d.example.net", i%1000), fmt.Sprintf("switch-%d", i%1000)
		l.Flags, l.Host = nil, "a-host-name-that-makes-the-line-about-500-bytes-long.example.net"
		all = append(all, encode(b, l))
	}
	return all
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppend is one goroutine that appends as fast as it can while lines are written and synced, and compressed when there
// is time: bytes a second are those of the disk.
func BenchmarkAppend(b *testing.B) {
	a, stop := run(b, b.TempDir(), logfile.Options{MaxBytes: 8 << 30})
	lines := lines500(b, 10_000)
	b.SetBytes(int64(len(lines[0])))
	begun, i := cpu(), 0
	for b.Loop() {
		if err := a.Append(b.Context(), lines[i%len(lines)], at); err != nil {
			b.Fatal(err)
		}
		i++
	}
	flush(b, a)
	b.ReportMetric(float64(cpu()-begun)/float64(i), "cpu-ns/line")
	if c := a.Counts(); c.Lost > 0 {
		b.Errorf("%d lines were lost", c.Lost)
	}
	stop()
}

// BenchmarkAppendSteady is 300,000 lines a second for three seconds; the time is of no interest.
func BenchmarkAppendSteady(b *testing.B) {
	const rate, seconds, burst = 300_000, 3, 300
	lines := lines500(b, 10_000)
	for b.Loop() {
		a, stop := run(b, b.TempDir(), logfile.Options{MaxBytes: 8 << 30})
		begun, used, worst := time.Now(), cpu(), time.Duration(0)
		for n := 0; n < rate*seconds; n += burst {
			time.Sleep(time.Until(begun.Add(time.Duration(n) * time.Second / rate)))
			before := time.Now()
			for i := range burst {
				if err := a.Append(b.Context(), lines[(n+i)%len(lines)], at); err != nil {
					b.Fatal(err)
				}
			}
			worst = max(worst, time.Since(before))
		}
		flush(b, a)
		took := time.Since(begun)
		b.ReportMetric(float64(cpu()-used)/rate/seconds, "cpu-ns/line")
		b.ReportMetric(float64(worst.Microseconds()), "worst-us/300-lines")
		b.ReportMetric(rate*seconds/took.Seconds(), "lines/s")
		if c := a.Counts(); c.Lost > 0 {
			b.Errorf("%d lines were lost", c.Lost)
		}
		stop()
	}
}

// BenchmarkAppendMemory is what Append itself costs: the disk has no part in it. BenchmarkCopy is the least that it could cost.
func BenchmarkAppendMemory(b *testing.B) {
	a := open(b, b.TempDir(), logfile.Options{})
	lines := lines500(b, 10_000)
	b.SetBytes(int64(len(lines[0])))
	i, begun := 0, cpu()
	for ; b.Loop(); i++ {
		if i%50_000 == 0 {
			b.StopTimer()
			before := cpu()
			if err := a.Commit(); err != nil {
				b.Fatal(err)
			}
			begun += cpu() - before
			b.StartTimer()
		}
		if err := a.Append(b.Context(), lines[i%len(lines)], at); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-begun)/float64(i), "cpu-ns/line")
}

func BenchmarkCopy(b *testing.B) {
	lines := lines500(b, 10_000)
	b.SetBytes(int64(len(lines[0])))
	memory, i, begun := make([]byte, 0, 24<<20), 0, cpu()
	for ; b.Loop(); i++ {
		if len(memory)+1024 > cap(memory) {
			memory = memory[:0]
		}
		memory = append(memory, lines[i%len(lines)]...)
	}
	b.ReportMetric(float64(cpu()-begun)/float64(i), "cpu-ns/line")
}

// BenchmarkDecode is one line.
func BenchmarkDecode(b *testing.B) {
	text := lines500(b, 1)[0]
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := logfile.Decode(text[:len(text)-1]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSearch looks through 400,000 lines; bytes are those of the text.
func BenchmarkSearch(b *testing.B) {
	for _, form := range []string{"plain", "packed"} {
		dir, size := b.TempDir(), 0
		a := open(b, dir, logfile.Options{})
		for i, l := range lines500(b, 400_000) {
			size += len(l)
			if err := a.Append(b.Context(), l, at); err != nil {
				b.Fatal(err)
			}
			if i%50_000 == 0 {
				if err := a.Commit(); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := a.Commit(); err != nil {
			b.Fatal(err)
		}
		if form == "packed" {
			if err := a.Turn(); err != nil {
				b.Fatal(err)
			}
			tidy(b, a)
		}
		for name, q := range map[string]store.LogQuery{
			"device":      {Devices: []string{"switch-777.example.net"}},
			"text":        {Text: "Changed state to SIDEWAYS"},
			"regexp":      {Match: regexp.MustCompile(`changed state to (left|right)`)},
			"severity":    {Severity: "emergency", Mnemonic: "SYS-*"},
			"last ten":    {Newest: true, Limit: 10},
			"everything":  {},
			"no literal":  {Match: regexp.MustCompile(`\d{30}`)},
			"other times": {Until: at.Add(-1)},
		} {
			b.Run(form+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(size))
				begun, n := cpu(), 0
				for ; b.Loop(); n++ {
					search(b, dir, q)
				}
				b.ReportMetric(float64(n*size)/1e6/(cpu()-begun).Seconds(), "MB/cpu-s")
			})
		}
	}
}
