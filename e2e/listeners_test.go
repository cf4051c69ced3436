//go:build e2e && linux

package e2e

import (
	"net"
	"testing"
)

// listen runs a server of the test machine that does to each connection what serve says; it returns its port.
func listen(t *testing.T, serve func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", machine+":0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		for {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			open = append(open, conn)
			serve(conn)
		}
		for _, conn := range open {
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().(*net.TCPAddr).Port
}

// mute accepts and never speaks.
func mute(net.Conn) {}

// web speaks, but not SSH.
func web(c net.Conn) {
	c.Write([]byte("HTTP/1.1 400 Bad Request\r\nServer: cisco-IOS\r\nConnection: close\r\n\r\n"))
	c.Close()
}

// reset ends the connection when the client has named itself.
func reset(c net.Conn) {
	c.Read(make([]byte, 1))
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// closedPort is a port of the test machine that nobody listens on.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", machine+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
