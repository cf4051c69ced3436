package ping

import (
	"os"

	"golang.org/x/sys/unix"
)

// socket is one ICMP socket with all that the kernel offers for it.
type socket struct {
	fd       int
	six, raw bool
	to4      unix.RawSockaddrInet4
	to6      unix.RawSockaddrInet6
	credit   int // how often it may still wait for room
	patience int // the most of it
	dropped  uint32
	batch    batch
}

// openSocket opens a socket. The error is a plain errno, so that the table can keep it.
func openSocket(c wireConfig, raw, six bool) (*socket, error) {
	domain, proto := unix.AF_INET, unix.IPPROTO_ICMP
	if six {
		domain, proto = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	kind := unix.SOCK_DGRAM
	if raw {
		kind = unix.SOCK_RAW
	}
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd, six: six, raw: raw, credit: c.patience, patience: c.patience}
	if err := s.configure(c); err != nil {
		unix.Close(fd)
		return nil, err
	}
	s.batch.init()
	return s, nil
}

func (s *socket) configure(c wireConfig) error {
	if s.raw {
		if err := s.filter(c.ids); err != nil {
			return err
		}
	}
	if err := s.buffer(unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, c.buffer); err != nil {
		return err
	}
	if err := s.buffer(unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, sendBuffer); err != nil {
		return err
	}
	level, recvErr := unix.IPPROTO_IP, unix.IP_RECVERR
	if s.six {
		level, recvErr = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	if err := unix.SetsockoptInt(s.fd, level, recvErr, 1); err != nil {
		return err
	}
	// Without these two a sweep is less exact, but right: a time is then taken when a reply is read.
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	return nil
}

// sendBuffer has room for the requests to neighbours whose hardware address is not known: they count until the kernel has
// given up asking for it, after three seconds, and a few hundred of them would keep requests to everybody else from being sent.
const sendBuffer = 32 << 20

// buffer sets the size of a buffer, beyond what is allowed to everybody where that is allowed.
func (s *socket) buffer(force, plain, size int) error {
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, force, size) == nil {
		return nil
	}
	return unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, plain, size)
}

// filter lets the kernel throw away all that is no echo reply. A raw socket is otherwise given every ICMP packet of the
// machine, on loopback its own requests too. Replies to other programs are told by the id, which the engine gave out.
func (s *socket) filter(ids idRange) error {
	kind, header := uint32(echoReply4), true
	if s.six {
		kind, header = echoReply6, false
	}
	f := replyFilter(kind, header, ids)
	return unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]})
}

// replyFilter accepts ICMP messages of one type with one of ids. Before those of IPv4 the socket shows the
// IP header, before those of IPv6 it does not.
func replyFilter(kind uint32, header bool, ids idRange) []unix.SockFilter {
	mode := uint16(unix.BPF_ABS)
	var f []unix.SockFilter
	if header {
		f = append(f, unix.SockFilter{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH})
		mode = unix.BPF_IND
	}
	return append(f,
		unix.SockFilter{Code: unix.BPF_LD | unix.BPF_B | mode},
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: kind, Jf: 4},
		unix.SockFilter{Code: unix.BPF_LD | unix.BPF_H | mode, K: 4},
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: uint32(ids.first), Jf: 2},
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, K: uint32(ids.first) + uint32(ids.n) - 1, Jt: 1},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0xffff},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K},
	)
}

// drops is how many packets the kernel dropped so far. The count that comes with each packet, SO_RXQ_OVFL, does not know
// of the drops since the last one that fitted; SO_MEMINFO knows all, from Linux 4.12 on.
func (s *socket) drops() int {
	return int(max(s.dropped, memDrops(s.fd)))
}

// noSocketNote tells how to be allowed more than one process a host.
func noSocketNote() string {
	self, err := os.Executable()
	if err != nil {
		self = "/path/to/this/program"
	}
	return noteFor(os.Getegid(), self)
}
