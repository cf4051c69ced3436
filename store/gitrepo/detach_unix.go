//go:build unix && !linux

package gitrepo

import (
	"os/exec"
	"syscall"
)

// detach puts git into a process group of its own: Ctrl-C goes to muster, which ends git in order.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
