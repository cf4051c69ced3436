package probe_test

import "syscall"

const refusedErrno = syscall.Errno(10061)
