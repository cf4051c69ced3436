package ping_test

import (
	"context"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musternet/muster/ping"
	"golang.org/x/sys/unix"
)

// imposed is what a round trip takes at least. fping prints two decimals of milliseconds below 10 and one above.
const imposed = 9500 * time.Microsecond

// imposing answers every request imposed after it came, to a few microseconds: it does nothing but look, and takes a core.
func imposing(b *testing.B) {
	b.Helper()
	fd := openTun(b)
	done := make(chan struct{})
	var spinning sync.WaitGroup
	spinning.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer unix.Close(fd)
		spin(fd, done)
	})
	b.Cleanup(func() {
		close(done)
		spinning.Wait()
	})
}

func spin(fd int, done chan struct{}) {
	type reply struct {
		due   time.Time
		bytes []byte
	}
	var waiting []reply
	buf := make([]byte, 2048)
	for {
		if n, err := unix.Read(fd, buf); err == nil && isRequest(buf[:n]) {
			waiting = append(waiting, reply{time.Now().Add(imposed), replyOf(buf[:n])})
		}
		if len(waiting) > 0 && !time.Now().Before(waiting[0].due) {
			unix.Write(fd, waiting[0].bytes)
			waiting = waiting[1:]
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// BenchmarkErrorOfTheRoundTrip reports by how much the round trips of a steady loop, a sweep and fping exceed what is imposed on
// them, at the median and for nine in ten, in microseconds.
func BenchmarkErrorOfTheRoundTrip(b *testing.B) {
	inNamespace(b, "")
	imposing(b)
	for b.Loop() {
		reportErrors(b, "steady", steadyTrips(b))
		reportErrors(b, "sweep", sweepTrips(b))
		reportErrors(b, "fping", fpingTrips(b))
	}
}

func reportErrors(b *testing.B, name string, trips []time.Duration) {
	if len(trips) < 500 {
		b.Logf("%s: %d round trips are too few", name, len(trips))
		return
	}
	slices.Sort(trips)
	for p, at := range map[string]int{"p50": len(trips) / 2, "p90": len(trips) * 9 / 10} {
		b.ReportMetric(float64(trips[at]-imposed)/1e3, name+"-"+p+"-us")
	}
}

func steadyTrips(b *testing.B) (trips []time.Duration) {
	var plan ping.Plan
	for addr := range count("198.18.0.0", 250) {
		if err := plan.Set(ping.Target{Key: addr.String(), Addr: addr, Interval: time.Second}); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(b.Context(), 4*time.Second)
	defer cancel()
	for p, err := range ping.Steady(ctx, &plan, ping.Config{}) {
		if err == nil {
			trips = append(trips, p.RTT)
		}
	}
	return trips
}

func sweepTrips(b *testing.B) (trips []time.Duration) {
	for r, err := range ping.Sweep(b.Context(), count("198.18.0.0", 1000), ping.Config{Rate: 250}) {
		if err != nil {
			b.Error(err)
		}
		trips = append(trips, r.RTT)
	}
	return trips
}

func fpingTrips(b *testing.B) (trips []time.Duration) {
	command, err := exec.LookPath("fping")
	if err != nil {
		return nil
	}
	out, _ := exec.Command(command, "-C", "4", "-q", "-i", "4", "-p", "1000", "-g", "198.18.0.1", "198.18.0.250").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		_, after, _ := strings.Cut(line, " : ")
		for field := range strings.FieldsSeq(after) {
			if ms, err := strconv.ParseFloat(field, 64); err == nil {
				trips = append(trips, time.Duration(ms*float64(time.Millisecond)))
			}
		}
	}
	return trips
}
