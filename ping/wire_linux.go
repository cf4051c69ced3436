package ping

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelWire is a socket for each family of addresses; that of IPv6 is opened when the first such target comes.
type kernelWire struct {
	cfg    wireConfig
	raw    bool
	four   *socket
	six    *socket
	sixErr error
	opened time.Time
	old    []*socket // replaced ones, which replies may still come to
	lost   int       // what closed ones had dropped
	wake   int       // an eventfd that the end of the context makes readable
	stop   func()
	zones  map[string]uint32
	poll   []unix.PollFd
}

// openWire opens the best socket that cfg and the kernel allow.
func openWire(ctx context.Context, c wireConfig) (wire, Method, error) {
	w := &kernelWire{cfg: c, opened: time.Now(), zones: map[string]uint32{}}
	method, err := w.open()
	if err != nil {
		return nil, "", err
	}
	if err := w.watch(ctx); err != nil {
		w.closeSockets()
		return nil, "", err
	}
	return w, method, nil
}

func (w *kernelWire) open() (Method, error) {
	var denied error
	for _, m := range []Method{MethodRaw, MethodSocket} {
		if w.cfg.method != MethodAuto && w.cfg.method != m {
			continue
		}
		w.raw = m == MethodRaw
		var err error
		if w.four, err = openSocket(w.cfg, w.raw, false); err == nil {
			return m, nil
		}
		if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
			return "", fmt.Errorf("open %s ICMP socket: %w", m, err)
		}
		denied = fmt.Errorf("open %s ICMP socket: %w: %w", m, ErrNotAllowed, err)
	}
	if denied == nil {
		return "", fmt.Errorf("there is no method %q: %w", w.cfg.method, ErrNotAllowed)
	}
	return "", denied
}

// watch makes the end of ctx end a wait in the kernel.
func (w *kernelWire) watch(ctx context.Context) error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("open eventfd: %w", err)
	}
	w.wake = fd
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	})
	w.stop = func() {
		if !stop() {
			<-done // the number of a closed descriptor may be somebody else's the next moment
		}
	}
	return nil
}

func (w *kernelWire) close() {
	w.stop()
	unix.Close(w.wake)
	w.closeSockets()
}

func (w *kernelWire) closeSockets() {
	for s := range w.sockets {
		unix.Close(s.fd)
	}
}

// renew replaces ping sockets of a certain age: the kernel gives each of them one id for all its requests.
func (w *kernelWire) renew() {
	if w.raw || w.cfg.renew == 0 || time.Since(w.opened) < w.cfg.renew {
		return
	}
	w.opened = time.Now()
	four, err := openSocket(w.cfg, w.raw, false)
	if err != nil {
		return // the one that is there still works
	}
	for _, s := range w.old {
		w.lost += s.drops()
		unix.Close(s.fd)
	}
	w.old = append(w.old[:0], w.four)
	if w.six != nil {
		w.old = append(w.old, w.six)
	}
	w.four, w.six, w.sixErr = four, nil, nil
}

// sockets yields those that are open.
func (w *kernelWire) sockets(yield func(*socket) bool) {
	for _, s := range w.old {
		if !yield(s) {
			return
		}
	}
	if w.four != nil && !yield(w.four) {
		return
	}
	if w.six != nil {
		yield(w.six)
	}
}

func (w *kernelWire) drops() (n int) {
	n = w.lost
	for s := range w.sockets {
		n += s.drops()
	}
	return n
}

func (w *kernelWire) granted() int {
	half, err := unix.GetsockoptInt(w.four.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		return 0
	}
	return half / 2 // the kernel doubles what it is asked for, and says so
}

func (w *kernelWire) send(request []byte, to netip.Addr, _ time.Duration) error {
	if to.Is4() {
		return w.four.send(request, to, 0)
	}
	if w.six == nil && w.sixErr == nil {
		w.six, w.sixErr = openSocket(w.cfg, w.raw, true)
	}
	if w.sixErr != nil {
		return w.sixErr
	}
	scope, err := w.scope(to.Zone())
	if err != nil {
		return err
	}
	return w.six.send(request, to, scope)
}

// scope is the number of the interface that a zone names.
func (w *kernelWire) scope(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, ok := w.zones[zone]; ok {
		return n, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		w.zones[zone] = uint32(n)
		return uint32(n), nil
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, unix.ENODEV
	}
	w.zones[zone] = uint32(i.Index)
	return uint32(i.Index), nil
}

func (w *kernelWire) receive(d time.Duration, sink func(arrival)) error {
	w.renew()
	got := 0
	for s := range w.sockets {
		n, err := s.receive(sink)
		if err != nil {
			return err
		}
		got += n
	}
	if got > 0 || d <= 0 {
		return nil
	}
	return w.sleep(d)
}

// sleep waits until a socket has something, the context ends, or d is over.
func (w *kernelWire) sleep(d time.Duration) error {
	w.poll = append(w.poll[:0], unix.PollFd{Fd: int32(w.wake), Events: unix.POLLIN})
	for s := range w.sockets {
		w.poll = append(w.poll, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN})
	}
	ts := unix.NsecToTimespec(int64(d))
	_, err := unix.Ppoll(w.poll, &ts, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return os.NewSyscallError("ppoll", err)
	}
	return nil
}

// send sends a request and tells an error of this target from one that an earlier ICMP message left on the socket, which
// the kernel returns to whoever comes next.
func (s *socket) send(request []byte, to netip.Addr, scope uint32) error {
	name, size := s.sockaddr(to, scope)
	for stale := 0; ; {
		_, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&request[0])), uintptr(len(request)),
			unix.MSG_DONTWAIT, uintptr(name), uintptr(size))
		switch {
		case errno == 0:
			s.credit = min(s.credit+1, s.patience)
			return nil
		case (errno == unix.EAGAIN || errno == unix.ENOBUFS) && s.credit > 0:
			s.credit--
			s.waitForRoom()
		case errno == unix.EAGAIN || errno == unix.ENOBUFS || errno != unix.EINTR && stale == staleErrors:
			return errno
		case errno != unix.EINTR:
			stale++
		}
	}
}

// staleErrors is how often an error may be another's.
const staleErrors = 2

// waitForRoom waits a millisecond or less for a device that cannot keep up.
func (s *socket) waitForRoom() {
	ts := unix.NsecToTimespec(int64(time.Millisecond))
	unix.Ppoll(nil, &ts, nil) // an interrupted wait is followed by the next attempt, as any other
}

// sockaddr fills in the address of a target.
func (s *socket) sockaddr(to netip.Addr, scope uint32) (unsafe.Pointer, uintptr) {
	if !s.six {
		s.to4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.As4()}
		return unsafe.Pointer(&s.to4), unix.SizeofSockaddrInet4
	}
	s.to6 = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.As16(), Scope_id: scope}
	return unsafe.Pointer(&s.to6), unix.SizeofSockaddrInet6
}
