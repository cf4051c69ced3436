package ping

import (
	"encoding/binary"
	"net/netip"
)

// The types of ICMP messages that are sent and taken.
const (
	echoReply4   = 0
	echoRequest4 = 8
	echoRequest6 = 128
	echoReply6   = 129
)

const (
	headerLen = 8
	// packetLen is the header and what is behind it: index, try, time of sending, cookie.
	packetLen = headerLen + 4 + 4 + 8 + 8
)

// echo is what a request says and its reply repeats. The 16 bits of ICMP's own sequence number cannot tell more than
// 65,536 targets apart, so the payload does.
type echo struct {
	index  uint32
	try    uint32 // from 0
	sent   uint64 // nanoseconds since the sweep began: the round trip is true whichever request is answered, however late
	cookie uint64
}

// put writes the request for a target into b, which has packetLen bytes.
func (e echo) put(b []byte, to netip.Addr, id uint16) {
	clear(b[:headerLen])
	b[0] = echoRequest4
	if to.Is6() {
		b[0] = echoRequest6
	}
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], uint16(e.index))
	binary.BigEndian.PutUint32(b[8:], e.index)
	binary.BigEndian.PutUint32(b[12:], e.try)
	binary.BigEndian.PutUint64(b[16:], e.sent)
	binary.BigEndian.PutUint64(b[24:], e.cookie)
	if to.Is4() {
		binary.BigEndian.PutUint16(b[2:], checksum(b[:packetLen]))
	}
}

// replyTo is the type of the reply to a request.
func replyTo(addr netip.Addr) byte {
	if addr.Is6() {
		return echoReply6
	}
	return echoReply4
}

// parseReply reads an echo reply that came from an address. It trusts nothing: the caller compares the cookie.
func parseReply(b []byte, from netip.Addr) (echo, bool) {
	if len(b) < packetLen || b[0] != replyTo(from) || b[1] != 0 {
		return echo{}, false
	}
	return parsePayload(b), true
}

// parseQuote reads what an error message quotes of a request. Routers may quote the header alone; then only the low 16
// bits of the index are known, and whole is false.
func parseQuote(b []byte, to netip.Addr) (e echo, whole, ok bool) {
	want := byte(echoRequest4)
	if to.Is6() {
		want = echoRequest6
	}
	if len(b) < headerLen || b[0] != want || b[1] != 0 {
		return echo{}, false, false
	}
	if len(b) < packetLen {
		return echo{index: uint32(binary.BigEndian.Uint16(b[6:]))}, false, true
	}
	return parsePayload(b), true, true
}

func parsePayload(b []byte) echo {
	return echo{
		index:  binary.BigEndian.Uint32(b[8:]),
		try:    binary.BigEndian.Uint32(b[12:]),
		sent:   binary.BigEndian.Uint64(b[16:]),
		cookie: binary.BigEndian.Uint64(b[24:]),
	}
}

// checksum is the internet checksum of an even number of bytes.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
