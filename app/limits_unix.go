//go:build unix

package app

import (
	"io/fs"
	"syscall"
)

// openFiles is how many files this process may have open.
func openFiles() (uint64, bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return uint64(l.Cur), true
}

// othersMayRead tells whether anybody but the owner has a right to a directory.
func othersMayRead(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
