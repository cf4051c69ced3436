//go:build e2e && linux

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster/syslog/syslogtest"
)

const (
	syslogKills    = 8
	syslogKillSeed = 17
)

// A listener is killed at a random moment of a flood, again and again over the same archive, each time right after it has said how
// much is archived.
func TestSyslogKilledAtFullRateLosesNothingThatItCalledArchived(t *testing.T) {
	s := newSite(t)
	archive := filepath.Join(s.dir, "log")
	chance := rand.New(rand.NewPCG(syslogKillSeed, 0))
	var before []string
	next, acknowledged, torn := 1, 0, 0
	for round := range syslogKills {
		h := s.hear(t, nil, nil, "--udp", "127.0.0.1:0", "--archive", archive)
		ctx, silence := context.WithCancel(t.Context())
		defer silence()
		over := make(chan int, 1)
		go func() {
			n, _ := syslogtest.Send(ctx, h.at["udp"], syslogtest.Flood{First: next, Count: 1 << 30})
			over <- n
		}()
		var said heard
		for end := time.Now().Add(time.Duration(300+chance.IntN(900)) * time.Millisecond); time.Now().Before(end) || said.Archived == 0; {
			said = h.counts(t)
		}
		h.kill()
		silence()
		sent := <-over
		all := segments(t, archive)
		kept, whole := keptOf(t, slices.DeleteFunc(slices.Clone(all), func(path string) bool { return slices.Contains(before, baseOfSegment(path)) }), next)
		if kept < said.Archived {
			t.Errorf("round %d of seed %d: %d were called archived, %d are there", round, syslogKillSeed, said.Archived, kept)
		}
		if !whole {
			torn++
		}
		last := s.ok(t, "syslog", "search", "--archive", archive, "--newest", "--limit", "1", "-o", "ndjson")
		if n, err := numberIn([]byte(last), `"counter":`); err != nil || n < next {
			t.Errorf("round %d: the last message that search finds is %d: %v", round, n, err)
		}
		before = before[:0]
		for _, path := range all {
			before = append(before, baseOfSegment(path))
		}
		next += sent
		acknowledged += kept
	}
	h := s.hear(t, nil, nil, "--udp", "127.0.0.1:0", "--archive", archive)
	h.end(t)
	count, last := 0, 0
	archived(t, archive, func(line []byte) {
		n, err := numberIn(line, `"counter":`)
		if err != nil || n <= last || !json.Valid(line) {
			t.Fatalf("message %d behind %d: %v: %s", n, last, err, line)
		}
		count, last = count+1, n
	})
	t.Logf("%d kills, %d lines were there after them, %d of them torn", syslogKills, acknowledged, torn)
	if count != acknowledged {
		t.Errorf("%d lines were there after the kills, %d are there now", acknowledged, count)
	}
}

// baseOfSegment names a segment whether it is compressed or not.
func baseOfSegment(path string) string {
	base, _, _ := strings.Cut(filepath.Base(path), ".")
	return base
}

// keptOf counts the lines of segments, which are in their order from the first one on. The kill may have torn the last one.
func keptOf(t *testing.T, paths []string, first int) (count int, whole bool) {
	t.Helper()
	whole = true
	for i, path := range paths {
		linesOf(t, path, func(line []byte) {
			if !bytes.HasSuffix(line, []byte("\n")) && i == len(paths)-1 {
				whole = false
				return
			}
			n, err := numberIn(line, `"counter":`)
			if err != nil || n < first || !json.Valid(line) {
				t.Fatalf("%s: message %d behind %d: %v: %q", filepath.Base(path), n, first, err, line)
			}
			first = n + 1
			count++
		})
	}
	return count, whole
}

// onDiskOf mounts a file system of so many megabytes, in memory, and returns where an archive is to lie on it, and what fills it.
func onDiskOf(t *testing.T, s *site, megabytes int) (archive, filler string) {
	t.Helper()
	disk := filepath.Join(s.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=700", megabytes)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	return filepath.Join(disk, "log"), filepath.Join(disk, "filler")
}

// What waits in memory for the disk is 64 MiB at most, some 130,000 of these messages.
func TestSyslogOnAFullDiskSaysSoCountsAndRecovers(t *testing.T) {
	const rate, few, many = 50_000, 2000, 200_000
	s := newSite(t)
	archive, filler := onDiskOf(t, s, 400)
	h := s.hear(t, nil, nil, "--udp", "127.0.0.1:0", "--archive", archive)
	sent := 0
	send := func(count int) {
		t.Helper()
		n, err := syslogtest.Send(t.Context(), h.at["udp"], syslogtest.Flood{First: sent + 1, Count: count, Rate: rate})
		if sent += n; n != count {
			t.Fatal(err)
		}
		h.await(t, 30*time.Second, "all are received", func(c heard) bool { return c.Received+c.Dropped >= sent })
	}
	send(few)
	h.await(t, 5*time.Second, "the first are archived", func(c heard) bool { return c.Archived == c.Received })
	fill(t, filler)
	before := len(h.stderr.String())
	send(few)
	within(t, 10*time.Second, "it says that the disk is full", func() bool { return strings.Contains(h.stderr.String()[before:], "space") })
	send(many)
	c := h.await(t, 10*time.Second, "lines are counted as lost", func(c heard) bool { return c.Lost > 0 })
	if c.Archived > 2*few {
		t.Errorf("on a full disk: %+v", c)
	}
	within(t, 10*time.Second, "it says that lines are lost", func() bool { return strings.Contains(h.stderr.String()[before:], "lost") })
	time.Sleep(500 * time.Millisecond)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	h.await(t, 30*time.Second, "what waited is archived", func(c heard) bool { return c.Archived+c.Lost == c.Received })
	send(few)
	c = h.end(t)
	t.Logf("%d sent, %+v", sent, c)
	if c.Received != sent-c.Dropped || c.Received != c.Archived+c.Lost || c.Lost == 0 || c.Lost > many {
		t.Errorf("%d sent: %+v", sent, c)
	}
	count, last := 0, 0
	archived(t, archive, func(line []byte) {
		n, err := numberIn(line, `"counter":`)
		if err != nil || n <= last || !json.Valid(line) {
			t.Fatalf("message %d behind %d: %v: %s", n, last, err, line)
		}
		count, last = count+1, n
	})
	if count != c.Archived || last != sent {
		t.Errorf("%d lines are there, the last one is %d of %d: %+v", count, last, sent, c)
	}
}

func TestSyslogThatEndsOnAFullDiskSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	const few = 1000
	s := newSite(t)
	archive, filler := onDiskOf(t, s, 8)
	h := s.hear(t, nil, nil, "--udp", "127.0.0.1:0", "--archive", archive)
	send := func(first int) {
		t.Helper()
		if n, err := syslogtest.Send(t.Context(), h.at["udp"], syslogtest.Flood{First: first, Count: few}); n != few {
			t.Fatal(err)
		}
	}
	send(1)
	h.await(t, 10*time.Second, "the first are archived", func(c heard) bool { return c.Archived == few })
	fill(t, filler)
	send(few + 1)
	h.await(t, 10*time.Second, "the others are received", func(c heard) bool { return c.Received == 2*few })
	before := len(h.stderr.String())
	h.signal(t, syscall.SIGINT)
	select {
	case <-h.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
	var c heard
	said := h.stderr.String()[before:]
	if !lastCounts(said, &c) || c.Received != 2*few || c.Archived+c.Lost != c.Received || c.Lost == 0 {
		t.Errorf("%+v", c)
	}
	if code := h.cmd.ProcessState.ExitCode(); code != 4 && code != 1 || !strings.Contains(said, "space") {
		t.Errorf("exit %d: %s", code, said)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if found := strings.Count(s.ok(t, "syslog", "search", "--archive", archive, "-o", "ndjson"), "\n"); found != c.Archived {
		t.Errorf("%d are found, %+v", found, c)
	}
}
