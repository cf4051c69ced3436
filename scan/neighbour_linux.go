package scan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// neighbourTimeout bounds the wait for each part of the kernel's answer.
const neighbourTimeout = 2 * time.Second

// knownStates are the states of an entry whose MAC address was learnt and not found wrong since.
const knownStates = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT

// Neighbours returns the MAC addresses of the hosts on this machine's links that it has talked to: its ARP and NDP tables,
// without entries that are incomplete, failed or for no host. A link-local address has its interface as zone.
func Neighbours() (map[netip.Addr]net.HardwareAddr, error) {
	found := neighbours{macs: map[netip.Addr]net.HardwareAddr{}, zones: map[int32]string{}}
	if err := dump(unix.RTM_GETNEIGH, found.take); err != nil {
		return nil, fmt.Errorf("read the neighbour table: %w", err)
	}
	return found.macs, nil
}

// dump asks the kernel for a whole table and gives each message of the answer to take.
func dump(table uint16, take func(syscall.NetlinkMessage)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open a netlink socket: %w", err)
	}
	defer unix.Close(fd)
	wait := unix.NsecToTimeval(neighbourTimeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return fmt.Errorf("bound the wait: %w", err)
	}
	if err := unix.Sendto(fd, dumpRequest(table), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	buffer := make([]byte, 64<<10) // the kernel sends no more than 32 KiB at once
	for {
		done, err := receive(fd, buffer, take)
		if done || err != nil {
			return err
		}
	}
}

// dumpRequest is a message that asks for a table whose entries are like neighbours.
func dumpRequest(table uint16) []byte {
	b := make([]byte, unix.SizeofNlMsghdr+unix.SizeofNdMsg)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], table)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	return b
}

// receive reads one part of an answer. It is done after the last one.
func receive(fd int, buffer []byte, take func(syscall.NetlinkMessage)) (done bool, err error) {
	n, _, err := unix.Recvfrom(fd, buffer, 0)
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("receive: %w", err)
	}
	messages, err := syscall.ParseNetlinkMessage(buffer[:n])
	if err != nil {
		return false, fmt.Errorf("parse: %w", err)
	}
	for _, m := range messages {
		switch m.Header.Type {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			return true, netlinkError(m.Data)
		}
		take(m)
	}
	return false, nil
}

// netlinkError is the error that a message of errors carries.
func netlinkError(data []byte) error {
	if len(data) < 4 {
		return errors.New("the kernel sent an error without a number")
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(data)))
}

// neighbours collects the entries of the table.
type neighbours struct {
	macs  map[netip.Addr]net.HardwareAddr
	zones map[int32]string
}

// take keeps an entry that is of use. Of two for one address, on two interfaces, the one that was confirmed wins.
func (n *neighbours) take(m syscall.NetlinkMessage) {
	if m.Header.Type != unix.RTM_NEWNEIGH || len(m.Data) < unix.SizeofNdMsg {
		return
	}
	head := (*unix.NdMsg)(unsafe.Pointer(&m.Data[0]))
	if head.State&knownStates == 0 {
		return
	}
	var mac net.HardwareAddr
	var addr netip.Addr
	for kind, value := range attributes(m.Data[unix.SizeofNdMsg:]) {
		switch kind {
		case unix.NDA_DST:
			addr, _ = netip.AddrFromSlice(value)
		case unix.NDA_LLADDR:
			mac = append(mac, value...)
		}
	}
	if !addr.IsValid() || len(mac) != 6 || isZero(mac) {
		return
	}
	if addr.IsLinkLocalUnicast() && addr.Is6() {
		addr = addr.WithZone(n.zone(head.Ifindex))
	}
	if _, there := n.macs[addr]; !there || head.State&unix.NUD_REACHABLE != 0 {
		n.macs[addr] = mac
	}
}

// zone is the name of an interface, or its number where it has none any more.
func (n *neighbours) zone(index int32) string {
	if name, ok := n.zones[index]; ok {
		return name
	}
	name := strconv.Itoa(int(index))
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		name = i.Name
	}
	n.zones[index] = name
	return name
}

// attributes yields the attributes of a message, up to the first that is cut off.
func attributes(b []byte) func(yield func(kind uint16, value []byte) bool) {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= unix.SizeofRtAttr {
			size, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
			if size < unix.SizeofRtAttr || size > len(b) || !yield(kind, b[unix.SizeofRtAttr:size]) {
				return
			}
			b = b[min(len(b), (size+3)&^3):]
		}
	}
}
