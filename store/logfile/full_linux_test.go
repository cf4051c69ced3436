package logfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/logfile"
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

// ballast fills a disk but for some bytes.
func ballast(t *testing.T, dir string, left int64) (remove func()) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ballast")
	if err := os.WriteFile(file, make([]byte, int64(s.Bavail)*s.Bsize-left), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]int64{"that takes some lines": 300 << 10, "that takes nothing, not even a name": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := smallDisk(t, 8)
			synctest.Test(t, func(t *testing.T) { fullDisk(t, disk, left) })
		})
	}
}

// fullDisk fills a disk, makes space again, and looks for all that was acknowledged.
func fullDisk(t *testing.T, disk string, left int64) {
	var said heard
	dir := filepath.Join(disk, "syslog")
	a, stop := run(t, dir, logfile.Options{Buffer: 256 << 10, MaxBytes: -1, Log: said.log()})
	remove := ballast(t, disk, left)
	var want []int
	refused := 0
	offer := func(n int) {
		l := line(n)
		switch err := a.Append(t.Context(), encode(t, l), l.Received); {
		case err == nil:
			want = append(want, n)
		case errors.Is(err, store.ErrDiskFull):
			refused++
		default:
			t.Fatalf("line %d: %v", n, err)
		}
	}
	n := 1
	for ; refused < 1000; n++ {
		offer(n)
		if n%50 == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	c := a.Counts()
	if c.Lost != uint64(refused) || c.Appended != uint64(n-1) {
		t.Errorf("%d of %d lines were refused, counts: %+v", refused, n-1, c)
	}
	if found := len(search(t, dir, store.LogQuery{})); found != int(c.Durable) {
		t.Errorf("while it is full %d lines are found, %d are durable: nothing half written stays", found, c.Durable)
	}
	if (left > 0) != (c.Durable > 100) {
		t.Errorf("with %d bytes left %d lines became durable", left, c.Durable)
	}
	remove()
	flush(t, a)
	for last := n + 1000; n < last; n++ {
		offer(n)
		if n%50 == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	flush(t, a)
	stop()
	if c = a.Counts(); c.Appended != c.Durable+c.Lost || c.Lost != uint64(refused) || int(c.Durable) != len(want) || refused != 1000 {
		t.Errorf("counts of %d lines that were taken and %d that were refused: %+v", len(want), refused, c)
	}
	same(t, "all that was taken", want, search(t, dir, store.LogQuery{}))
	for _, text := range []string{"cannot be written", "no space left on device", "syslog lines are lost", "is written again"} {
		if !strings.Contains(said.String(), text) {
			t.Errorf("%q was not said:\n%s", text, said.String())
		}
	}
}

func TestADiskThatStaysFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 8)
	dir := filepath.Join(disk, "syslog")
	a, err := logfile.Open(dir, logfile.Options{Buffer: 256 << 10, MaxBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	remove := ballast(t, disk, 64<<10)
	add(t, a, 1, 400)
	if err := a.Close(); !errors.Is(err, store.ErrDiskFull) {
		t.Errorf("got %v", err)
	}
	c := a.Counts()
	if c.Appended != 400 || c.Lost == 0 || c.Durable == 0 || c.Durable+c.Lost != 400 {
		t.Errorf("counts: %+v", c)
	}
	same(t, "what was durable", count(1, int(c.Durable)), search(t, dir, store.LogQuery{}))
	remove()
	b := open(t, dir, logfile.Options{})
	tidy(t, b)
	same(t, "compressed", count(1, int(c.Durable)), search(t, dir, store.LogQuery{}))
}

func TestADiskTooFullToCompress(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 8)
	dir := filepath.Join(disk, "syslog")
	a := open(t, dir, logfile.Options{MaxBytes: -1})
	commit(t, a, 1, 4000)
	turn(t, a)
	remove := ballast(t, disk, 8<<10)
	if err := a.Tidy(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	same(t, "all lines", count(1, 4000), search(t, dir, store.LogQuery{}))
	if left := glob(t, dir, "*.tmp"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	remove()
	tidy(t, a)
	same(t, "compressed", count(1, 4000), search(t, dir, store.LogQuery{}))
	verifyTidy(t, dir)
}
