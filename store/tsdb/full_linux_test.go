package tsdb_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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

// fullDisk fills a disk, makes space again, and looks for all that was acknowledged.
func fullDisk(t *testing.T, prepare func(*tsdb.DB)) {
	dir := smallDisk(t, 96)
	data := filepath.Join(dir, "metrics")
	d := open(t, data, tsdb.Options{})
	prepare(d)
	remove := ballast(t, dir, 60)
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
