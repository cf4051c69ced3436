package tsdb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/tsdb"
)

// smallDisk mounts a file system of few megabytes.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", megabytes))
	if err != nil {
		t.Skipf("a full disk is made with a small tmpfs, which takes root: %v", err)
	}
	t.Cleanup(func() { // detached: a process that another test is just starting holds all files for a moment
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func ballast(t *testing.T, dir string, megabytes int) (remove func()) {
	t.Helper()
	file := filepath.Join(dir, "ballast")
	if err := os.WriteFile(file, make([]byte, megabytes<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// many is a batch with some new series each time, of values that do not compress.
func many(n int) []muster.Sample {
	some := make([]muster.Sample, 0, 2000)
	for i := range cap(some) {
		s := rtt("r"+strconv.Itoa(i), at.Add(time.Duration(n)*time.Second), 1/float64(n*7919+i+1))
		if i < 50 {
			s.Labels["device"] = fmt.Sprintf("new%d-%d", n, i)
		}
		some = append(some, s)
	}
	return some
}

// few are those of many that are new, some of the old ones, and the last one.
func few(n int) []muster.Sample {
	some := many(n)
	return append(some[:200], some[len(some)-1])
}

// fill writes until the disk is full, and returns how many batches were written.
func fill(t *testing.T, d *tsdb.DB, from int) int {
	t.Helper()
	for n := from; n < from+10_000; n++ {
		err := d.Write(t.Context(), many(n))
		if errors.Is(err, store.ErrDiskFull) {
			t.Logf("batch %d: %v", n, err)
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the disk did not fill")
	return 0
}

func TestADiskThatIsNearlyFull(t *testing.T) {
	t.Parallel()
	fullDisk(t, func(*tsdb.DB) {})
}

func TestADiskThatOthersFilled(t *testing.T) {
	t.Parallel()
	fullDisk(t, func(d *tsdb.DB) { d.SetReserve(func() (uint64, uint64) { return 1, 0 }) })
}

// inChild runs a test in a process of its own, because an engine that is lost leaves goroutines behind. It tells
// whether this is that process.
func inChild(t *testing.T) bool {
	t.Helper()
	if os.Getenv(alone) != "" {
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=50s")
	cmd.Env, cmd.WaitDelay = append(os.Environ(), alone+"=1"), time.Second
	out, err := cmd.CombinedOutput()
	if t.Logf("%s", out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skip("it was skipped there")
	}
	return false
}

// crowd writes so much that all series have full chunks, has the engine write them, and others take its room in this moment.
func crowd(t *testing.T, d *tsdb.DB, dir string, n int) (next int, remove func()) {
	t.Helper()
	file := filepath.Join(dir, "crowd")
	for range 130 {
		write(t, d, few(n)...)
		n++
	}
	crowded := false
	d.SetRoom(func() error {
		crowded = true
		if err := os.WriteFile(file, make([]byte, 96<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("the disk did not fill: %v", err)
		}
		return nil
	})
	d.FlushSoon()
	if write(t, d, few(n)...); !crowded {
		t.Fatal("no chunks were to be written")
	}
	return n + 1, func() {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnEngineThatPanicsIsReplaced(t *testing.T) {
	t.Parallel()
	if !inChild(t) {
		return
	}
	dir := smallDisk(t, 96)
	data := filepath.Join(dir, "metrics")
	d := open(t, data, tsdb.Options{})
	var queries sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 4 {
		queries.Go(func() { // the engine panics while they read
			for ctx.Err() == nil {
				_, _ = d.Query(ctx, "count(rate(muster_probe_rtt_seconds[1h]))", at.Add(time.Hour))
			}
		})
	}
	n, remove := crowd(t, d, dir, 0)
	for range 3 {
		if err := d.Write(t.Context(), few(n)); !errors.Is(err, store.ErrDiskFull) {
			t.Fatalf("the disk is full: got %v", err)
		}
	}
	if _, err := d.Query(t.Context(), count, at); err == nil || errors.Is(err, store.ErrQuery) {
		t.Errorf("queries while there is no engine: got %v", err)
	}
	remove()
	for range 20 {
		write(t, d, few(n)...)
		n++
	}
	cancel()
	queries.Wait()
	verifyMany(t, d, n)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	verifyMany(t, open(t, data, tsdb.Options{}), n)
}

func TestAnEngineThatPanicsAgainAndAgainIsGivenUp(t *testing.T) {
	t.Parallel()
	if !inChild(t) {
		return
	}
	dir := smallDisk(t, 96)
	d := open(t, filepath.Join(dir, "metrics"), tsdb.Options{})
	d.SetLost(3)
	n, remove := crowd(t, d, dir, 0)
	remove()
	err := d.Write(t.Context(), few(n))
	if err == nil || !strings.Contains(err.Error(), "until the process starts anew") {
		t.Errorf("Write: got %v", err)
	}
	if _, err := d.Query(t.Context(), count, at); err == nil || errors.Is(err, store.ErrQuery) {
		t.Errorf("Query: got %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	verifyMany(t, open(t, filepath.Join(dir, "metrics"), tsdb.Options{}), n)
}

// fullDisk fills a disk, makes space again, and looks for all that was acknowledged.
func fullDisk(t *testing.T, prepare func(*tsdb.DB)) {
	dir := smallDisk(t, 64)
	data := filepath.Join(dir, "metrics")
	d := open(t, data, tsdb.Options{})
	prepare(d)
	remove := ballast(t, dir, 44)
	n := fill(t, d, 0)
	for range 3 {
		if err := d.Write(t.Context(), many(n)); !errors.Is(err, store.ErrDiskFull) {
			t.Fatalf("the disk is still full: got %v", err)
		}
	}
	if got := value(t, d, count, at.Add(time.Hour)); got != float64(n) {
		t.Errorf("queries while it is full: got %v samples, want %d", got, n)
	}
	remove()
	for range 20 {
		write(t, d, many(n)...)
		n++
	}
	verifyMany(t, d, n)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	verifyMany(t, open(t, data, tsdb.Options{}), n)
}

const count = "count_over_time(muster_probe_rtt_seconds{device='r1999'}[1d])"

func verifyMany(t *testing.T, d *tsdb.DB, n int) {
	t.Helper()
	if got := value(t, d, count, at.Add(time.Hour)); got != float64(n) {
		t.Errorf("got %v samples of an old series, want %d", got, n)
	}
	const fresh = "count(count_over_time(muster_probe_rtt_seconds{device=~'new.*'}[1d]))"
	if got := value(t, d, fresh, at.Add(time.Hour)); got != float64(50*n) {
		t.Errorf("got %v series that were new, want %d", got, 50*n)
	}
}
