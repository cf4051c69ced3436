package syslogtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/musternet/muster/syslog/syslogtest"
	"github.com/musternet/muster/task"
)

func TestAFloodIsItsMessagesInOrder(t *testing.T) {
	t.Parallel()
	// The default buffer of a socket holds them all, however late they are read.
	flood := syslogtest.Flood{Form: syslogtest.RFC3164, First: 7, Count: 150, Rate: 100_000}
	for name, c := range map[string]struct {
		open func(t *testing.T) (address string, next func() ([]byte, error))
		send func(context.Context, string, syslogtest.Flood) (int, error)
	}{
		"over UDP each message is a datagram": {datagrams, syslogtest.Send},
		"over TCP each message is a line":     {lines, syslogtest.SendTCP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, next := c.open(t)
			err := task.Scope(t.Context(), "flood", func(_ context.Context, g *task.Group) error {
				g.Go("send", func(ctx context.Context) error {
					sent, err := c.send(ctx, address, flood)
					if err == nil && sent != flood.Count {
						err = fmt.Errorf("%d were sent", sent)
					}
					return err
				})
				for n := flood.First; n < flood.First+flood.Count; n++ {
					text, err := next()
					if err != nil {
						return err
					}
					if want := string(syslogtest.RFC3164(nil, n)); string(text) != want {
						return fmt.Errorf("got %q, want %q", text, want)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAFloodEndsByItsContext(t *testing.T) {
	t.Parallel()
	ended := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ended)
	address, _ := datagrams(t)
	if sent, err := syslogtest.Send(ctx, address, syslogtest.Flood{Count: 10, Rate: 1}); sent != 0 || !errors.Is(err, ended) {
		t.Errorf("%d were sent, error %v", sent, err)
	}
}

func datagrams(t *testing.T) (string, func() ([]byte, error)) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	buf := make([]byte, 1024)
	return conn.LocalAddr().String(), func() ([]byte, error) {
		n, _, err := conn.ReadFrom(buf)
		return buf[:n], err
	}
}

func lines(t *testing.T) (string, func() ([]byte, error)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var r *bufio.Scanner
	return l.Addr().String(), func() ([]byte, error) {
		if r == nil {
			conn, err := l.Accept()
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { conn.Close() })
			r = bufio.NewScanner(conn)
		}
		r.Scan()
		return r.Bytes(), r.Err()
	}
}
