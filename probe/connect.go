package probe

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// direct opens connections without keep-alives: they end before one could be sent, and to set them up costs calls of the
// kernel.
var direct = net.Dialer{KeepAlive: -1}

// open opens a connection to addr by the caller's Dial or directly, and says how long that took; so it does for a refusal.
func (d Dial) open(ctx context.Context, network string, addr netip.AddrPort) (net.Conn, time.Duration, error) {
	began := time.Now()
	conn, err := d.dial(ctx, network, addr)
	took := time.Since(began)
	if err == nil && dialledItself(conn) {
		_ = conn.Close()
		return nil, took, errRefused
	}
	return conn, took, err
}

// dial does not use DialTCP of net.Dialer: without a local address that binds the socket to any port, and then all
// connections of this machine share one range of 28,000 ports, instead of those to each address.
func (d Dial) dial(ctx context.Context, network string, addr netip.AddrPort) (net.Conn, error) {
	if d != nil {
		return d(ctx, network, addr.String())
	}
	return direct.DialContext(ctx, network, addr.String())
}

// dialledItself tells a connection whose two ends are one. A connect to a closed port of this machine can meet itself,
// when the kernel picks that very port as its own; net tries again, but not for ever.
func dialledItself(conn net.Conn) bool {
	local, ok := conn.LocalAddr().(*net.TCPAddr)
	remote, is := conn.RemoteAddr().(*net.TCPAddr)
	return ok && is && local.Port == remote.Port && local.IP.Equal(remote.IP)
}

// connect opens the probe's connection, which ends with ctx at the latest: release is to be called when it is done with.
func (b base) connect(ctx context.Context, network string, t Target) (conn net.Conn, release func(), rtt time.Duration, err error) {
	addr := t.addrPort()
	conn, rtt, err = b.dial.open(ctx, network, addr)
	if err != nil {
		f := dialError(ctx, err, addr.String())
		if f.code != "refused" {
			rtt = 0 // nobody answered
		}
		return nil, nil, rtt, f
	}
	return conn, until(ctx, conn), rtt, nil
}

// until resets conn when ctx ends or release is called. It closes instead of setting a deadline, which a connection
// through a jump host does not heed. When release returns, nothing of it is left.
func until(ctx context.Context, conn net.Conn) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		reset(conn)
	})
	return func() {
		if !stop() {
			<-done
		}
		reset(conn)
	}
}

// reset closes a connection at once, without lingering: the side that closes a TCP connection first keeps its port for a
// minute (TIME_WAIT), and who probes a thousand targets a second would keep sixty thousand.
func reset(conn net.Conn) {
	if c, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = c.SetLinger(0)
	}
	_ = conn.Close()
}
