//go:build !linux

package route_test

import "testing"

func smallDisk(t *testing.T) (dir string, unmount func()) {
	t.Skip("needs Linux to mount a small file system")
	return "", nil
}
