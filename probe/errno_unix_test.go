//go:build !windows

package probe_test

import "syscall"

const refusedErrno = syscall.ECONNREFUSED
