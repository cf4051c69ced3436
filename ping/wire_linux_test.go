package ping

import (
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// onLoopback moves the test into a network of its own in which everybody may have a ping socket.
func onLoopback(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("a network namespace is not allowed: %v", err)
	}
	if err := exec.Command("ip", "link", "set", "lo", "up").Run(); err != nil {
		t.Skipf("the command ip is needed: %v", err)
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 0"), 0o644); err != nil {
		t.Skip(err)
	}
}

func TestAPingSocketOfACertainAgeIsReplacedByOneWithAnotherID(t *testing.T) {
	onLoopback(t)
	for _, host := range []string{"127.0.0.1", "::1"} {
		w, _, err := openWire(t.Context(), wireConfig{method: MethodSocket, buffer: 1 << 16, ids: anyIDs(1), renew: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		l := newLine(w, anyIDs(1))
		addr := netip.MustParseAddr(host)
		ids := map[uint16]int{}
		for try := range uint32(5) {
			if err := l.ask(0, try, addr, l.now(), time.Second); err != nil {
				t.Skipf("%s: %v", host, err)
			}
			w.receive(0, func(a arrival) { ids[uint16(a.message[4])<<8|uint16(a.message[5])]++ })
		}
		if open := len(w.(*kernelWire).old); len(ids) != 5 || open < 1 || open > 2 {
			t.Errorf("%s: the ids of the replies were %v, %d old sockets are open", host, ids, open)
		}
	}
}
