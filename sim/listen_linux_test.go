package sim_test

import (
	"context"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/musternet/muster/platform"
	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// onlyOneLoopbackAddress moves the test into a network of its own that has 127.0.0.1 and no more of its prefix, as
// macOS has.
func onlyOneLoopbackAddress(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		t.Skipf("a network namespace is not allowed: %v", err)
	}
	const script = "ip link set lo up && ip addr del 127.0.0.1/8 dev lo && ip addr add 127.0.0.1/32 dev lo"
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Skipf("set up the namespace: %v\n%s", err, out)
	}
}

func TestAPrefixThatTheSystemDoesNotHaveIsRefusedInOneSentence(t *testing.T) {
	onlyOneLoopbackAddress(t)
	err := task.Scope(t.Context(), "test", func(ctx context.Context, g *task.Group) error {
		f, err := sim.Start(ctx, g, sim.Config{Devices: 3, Listen: "127.8.0.0/26", Recordings: []*platform.Recording{router()}})
		if err == nil {
			f.Close()
		}
		return err
	})
	const want = "test: sim: sim-0001: listen: this system does not have 127.8.0.1: use 127.0.0.1, or first add the addresses to the loopback interface"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
