package scan

import (
	"net/netip"
	"testing"
	"time"

	"github.com/musternet/muster"
)

func host(i int) muster.Host {
	return muster.Host{Addr: netip.AddrFrom4([4]byte{127, byte(i >> 16), byte(i >> 8), byte(i)})}
}

// pushed pushes a host and counts what comes out of the hold.
func pushed(t *testing.T, q *hold, i int, now, due time.Duration, next *int) {
	t.Helper()
	for h := range q.push(host(i), now, due) {
		if h.Addr != host(*next).Addr {
			t.Fatalf("%s left, want %s", h.Addr, host(*next).Addr)
		}
		*next++
	}
}

func TestAHostIsHeldUntilItIsDue(t *testing.T) {
	t.Parallel()
	var q hold
	next := 0
	for i := range 100 {
		pushed(t, &q, i, time.Duration(i), time.Duration(i+10), &next)
		if want := max(0, i-9); next != want {
			t.Fatalf("after %d hosts %d have left, want %d", i+1, next, want)
		}
	}
	for range q.rest() {
		next++
	}
	if next != 100 || q.n != 0 {
		t.Errorf("%d of 100 left, %d are held", next, q.n)
	}
}

func TestWhoHasNoRoomLeavesFirst(t *testing.T) {
	t.Parallel()
	var q hold
	next := 0
	for i := range 3 * holdMost {
		pushed(t, &q, i, 0, time.Hour, &next)
	}
	if next != 2*holdMost || len(q.hosts) != holdMost {
		t.Errorf("%d left and there is room for %d", next, len(q.hosts))
	}
}
