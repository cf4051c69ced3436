package syslogtest

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Send sends messages from one socket over sendmmsg(2) and returns how many the kernel took, until all are sent or ctx ends.
func Send(ctx context.Context, address string, f Flood) (sent int, err error) {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	raw, err := conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	f = f.withDefaults()
	p, c := pace{f.Rate, time.Now()}, new(call)
	for sent < f.Count {
		n := p.due(ctx, sent, min(perCall, f.Count-sent))
		if n == 0 {
			return sent, context.Cause(ctx)
		}
		c.fill(f, sent, n)
		took, err := c.send(raw)
		if err != nil {
			return sent, err
		}
		sent += took
	}
	return sent, nil
}

const perCall = 64 // messages

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// call is the messages of one system call.
type call struct {
	headers [perCall]mmsghdr
	iovecs  [perCall]unix.Iovec
	texts   [perCall][]byte
	n       int
}

// fill makes n messages, the ones after those that were sent.
func (c *call) fill(f Flood, sent, n int) {
	c.n = n
	for i := range n {
		c.texts[i] = f.Form(c.texts[i][:0], f.First+sent+i)
		c.iovecs[i].Base = &c.texts[i][0]
		c.iovecs[i].SetLen(len(c.texts[i]))
		c.headers[i].hdr.Iov = &c.iovecs[i]
		c.headers[i].hdr.SetIovlen(1)
	}
}

// send waits until the kernel takes some of the messages, and returns how many it took.
func (c *call) send(raw syscall.RawConn) (took int, err error) {
	var errno syscall.Errno
	err = raw.Write(func(fd uintptr) bool {
		var n uintptr
		n, _, errno = unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&c.headers[0])), uintptr(c.n), 0, 0, 0)
		took = int(n)
		return errno != unix.EAGAIN && errno != unix.EINTR
	})
	if err == nil && errno != 0 {
		err = os.NewSyscallError("sendmmsg", errno)
	}
	if err != nil {
		return 0, err
	}
	return took, nil
}
