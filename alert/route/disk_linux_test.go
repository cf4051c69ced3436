package route_test

import (
	"syscall"
	"testing"
)

// smallDisk mounts a file system of 64 KiB in a directory of the test.
func smallDisk(t *testing.T) (dir string, unmount func()) {
	dir = t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small file system here: %v", err)
	}
	return dir, func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}
}
