package ping

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestTheRoundTripIsReadFromWhatPingPrints(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]time.Duration{
		"64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.045 ms\n": 45 * time.Microsecond,
		"64 bytes from 10.0.0.1: icmp_seq=0 ttl=255 time=1500 ms\n":  1500 * time.Millisecond,
		"64 bytes from ::1: seq=0 ttl=64 time=0.2 ms\n":              200 * time.Microsecond,
		"Reply from 10.0.0.1: bytes=32 time<1ms TTL=128\r\n":         time.Millisecond,
		"Reply from 10.0.0.1: bytes=32 time=12ms TTL=128\r\n":        12 * time.Millisecond,
		"Antwort von 10.0.0.1: Bytes=32 Zeit=12ms TTL=128\r\n":       time.Hour,
		"": time.Hour,
		"time=99999999999999999999999999999999999999999999999999999999999ms": time.Hour,
	} {
		if got := parseRTT([]byte(out), time.Hour); got != want {
			t.Errorf("%q: got %s, want %s", out, got, want)
		}
	}
}

func TestEachSystemHasItsOwnArguments(t *testing.T) {
	t.Parallel()
	addr := netip.MustParseAddr("198.18.0.1")
	for system, want := range map[string][]string{
		"linux":   {"-n", "-c", "1", "-W", "2", "198.18.0.1"},
		"darwin":  {"-c", "1", "-W", "1500", "198.18.0.1"},
		"windows": {"-n", "1", "-w", "1500", "198.18.0.1"},
	} {
		if got := pingArgs(system, addr, 1500*time.Millisecond); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", system, got, want)
		}
	}
}
