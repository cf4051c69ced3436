package ping

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"time"
)

// entry is what is known of one target. A million of them are 8 MiB.
type entry struct {
	addr     uint32 // the IPv4 address, or the position in table.six
	answered uint8  // one bit a request: whether it was answered
	hint     hint
	errno    uint8 // why the last request was not sent, 0 when it was
	state    uint8 // isSix, and below it the number of the last request that was sent, from 1
}

const isSix = 1 << 7

func (e *entry) six() bool { return e.state&isSix != 0 }

// asked is the number of the last request that was sent; 0: none was.
func (e *entry) asked() int { return int(e.state &^ isSix) }

func (e *entry) setAsked(n int) { e.state = e.state&isSix | uint8(n) }

// chunkLen is how many entries are allocated at once: growing in place would hold everything twice.
const chunkLen = 1 << 14

// blockLen is how many neighbours share one time of sending, which says when they may be asked again.
const blockLen = 64

// table holds the targets by their index.
type table struct {
	chunks [][]entry
	six    []netip.Addr
	sentAt []time.Duration // the last time of sending, a block
	n      int
}

func (t *table) add(addr netip.Addr) (index int) {
	index = t.n
	if index%chunkLen == 0 {
		t.chunks = append(t.chunks, make([]entry, 0, min(chunkLen, max(256, index))))
	}
	if index%blockLen == 0 {
		t.sentAt = append(t.sentAt, 0)
	}
	var e entry
	if addr.Is6() {
		e.state = isSix
		e.addr = uint32(len(t.six))
		t.six = append(t.six, addr)
	} else {
		a := addr.As4()
		e.addr = binary.BigEndian.Uint32(a[:])
	}
	last := &t.chunks[len(t.chunks)-1]
	*last = append(*last, e)
	t.n++
	return index
}

func (t *table) at(index int) *entry { return &t.chunks[index/chunkLen][index%chunkLen] }

func (t *table) addr(index int) netip.Addr {
	e := t.at(index)
	if e.six() {
		return t.six[e.addr]
	}
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], e.addr)
	return netip.AddrFrom4(a)
}

// find looks for the target of a quote that holds no more than the low 16 bits of the index.
func (t *table) find(low int, addr netip.Addr) (index int, ok bool) {
	for i := low; i < t.n; i += 1 << 16 {
		if sameHost(t.addr(i), addr) {
			return i, true
		}
	}
	return 0, false
}

// sameHost compares without the zone, which a kernel fills in for link-local addresses only.
func sameHost(a, b netip.Addr) bool { return a.WithZone("") == b.WithZone("") }

// failure is the error of a target that did not answer.
func (e *entry) failure() error {
	switch {
	case e.errno != 0:
		return &SendError{Err: syscall.Errno(e.errno)}
	case e.hint != hintNone:
		return &UnreachableError{Reason: e.hint.String()}
	}
	return ErrNoReply
}

// hint is what was heard about a target that cannot be reached.
type hint uint8

const (
	hintNone hint = iota
	hintNet
	hintHost
	hintProhibited
	hintPort
	hintHops
	hintOther
	hintCommand
)

// String is the hint in words.
func (h hint) String() string {
	return [...]string{"", "network unreachable", "host unreachable", "administratively prohibited", "protocol or port unreachable",
		"time to live exceeded", "unreachable", "the ping command failed"}[h]
}

// hint4 gives the meaning of an ICMP error message.
func hint4(kind, code uint8) hint {
	switch {
	case kind == 11:
		return hintHops
	case kind != 3:
		return hintOther
	}
	switch code {
	case 0, 6, 11:
		return hintNet
	case 1, 7, 12:
		return hintHost
	case 2, 3:
		return hintPort
	case 9, 10, 13:
		return hintProhibited
	}
	return hintOther
}

// hint6 gives the meaning of an ICMPv6 error message.
func hint6(kind, code uint8) hint {
	switch {
	case kind == 3:
		return hintHops
	case kind != 1:
		return hintOther
	}
	switch code {
	case 0:
		return hintNet
	case 1, 5, 6:
		return hintProhibited
	case 3:
		return hintHost
	case 4:
		return hintPort
	}
	return hintOther
}
