//go:build unix

package main

import (
	"os"
	"syscall"
)

var usr1 os.Signal = syscall.SIGUSR1
