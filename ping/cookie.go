package ping

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// cookieKey is the secret of one sweep: without it nobody who has not seen a request can make a reply to it.
type cookieKey struct{ k0, k1 uint64 }

func newCookieKey() cookieKey {
	var b [16]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	return cookieKey{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
}

// sign is the cookie of a request: SipHash-2-4 over what the request says and the address it goes to.
func (k cookieKey) sign(index, try uint32, sent uint64, to netip.Addr) uint64 {
	a := to.As16()
	return k.sipHash(
		uint64(index)|uint64(try)<<32,
		sent,
		binary.LittleEndian.Uint64(a[:8]),
		binary.LittleEndian.Uint64(a[8:]),
	)
}

// sipHash is SipHash-2-4 of whole words, of which there are at most 31. The hashes of the standard library would be either
// no keyed function that anybody has analysed, or ten times the cost of sending the packet.
func (k cookieKey) sipHash(words ...uint64) uint64 {
	s := sipState{k.k0 ^ 0x736f6d6570736575, k.k1 ^ 0x646f72616e646f6d, k.k0 ^ 0x6c7967656e657261, k.k1 ^ 0x7465646279746573}
	for _, w := range words {
		s.absorb(w)
	}
	s.absorb(uint64(len(words)) * 8 << 56)
	s[2] ^= 0xff
	for range 4 {
		s.round()
	}
	return s[0] ^ s[1] ^ s[2] ^ s[3]
}

type sipState [4]uint64

func (s *sipState) absorb(w uint64) {
	s[3] ^= w
	s.round()
	s.round()
	s[0] ^= w
}

func (s *sipState) round() {
	s[0] += s[1]
	s[1] = bits.RotateLeft64(s[1], 13) ^ s[0]
	s[0] = bits.RotateLeft64(s[0], 32)
	s[2] += s[3]
	s[3] = bits.RotateLeft64(s[3], 16) ^ s[2]
	s[0] += s[3]
	s[3] = bits.RotateLeft64(s[3], 21) ^ s[0]
	s[2] += s[1]
	s[1] = bits.RotateLeft64(s[1], 17) ^ s[2]
	s[2] = bits.RotateLeft64(s[2], 32)
}
