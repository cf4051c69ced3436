package syslog

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// openUDP opens the sockets of one address.
func (l *Listener) openUDP(ctx context.Context, address string) ([]receiver, error) {
	conns, err := listenUDP(ctx, hostPort(address), l.cfg.Sockets)
	var all []receiver
	for i, conn := range conns {
		granted := setBuffer(conn, l.cfg.Buffer)
		if i == 0 && granted > 0 && granted < l.cfg.Buffer {
			l.cfg.Note(smallBuffer(conn.LocalAddr(), granted, l.cfg.Buffer))
		}
		r, wrong := newUDPReceiver(conn, l.cfg)
		if wrong != nil {
			_ = conn.Close()
			err = wrong
			continue
		}
		all = append(all, r)
	}
	return all, err
}

func smallBuffer(at net.Addr, granted, wanted int) string {
	return fmt.Sprintf("udp %s: the kernel holds %d KiB for this socket where %d were asked for, so that a burst may be lost (it is counted): "+
		"start as root, or allow more with: sysctl -w net.core.rmem_max=%d", at, granted>>10, wanted>>10, wanted)
}

// listenUDP opens n sockets on one address, where the system can spread senders over them.
func listenUDP(ctx context.Context, address string, n int) ([]*net.UDPConn, error) {
	first, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	if n < 2 || reusePort == nil {
		return []*net.UDPConn{first.(*net.UDPConn)}, nil
	}
	// Sockets that share an address have to say so before they have it, and would then share it with those of another process
	// that says so too. The first one, which does not, has made sure that there is none.
	host, _, err := net.SplitHostPort(address)
	at := first.LocalAddr().(*net.UDPAddr)
	if err = joinErr(err, first.Close()); err != nil {
		return nil, err
	}
	address = net.JoinHostPort(host, strconv.Itoa(at.Port))
	var conns []*net.UDPConn
	lc := net.ListenConfig{Control: reusePort}
	for range n {
		conn, err := lc.ListenPacket(ctx, "udp", address)
		if err != nil {
			return conns, err
		}
		conns = append(conns, conn.(*net.UDPConn))
	}
	return conns, nil
}

func joinErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
