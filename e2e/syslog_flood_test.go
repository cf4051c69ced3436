//go:build e2e && linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/musternet/muster/syslog/syslogtest"
)

// `muster syslog listen` under floods of messages that their sender numbers, as Cisco's do: what is lost shows in the numbers, and has
// to be what muster says it lost, to the message.

// sender sends from one socket and returns how much the kernel took.
type sender func(address string, f syslogtest.Flood) (sent int, err error)

// beside sends from where the test runs.
func beside(t *testing.T) sender {
	return func(address string, f syslogtest.Flood) (int, error) { return syslogtest.Send(t.Context(), address, f) }
}

// from sends in the network of the space.
func (w space) from(t *testing.T) sender {
	return func(address string, f syslogtest.Flood) (sent int, err error) {
		w.inside(t, func() error {
			sent, err = syslogtest.Send(t.Context(), address, f)
			return nil
		})
		return sent, err
	}
}

// reckoned is a flood that has been reckoned up.
type reckoned struct {
	heard
	sent int
}

// reckon waits until all sent messages are received or dropped, sends one more, which ends what may be missing, ends muster, and
// compares what it says with what was sent and with what is in the archive.
func reckon(t *testing.T, h *hearing, send sender, archive string, sent int) reckoned {
	t.Helper()
	all := func(n int) func(heard) bool { return func(c heard) bool { return c.Received+c.Dropped >= n } }
	h.await(t, 30*time.Second, fmt.Sprintf("all %d are received or dropped", sent), all(sent))
	if n, err := send(h.at["udp"], syslogtest.Flood{First: sent + 1, Count: 1}); n != 1 {
		t.Fatal(err)
	}
	sent++
	h.await(t, 10*time.Second, "the last one is received", all(sent))
	c := h.end(t)

	came := make([]bool, sent+1)
	last, count := 0, 0
	archived(t, archive, func(line []byte) {
		n, err := numberIn(line, `"counter":`)
		if err != nil || n < 1 || n > sent {
			t.Fatalf("message %d was never sent: %v", n, err)
		}
		if came[n] || n <= last {
			t.Fatalf("message %d is in the archive twice, or behind %d", n, last)
		}
		came[n], last = true, n
		count++
	})
	missing := sent - count
	if c.Received+c.Dropped != sent || c.Received != count || c.Dropped != missing || c.Gaps != missing || c.Archived != count || c.Lost != 0 {
		t.Errorf("%d sent, %d of them in the archive, %d missing there, and it says %+v", sent, count, missing, c)
	}
	return reckoned{c, sent}
}

// The machine has to reach the rate, and to be there for this alone, to show anything; what is reckoned up is exact however busy it
// is. The archive lies in memory: these are 165 MB a second, for which not every disk is good.
func TestSyslogOfOneSenderAt300000ASecondLosesNothing(t *testing.T) {
	const rate, seconds, tries = 300_000, 10, 3
	if free := availableMemory(t); free < 4<<30 {
		t.Skipf("%d MiB of memory are too little", free>>20)
	}
	fair := 0
	for range tries {
		s := newSite(t)
		archive, _ := onDiskOf(t, s, 8<<10) // of which an archive takes a quarter
		h := s.hear(t, nil, nil, "--udp", "127.0.0.1:0", "--archive", archive)
		ctx, cancel := context.WithTimeout(t.Context(), (seconds+2)*time.Second)
		goAhead(t, h.cmd.Process.Pid)
		others := busyOthers(t, h.cmd.Process.Pid)
		began := time.Now()
		sent, err := syslogtest.Send(ctx, h.at["udp"], syslogtest.Flood{Count: rate * seconds, Rate: rate})
		took := time.Since(began)
		busy := others()
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		r := reckon(t, h, beside(t), archive, sent)
		reached := float64(sent) / took.Seconds()
		t.Logf("%d sent in %v, %.0f/s; %d dropped, %d gaps; others used %.0f %% of the machine", r.sent, took.Round(time.Millisecond), reached, r.Dropped, r.Gaps, 100*busy)
		if err := os.RemoveAll(archive); err != nil {
			t.Fatal(err)
		}
		switch fast := reached >= 0.95*rate; {
		case t.Failed(), r.Dropped == 0 && fast:
			return
		case fast && busy < 0.1:
			fair++
		}
	}
	if fair == tries {
		t.Errorf("in each of %d tries something was lost on a machine that had nothing else to do", tries)
		return
	}
	t.Skipf("this machine is too slow or too busy to show that nothing is lost at %d/s; that was exact which was counted", rate)
}

// availableMemory is how many bytes the machine can still give.
func availableMemory(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(text), "MemAvailable:")
	var kib int
	if _, err := fmt.Sscanf(line, "%d kB", &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// goAhead puts the test and a process group before others who are busy, until the test ends, as far as the kernel lets them: by their
// priority, and by that of their session (autogroup, sched(7)).
func goAhead(t *testing.T, group int) {
	t.Helper()
	const session = "/proc/self/autogroup"
	set := func(own, all int) {
		_ = unix.Setpriority(unix.PRIO_PGRP, 0, own)
		_ = unix.Setpriority(unix.PRIO_PGRP, group, own)
		_ = os.WriteFile(session, strconv.AppendInt(nil, int64(all), 10), 0)
	}
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	if text, err := os.ReadFile(session); err == nil {
		_, nice, _ := strings.Cut(string(text), " nice ")
		all, _ = strconv.Atoi(strings.TrimSpace(nice))
	}
	set(-20, -20)
	t.Cleanup(func() { set(20-raw, all) }) // the system call gives what is the better the larger it is
}

// busyOthers measures what part of all processors others use than the test and one process, until the result is called.
func busyOthers(t *testing.T, pid int) func() float64 {
	t.Helper()
	ours, used, all := processorTime(t, pid)
	return func() float64 {
		ours2, used2, all2 := processorTime(t, pid)
		return max(0, (used2-used)-(ours2-ours)) / max(1, all2-all)
	}
}

// processorTime is what the test and a process have used of the processors, what everybody has, and what there was, in ticks of
// which a second has a hundred.
func processorTime(t *testing.T, pid int) (ours, used, all float64) {
	t.Helper()
	var self syscall.Rusage
	stat, err := os.ReadFile("/proc/stat")
	process, err2 := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err := errors.Join(err, err2, syscall.Getrusage(syscall.RUSAGE_SELF, &self)); err != nil {
		t.Fatal(err)
	}
	var user, nice, system, idle, iowait, irq, softirq, steal float64
	if _, err := fmt.Sscanf(string(stat), "cpu %g %g %g %g %g %g %g %g", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(process), ") ")
	var state string
	var ignored, utime, stime float64
	if _, err := fmt.Sscanf(rest, "%s %g %g %g %g %g %g %g %g %g %g %g %g", &state, &ignored, &ignored, &ignored, &ignored, &ignored, &ignored,
		&ignored, &ignored, &ignored, &ignored, &utime, &stime); err != nil {
		t.Fatal(err)
	}
	ours = utime + stime + float64(self.Utime.Nano()+self.Stime.Nano())/1e7
	used = user + nice + system + irq + softirq + steal
	return ours, used, used + idle + iowait
}

func TestSyslogOf5000BackToBackLosesNothing(t *testing.T) {
	const count = 5000
	near, there := twoSpaces(t, "")
	for name, c := range map[string]struct {
		listener *space
		address  string
		send     sender
	}{
		"over loopback": {nil, "127.0.0.1:0", beside(t)},
		"over a wire":   {&there, "198.19.0.2:0", near.from(t)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			archive := filepath.Join(s.dir, "log")
			h := s.hear(t, c.listener, nil, "--udp", c.address, "--archive", archive)
			began := time.Now()
			sent, err := c.send(h.at["udp"], syslogtest.Flood{Count: count})
			if sent != count {
				t.Fatal(err)
			}
			t.Logf("sent in %v", time.Since(began))
			if r := reckon(t, h, c.send, archive, sent); r.Dropped != 0 {
				t.Errorf("%d were dropped", r.Dropped)
			}
			found := lines[struct{ Counter int }](t, s.ok(t, "syslog", "search", "--archive", archive, "-o", "ndjson"))
			for i, one := range found {
				if one.Counter != i+1 {
					t.Fatalf("search finds message %d in place %d", one.Counter, i+1)
				}
			}
			if len(found) != count+1 {
				t.Errorf("search finds %d messages", len(found))
			}
		})
	}
}

func TestSyslogThatIsStarvedSaysExactlyWhatItLost(t *testing.T) {
	near, there := twoSpaces(t, "")
	for name, c := range map[string]struct {
		listener *space
		address  string
		send     sender
	}{
		"over loopback": {nil, "127.0.0.1:0", beside(t)},
		"over a wire":   {&there, "198.19.0.2:0", near.from(t)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			archive := filepath.Join(s.dir, "log")
			starve(t, s.hear(t, c.listener, nil, "--udp", c.address, "--archive", archive), c.send, archive)
		})
	}
	t.Run("in the small buffer that a user gets, who is told", func(t *testing.T) {
		cmd := unprivileged(t, newSite(t), "syslog", "listen", "-o", "ndjson", "--udp", "127.0.0.1:0", "--archive", "log")
		h := hear(t, cmd)
		starve(t, h, beside(t), filepath.Join(cmd.Dir, "log"))
		if !strings.Contains(h.stderr.String(), "net.core.rmem_max") {
			t.Error("not said what would allow a larger buffer")
		}
	})
}

// starve sends more than the buffers hold while muster does not run, in two parts with a moment of life in between.
func starve(t *testing.T, h *hearing, send sender, archive string) {
	t.Helper()
	const part = 400_000
	sent := 0
	for range 2 {
		h.signal(t, syscall.SIGSTOP)
		n, err := send(h.at["udp"], syslogtest.Flood{First: sent + 1, Count: part})
		h.signal(t, syscall.SIGCONT)
		if sent += n; n != part {
			t.Fatal(err)
		}
		h.await(t, 30*time.Second, "it has caught up", func(c heard) bool { return c.Received+c.Dropped >= sent })
	}
	r := reckon(t, h, send, archive, sent)
	t.Logf("%d sent, %d received, %d dropped", r.sent, r.Received, r.Dropped)
	if r.Dropped == 0 {
		t.Error("it was not starved")
	}
}
