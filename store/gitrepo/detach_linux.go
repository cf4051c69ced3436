package gitrepo

import (
	"os/exec"
	"syscall"
)

// detach puts git into a process group of its own: Ctrl-C goes to muster, which ends git in order. A git whose muster
// was killed is killed too, so that nothing changes any more behind the back of one who looks. The kernel ties that to
// the thread that started git; Go ends a thread only with a goroutine that was locked to it, and none is here.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
