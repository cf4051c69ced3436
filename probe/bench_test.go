package probe_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/probe"
)

// One refused connection, beside the bare Dialer of net.
func BenchmarkPortRefused(b *testing.B) {
	to := netip.AddrPortFrom(loopback, uint16(closed(b)))
	b.Run("port", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got, _, err := probe.Port(b.Context(), to, probe.PortOptions{}); err != nil || got.State != muster.PortClosed {
				b.Fatal(got, err)
			}
		}
	})
	b.Run("dialer", func(b *testing.B) {
		b.ReportAllocs()
		d := net.Dialer{Timeout: 2 * time.Second}
		for b.Loop() {
			if _, err := d.DialContext(context.Background(), "tcp", to.String()); err == nil {
				b.Fatal("connected")
			}
		}
	})
}
