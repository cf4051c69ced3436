//go:build !linux

package syslog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// reusePort is what only Linux spreads senders by.
var reusePort func(network, address string, c syscall.RawConn) error

// setBuffer sets the size of a socket's receive buffer. What it got is unknown.
func setBuffer(conn *net.UDPConn, size int) int {
	for ; conn.SetReadBuffer(size) != nil && size > 1<<16; size /= 2 {
	}
	return 0
}

// datagrams receives from a UDP or unix socket, one message a system call. The kernel's drops are not known.
type datagrams struct {
	conn   socketConn
	at     Addr
	origin *origin
	buf    []byte
}

// socketConn is a *net.UDPConn or a *net.UnixConn.
type socketConn interface {
	LocalAddr() net.Addr
	SetReadDeadline(time.Time) error
	Close() error
}

func newUDPReceiver(conn *net.UDPConn, c Config) (receiver, error) {
	return newDatagrams(conn, Addr{UDP, conn.LocalAddr()}, c.MaxMessage)
}

func newDatagrams(conn socketConn, at Addr, room int) (*datagrams, error) {
	return &datagrams{conn: conn, at: at, origin: &origin{transport: at.Transport}, buf: make([]byte, room+1)}, nil
}

func (d *datagrams) addr() Addr    { return d.at }
func (d *datagrams) drops() uint64 { return 0 }
func (d *datagrams) close() error  { return d.conn.Close() }

// run receives until ctx ends.
func (d *datagrams) run(ctx context.Context, q *queue) error {
	if err := d.conn.SetReadDeadline(time.Time{}); err != nil {
		return d.failed(q, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = d.conn.SetReadDeadline(time.Now().Add(drainTime)) })
	defer stop()
	for {
		n, from, err := d.read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return d.failed(q, err)
		}
		cut := n == len(d.buf) // it has one byte more than a message may
		it := item{at: time.Now().UnixNano(), from: from, origin: d.origin, cut: cut}
		if cut {
			n--
		}
		q.put(func(b *batch) { b.add(d.buf[:n], it) })
	}
}

func (d *datagrams) read() (int, netip.AddrPort, error) {
	if u, ok := d.conn.(*net.UDPConn); ok {
		n, from, err := u.ReadFromUDPAddrPort(d.buf)
		return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
	}
	n, _, err := d.conn.(*net.UnixConn).ReadFrom(d.buf)
	return n, netip.AddrPort{}, err
}

func (d *datagrams) failed(q *queue, err error) error {
	err = fmt.Errorf("receive on %s %s: %w", d.at.Transport, d.at, err)
	q.fail(err)
	return err
}
