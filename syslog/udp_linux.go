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
	slots       = 128  // messages of one system call
	firstRoom   = 2048 // for the beginning of each, so that the usual ones lie close together
	mostUDP     = 1 << 16
	controlRoom = 64
)

// nap is how long a socket that was just emptied is left alone when messages come quickly: waking up for each of them would
// cost more than the messages. The kernel's buffer holds hundreds of times what comes meanwhile.
const (
	nap      = 500 * time.Microsecond
	napAfter = 4 // messages of one read
)

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
	conn   socketConn
	raw    syscall.RawConn
	at     Addr
	origin *origin
	room   int // for a message

	headers  [slots]mmsghdr
	iovecs   [slots][2]unix.Iovec
	names    [slots]unix.RawSockaddrInet6
	control  [slots][controlRoom]byte
	begins   []byte // firstRoom a slot
	rests    []byte // the rest of room a slot; memory that only long messages touch
	got      int
	errno    syscall.Errno
	wait     func(fd uintptr) bool // waiting
	add      func(*batch)          // fill
	zones    map[uint32]string
	gone     sync.Mutex
	dropped  uint64 // by the kernel, up to the last look
	lastSeen uint32
	closed   bool
}

// socketConn is a *net.UDPConn or a *net.UnixConn.
type socketConn interface {
	syscall.Conn
	LocalAddr() net.Addr
	SetReadDeadline(time.Time) error
	Close() error
}

func newUDPReceiver(conn *net.UDPConn, c Config) (receiver, error) {
	return newDatagrams(conn, Addr{UDP, conn.LocalAddr()}, min(c.MaxMessage, mostUDP))
}

func newDatagrams(conn socketConn, at Addr, room int) (*datagrams, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	first := min(room, firstRoom)
	d := &datagrams{
		conn: conn, raw: raw, at: at, origin: &origin{transport: at.Transport}, room: room,
		begins: make([]byte, slots*first), rests: make([]byte, slots*(room-first)), zones: map[uint32]string{},
	}
	d.wait, d.add = d.waiting, d.fill
	for i := range d.headers {
		h := &d.headers[i].hdr
		d.iovecs[i][0].Base = &d.begins[i*first]
		d.iovecs[i][0].SetLen(first)
		h.Iov = &d.iovecs[i][0]
		h.SetIovlen(1)
		if rest := room - first; rest > 0 {
			d.iovecs[i][1].Base = &d.rests[i*rest]
			d.iovecs[i][1].SetLen(rest)
			h.SetIovlen(2)
		}
		h.Name = (*byte)(unsafe.Pointer(&d.names[i]))
		h.Control = &d.control[i][0]
	}
	var wrong error
	err = raw.Control(func(fd uintptr) {
		wrong = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	return d, errors.Join(err, os.NewSyscallError("setsockopt", wrong))
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
	_ = d.raw.Control(func(fd uintptr) {
		var info [unix.SK_MEMINFO_VARS]uint32
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 {
			d.dropped += uint64(info[unix.SK_MEMINFO_DROPS] - d.lastSeen) // 32 bits that wrap
			d.lastSeen = info[unix.SK_MEMINFO_DROPS]
		}
	})
	return d.dropped
}

func (d *datagrams) close() error {
	d.drops()
	d.gone.Lock()
	defer d.gone.Unlock()
	d.closed = true
	return d.conn.Close()
}

// run receives until ctx ends, and then what the kernel still holds.
func (d *datagrams) run(ctx context.Context, q *queue) error {
	if err := d.conn.SetReadDeadline(time.Time{}); err != nil {
		return d.failed(q, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = d.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for ctx.Err() == nil {
		if err := d.raw.Read(d.wait); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			return d.failed(q, err)
		}
		if d.errno != 0 {
			return d.failed(q, os.NewSyscallError("recvmmsg", d.errno))
		}
		q.put(d.add)
		if d.got >= napAfter && d.got < slots {
			time.Sleep(nap)
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
		err := d.raw.Control(func(fd uintptr) { d.waiting(fd) })
		if err != nil || d.errno != 0 || d.got == 0 {
			break
		}
		q.put(d.add)
	}
	return nil
}

// waiting reads what there is; it returns false when there was nothing.
func (d *datagrams) waiting(fd uintptr) bool {
	for i := range d.headers {
		h := &d.headers[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(controlRoom)
		h.Flags = 0
	}
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&d.headers[0])), slots, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			d.got, d.errno = int(n), 0
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			d.got, d.errno = 0, 0
			return false
		default:
			d.got, d.errno = 0, errno
			return true
		}
	}
}

// fill adds what was read.
func (d *datagrams) fill(b *batch) {
	now := time.Now().UnixNano()
	first := min(d.room, firstRoom)
	for i := range d.got {
		h := &d.headers[i]
		n := min(int(h.n), d.room)
		it := item{at: d.arrival(i, now), from: d.peer(i), origin: d.origin, cut: h.hdr.Flags&unix.MSG_TRUNC != 0}
		if n <= first {
			b.add(d.begins[i*first:i*first+n], it)
			continue
		}
		b.data = append(b.data, d.begins[i*first:(i+1)*first]...)
		b.add(d.rests[i*(d.room-first):i*(d.room-first)+n-first], it)
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
