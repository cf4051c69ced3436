package syslogtest

import (
	"context"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Flood says how to send messages.
type Flood struct {
	Form  Form // nil: Cisco
	First int  // the number of the first message; 0: 1
	Count int  // of messages
	Rate  int  // messages a second, in bursts of a millisecond; 0: as fast as the kernel takes them
}

const perCall = 64

type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

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
	if f.Form == nil {
		f.Form = Cisco
	}
	if f.First == 0 {
		f.First = 1
	}
	var headers [perCall]mmsghdr
	var iovecs [perCall]unix.Iovec
	var texts [perCall][]byte
	began := time.Now()
	for sent < f.Count && ctx.Err() == nil {
		n := min(perCall, f.Count-sent)
		if f.Rate > 0 {
			for due := int(time.Since(began).Seconds() * float64(f.Rate)); due <= sent; due = int(time.Since(began).Seconds() * float64(f.Rate)) {
				time.Sleep(time.Millisecond)
			}
			n = min(n, max(1, int(time.Since(began).Seconds()*float64(f.Rate))-sent))
		}
		for i := range n {
			texts[i] = f.Form(texts[i][:0], f.First+sent+i)
			iovecs[i].Base = &texts[i][0]
			iovecs[i].SetLen(len(texts[i]))
			headers[i].hdr.Iov = &iovecs[i]
			headers[i].hdr.SetIovlen(1)
		}
		var took int
		var errno error
		err := raw.Write(func(fd uintptr) bool {
			r, _, e := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&headers[0])), uintptr(n), 0, 0, 0)
			if e == unix.EAGAIN || e == unix.EINTR {
				return false
			}
			took, errno = int(r), nil
			if e != 0 {
				took, errno = 0, os.NewSyscallError("sendmmsg", e)
			}
			return true
		})
		if err != nil || errno != nil {
			if err == nil {
				err = errno
			}
			return sent, err
		}
		sent += took
	}
	return sent, ctx.Err()
}
