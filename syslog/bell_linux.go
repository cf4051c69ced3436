package syslog

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// bell rings once when a socket has something to read, and then not before it is asked again. The poller of Go's runtime is told
// of each message that comes, and wakes up a thread for each while nobody waits for any: at 100,000 messages a second that was
// half of what they cost.
type bell struct {
	socket int
	file   *os.File // an epoll, which is waited for by the runtime's
	raw    syscall.RawConn
	wake   func(fd uintptr) bool // rung
	errno  error
}

func newBell(socket int) (*bell, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	err = errors.Join(
		os.NewSyscallError("epoll_ctl", unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, socket, &unix.EpollEvent{Events: unix.EPOLLONESHOT})),
		os.NewSyscallError("fcntl", unix.SetNonblock(fd, true)),
	)
	b := &bell{socket: socket, file: os.NewFile(uintptr(fd), "epoll")}
	b.wake = b.rung
	if err == nil {
		b.raw, err = b.file.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(err, b.file.Close())
	}
	return b, nil
}

// wait waits until the socket has something to read, or for the deadline of file.
func (b *bell) wait() error {
	err := b.raw.Control(func(fd uintptr) {
		b.errno = unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, b.socket, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT})
	})
	if err = errors.Join(err, os.NewSyscallError("epoll_ctl", b.errno)); err != nil {
		return err
	}
	return b.raw.Read(b.wake)
}

func (b *bell) rung(fd uintptr) bool {
	var events [1]unix.EpollEvent
	n, err := unix.EpollWait(int(fd), events[:], 0)
	return n > 0 || err != nil && err != unix.EINTR
}
