package syslog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	slots       = 128 // messages of one system call
	mostUDP     = 1 << 16
	controlRoom = 64
	// skew keeps the beginnings of the slots, which are a power of two apart otherwise, out of the same sets of the processor's caches.
	skew = 5 * 64
)

// mostNap is how long a socket that was just emptied is left alone at most when messages come quickly: waking up for each of them
// would cost more than the messages.
const (
	mostNap  = 2 * time.Millisecond
	napAfter = 4 // messages of one read
)

// napOf is how long the receive buffer of a socket lets it be left alone: a quarter of the time in which it is full of a million
// messages a second, each of which takes a kilobyte of it.
func napOf(buffer int) time.Duration { return min(mostNap, time.Duration(buffer/4)) }

// reusePort lets sockets share an address.
var reusePort = func(_, _ string, c syscall.RawConn) error {
	var err error
	return errors.Join(c.Control(func(fd uintptr) {
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	}), err)
}

// setBuffer sets the size of a socket's receive buffer, beyond what is allowed to everybody where that is allowed, and
// returns what it got; 0: unknown.
func setBuffer(conn syscall.Conn, size int) (granted int) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
		if got, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF); err == nil {
			granted = got / 2 // the kernel doubles what it is asked for, and says so
		}
	})
	return granted
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// datagrams receives from a UDP or unix socket, many messages a system call.
type datagrams struct {
	socket int
	bell   *bell
	at     Addr
	origin *origin
	room   int // for a message
	nap    time.Duration

	headers  [slots]mmsghdr
	iovecs   [slots]unix.Iovec
	names    [slots]unix.RawSockaddrInet6
	control  [slots][controlRoom]byte
	data     []byte // room and skew a slot; memory that only long messages touch
	got      int
	add      func(*batch) // fill
	zones    map[uint32]string
	gone     sync.Mutex // guards the use of socket, and what follows
	dropped  uint64     // by the kernel, up to the last look
	lastSeen uint32
	closed   bool
}

// socketConn is a *net.UDPConn or a *net.UnixConn.
type socketConn interface {
	syscall.Conn
	LocalAddr() net.Addr
	Close() error
}

func newUDPReceiver(conn *net.UDPConn, c Config) (receiver, error) {
	return newDatagrams(conn, Addr{UDP, conn.LocalAddr()}, min(c.MaxMessage, mostUDP))
}

// newDatagrams takes the socket of conn over, which it closes, or fails and leaves conn as it is.
func newDatagrams(conn socketConn, at Addr, room int) (*datagrams, error) {
	d := &datagrams{at: at, origin: &origin{transport: at.Transport}, room: room, data: make([]byte, slots*(room+skew)), zones: map[uint32]string{}}
	d.add = d.fill
	for i := range d.headers {
		h := &d.headers[i].hdr
		d.iovecs[i].Base = &d.data[i*(room+skew)]
		d.iovecs[i].SetLen(room)
		h.Iov = &d.iovecs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&d.names[i]))
		h.Control = &d.control[i][0]
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var wrong error
	err = raw.Control(func(fd uintptr) { wrong = d.open(int(fd)) })
	if err = errors.Join(err, wrong); err != nil {
		return nil, err
	}
	_ = conn.Close() // the runtime's poller is rid of it
	return d, nil
}

// open makes a descriptor of its own for a socket.
func (d *datagrams) open(fd int) (err error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if d.at.Transport == UDP { // writers to a unix socket are made to wait, after a few messages
		buffer, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		d.nap = napOf(buffer)
	}
	if d.socket, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	if d.bell, err = newBell(d.socket); err != nil {
		return errors.Join(err, unix.Close(d.socket))
	}
	return nil
}

func (d *datagrams) addr() Addr { return d.at }

// drops is by the kernel's own count of the socket. SO_RXQ_OVFL is the same count, but comes only with messages: it does not
// know of the drops since the last one that fitted. SO_MEMINFO (Linux 4.12) knows all.
func (d *datagrams) drops() uint64 {
	d.gone.Lock()
	defer d.gone.Unlock()
	if d.closed {
		return d.dropped
	}
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(d.socket), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno == 0 {
		d.dropped += uint64(info[unix.SK_MEMINFO_DROPS] - d.lastSeen) // 32 bits that wrap
		d.lastSeen = info[unix.SK_MEMINFO_DROPS]
	}
	return d.dropped
}

func (d *datagrams) close() error {
	d.drops()
	d.gone.Lock()
	defer d.gone.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return errors.Join(d.bell.file.Close(), os.NewSyscallError("close", unix.Close(d.socket)))
}

// run receives until ctx ends, and then what the kernel still holds.
func (d *datagrams) run(ctx context.Context, q *queue) error {
	if err := d.bell.file.SetReadDeadline(time.Time{}); err != nil {
		return d.failed(q, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = d.bell.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for ctx.Err() == nil {
		if err := d.read(); err != nil {
			return d.failed(q, err)
		}
		if d.got > 0 {
			q.put(d.add)
		}
		switch {
		case d.got == slots: // there may be more
		case d.got >= napAfter && d.nap > 0:
			time.Sleep(d.nap)
		default:
			if err := d.bell.wait(); errors.Is(err, os.ErrDeadlineExceeded) {
				return d.drain(q)
			} else if err != nil {
				return d.failed(q, err)
			}
		}
	}
	return d.drain(q)
}

func (d *datagrams) failed(q *queue, err error) error {
	err = fmt.Errorf("receive on %s %s: %w", d.at.Transport, d.at, err)
	q.fail(err)
	return err
}

// drain puts what has come by now.
func (d *datagrams) drain(q *queue) error {
	for end := time.Now().Add(drainTime); time.Now().Before(end); {
		if d.read() != nil || d.got == 0 {
			break
		}
		q.put(d.add)
	}
	return nil
}

// read reads what there is, which may be nothing.
func (d *datagrams) read() error {
	for i := range d.headers {
		h := &d.headers[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(controlRoom)
		h.Flags = 0
	}
	d.gone.Lock()
	defer d.gone.Unlock()
	if d.got = 0; d.closed { // another file may have the number of the socket
		return net.ErrClosed
	}
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(d.socket), uintptr(unsafe.Pointer(&d.headers[0])), slots, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			d.got = int(n)
			return nil
		case unix.EAGAIN:
			return nil
		case unix.EINTR:
		default:
			return os.NewSyscallError("recvmmsg", errno)
		}
	}
}

// fill adds what was read.
func (d *datagrams) fill(b *batch) {
	now := time.Now().UnixNano()
	for i := range d.got {
		h := &d.headers[i]
		begin := i * (d.room + skew)
		b.add(d.data[begin:begin+min(int(h.n), d.room)],
			item{at: d.arrival(i, now), from: d.peer(i), origin: d.origin, cut: h.hdr.Flags&unix.MSG_TRUNC != 0})
	}
}

// arrival is the time at which message i came, by the kernel where it says it.
func (d *datagrams) arrival(i int, now int64) int64 {
	c := d.control[i][:min(uint64(d.headers[i].hdr.Controllen), controlRoom)]
	if len(c) < unix.CmsgSpace(int(unsafe.Sizeof(unix.Timespec{}))) {
		return now
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&c[0]))
	if h.Level != unix.SOL_SOCKET || h.Type != unix.SO_TIMESTAMPNS {
		return now
	}
	return (*unix.Timespec)(unsafe.Pointer(&c[unix.CmsgLen(0)])).Nano()
}

// peer is who sent message i.
func (d *datagrams) peer(i int) netip.AddrPort {
	name := &d.names[i]
	port := func(p uint16) uint16 { b := (*[2]byte)(unsafe.Pointer(&p)); return uint16(b[0])<<8 | uint16(b[1]) }
	switch {
	case d.headers[i].hdr.Namelen < unix.SizeofSockaddrInet4:
		return netip.AddrPort{}
	case name.Family == unix.AF_INET:
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), port(four.Port))
	case name.Family != unix.AF_INET6:
		return netip.AddrPort{}
	}
	addr := netip.AddrFrom16(name.Addr).Unmap()
	if name.Scope_id != 0 && addr.Is6() {
		addr = addr.WithZone(d.zone(name.Scope_id))
	}
	return netip.AddrPortFrom(addr, port(name.Port))
}

// zone is the name of an interface.
func (d *datagrams) zone(scope uint32) string {
	name, ok := d.zones[scope]
	if !ok {
		name = strconv.FormatUint(uint64(scope), 10)
		if i, err := net.InterfaceByIndex(int(scope)); err == nil {
			name = i.Name
		}
		d.zones[scope] = name
	}
	return name
}
