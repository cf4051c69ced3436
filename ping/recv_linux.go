package ping

import (
	"errors"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchLen is how many replies are read by one system call.
const batchLen = 64

const (
	messageRoom = 128 // an IPv4 header with all options and a reply
	controlRoom = 128 // a time, a count of drops, an extended error with its address
)

// message is struct mmsghdr of recvmmsg(2).
type message struct {
	hdr unix.Msghdr
	n   uint32
}

// batch is the memory that the kernel writes replies to.
type batch struct {
	messages [batchLen]message
	iovecs   [batchLen]unix.Iovec
	names    [batchLen]unix.RawSockaddrInet6
	bytes    [batchLen][messageRoom]byte
	control  [batchLen][controlRoom]byte
}

func (b *batch) init() {
	for i := range b.messages {
		h := &b.messages[i].hdr
		b.iovecs[i].Base = &b.bytes[i][0]
		b.iovecs[i].SetLen(messageRoom)
		h.Iov = &b.iovecs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Control = &b.control[i][0]
	}
}

// read fills the batch without waiting. The error is that of the kernel.
func (b *batch) read(fd, flags int) (int, error) {
	for i := range b.messages {
		h := &b.messages[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(controlRoom)
		h.Flags = 0
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages[0])), batchLen,
		uintptr(unix.MSG_DONTWAIT|flags), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// peer is the address of message i: who sent the reply, or to whom the request went that an error is about.
func (b *batch) peer(i int, six bool) netip.Addr {
	if six {
		return netip.AddrFrom16(b.names[i].Addr)
	}
	return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&b.names[i])).Addr)
}

func (b *batch) data(i int) []byte { return b.bytes[i][:min(b.messages[i].n, messageRoom)] }

// extras is what the kernel says of a message beside its bytes.
type extras struct {
	at    time.Time // of its arrival, zero if unknown
	drops uint32    // so far on this socket
	hint  hint
}

func (b *batch) extras(i int) (x extras) {
	rest := b.control[i][:min(uint64(b.messages[i].hdr.Controllen), controlRoom)]
	for len(rest) >= unix.SizeofCmsghdr {
		h, data, next, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			return x
		}
		x.add(h, data)
		rest = next
	}
	return x
}

func (x *extras) add(h unix.Cmsghdr, data []byte) {
	switch {
	case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
		x.at = time.Unix((*unix.Timespec)(unsafe.Pointer(&data[0])).Unix())
	case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
		x.drops = *(*uint32)(unsafe.Pointer(&data[0]))
	case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_RECVERR, h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_RECVERR:
		if len(data) >= int(unsafe.Sizeof(unix.SockExtendedErr{})) {
			x.hint = hintOf((*unix.SockExtendedErr)(unsafe.Pointer(&data[0])))
		}
	}
}

func hintOf(e *unix.SockExtendedErr) hint {
	switch e.Origin {
	case unix.SO_EE_ORIGIN_ICMP:
		return hint4(e.Type, e.Code)
	case unix.SO_EE_ORIGIN_ICMP6:
		return hint6(e.Type, e.Code)
	}
	return hintOther
}

// receive hands everything that waits to sink and says how much it was. An error that the socket holds comes from its
// queue of errors, which is then read too.
func (s *socket) receive(sink func(arrival)) (total int, err error) {
	for {
		n, err := s.batch.read(s.fd, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			n, err := s.receiveErrors(sink)
			return total + n, err
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			// It stands for an ICMP message and is gone with this call; what else is amiss with a socket shows at the next one.
			n, err := s.receiveErrors(sink)
			return total + n, err
		}
		now := time.Now()
		for i := range n {
			s.hand(i, now, sink)
		}
		if total += n; n < batchLen {
			return total, nil
		}
	}
}

func (s *socket) hand(i int, now time.Time, sink func(arrival)) {
	x := s.batch.extras(i)
	s.dropped = max(s.dropped, x.drops)
	a := arrival{peer: s.batch.peer(i, s.six), message: s.batch.data(i), at: now}
	if !x.at.IsZero() {
		a.at = now.Add(-max(0, now.Sub(x.at))) // the steady clock: one that is set meanwhile must not lengthen a round trip
	}
	if s.raw && !s.six {
		a.message = afterHeader(a.message)
	}
	sink(a)
}

// afterHeader cuts the IPv4 header off.
func afterHeader(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b[min(len(b), int(b[0]&0xf)*4):]
}

// receiveErrors hands the ICMP errors about our requests to sink.
func (s *socket) receiveErrors(sink func(arrival)) (total int, err error) {
	for {
		n, err := s.batch.read(s.fd, unix.MSG_ERRQUEUE)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return total, nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return total, os.NewSyscallError("recvmmsg", err)
		}
		for i := range n {
			if x := s.batch.extras(i); x.hint != hintNone {
				sink(arrival{peer: s.batch.peer(i, s.six), message: s.batch.data(i), hint: x.hint, at: time.Now()})
			}
		}
		if total += n; n < batchLen {
			return total, nil
		}
	}
}

// memDrops reads the drops of a socket from SO_MEMINFO; 0 where there is no such thing.
func memDrops(fd int) uint32 {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return info[unix.SK_MEMINFO_DROPS]
}
