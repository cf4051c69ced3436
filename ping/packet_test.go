package ping

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/quick"
)

// The vectors are those of the reference implementation: key 00..0f, messages 00, 0001, ... of which 0, 8 and 16 bytes
// are whole words.
func TestCookieIsSipHash(t *testing.T) {
	t.Parallel()
	k := cookieKey{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	for _, c := range []struct {
		words []uint64
		want  uint64
	}{
		{nil, 0x726fdb47dd0e0e31},
		{[]uint64{0x0706050403020100}, 0x93f5f5799a932462},
		{[]uint64{0x0706050403020100, 0x0f0e0d0c0b0a0908}, 0x3f2acc7f57c29bdb},
	} {
		if got := k.sipHash(c.words...); got != c.want {
			t.Errorf("%d words: got %x, want %x", len(c.words), got, c.want)
		}
	}
}

func TestCookieDependsOnAllThatARequestSays(t *testing.T) {
	t.Parallel()
	k, to := newCookieKey(), netip.MustParseAddr("198.18.0.1")
	cookie := k.sign(1, 1, 1, to)
	for what, other := range map[string]uint64{
		"index":   k.sign(2, 1, 1, to),
		"try":     k.sign(1, 2, 1, to),
		"time":    k.sign(1, 1, 2, to),
		"address": k.sign(1, 1, 1, to.Next()),
		"key":     newCookieKey().sign(1, 1, 1, to),
	} {
		if other == cookie {
			t.Errorf("the cookie does not depend on the %s", what)
		}
	}
}

func TestARequestSaysWhatItsReplySays(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"198.18.0.1", "2001:db8::1"} {
		addr := netip.MustParseAddr(to)
		same := func(index uint32, try uint8, sent, cookie uint64, id uint16) bool {
			want := echo{index: index, try: uint32(try), sent: sent, cookie: cookie}
			var b [packetLen]byte
			want.put(b[:], addr, id)
			quoted, whole, ok := parseQuote(b[:], addr)
			got, ok2 := parseReply(asReply(b[:]), addr)
			short, shortWhole, ok3 := parseQuote(b[:headerLen], addr)
			return ok && ok2 && ok3 && whole && !shortWhole && quoted == want && got == want && short.index == index&0xffff &&
				binary.BigEndian.Uint16(b[4:]) == id
		}
		if err := quick.Check(same, nil); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestARequestOfIPv4HasARightChecksum(t *testing.T) {
	t.Parallel()
	var b [packetLen]byte
	echo{index: 0xfffefdfc, try: 3, sent: 1 << 60, cookie: 0xdeadbeef12345678}.put(b[:], netip.MustParseAddr("198.18.0.1"), 0xabcd)
	if got := checksum(b[:]); got != 0 {
		t.Errorf("the sum over a packet with its checksum is %x, want 0", got)
	}
}

// asReply makes the reply to a request.
func asReply(request []byte) []byte {
	b := append([]byte(nil), request...)
	if b[0] == echoRequest4 {
		b[0] = echoReply4
	} else {
		b[0] = echoReply6
	}
	return b
}

func FuzzReply(f *testing.F) {
	var b [packetLen]byte
	four, six := netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("2001:db8::1")
	echo{index: 1, sent: 2, cookie: 3}.put(b[:], four, 4)
	f.Add(asReply(b[:]))
	f.Add(b[:])
	f.Add([]byte{})
	f.Add([]byte{0x4f, 0, 0})
	f.Add(asReply(b[:])[:packetLen-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, from := range []netip.Addr{four, six} {
			e := engine{line: newLine(nil, anyIDs(2)), cfg: Config{Tries: 2}, sum: &Summary{}, yield: func(Reply, error) bool {
				t.Error("a host is up by bytes that nobody who knows the key has made")
				return false
			}}
			e.table.add(four)
			e.table.add(six)
			e.take(arrival{peer: from, message: b})
			e.take(arrival{peer: from, message: b, hint: hintHost})
			s := steady{line: newLine(nil, anyIDs(2)), yield: func(Probe, error) bool {
				t.Error("a request has a reply by bytes that nobody who knows the key has made")
				return false
			}}
			s.slots = []slot{{target: &planned{Target: Target{Addr: four}}, seq: 9}, {target: &planned{Target: Target{Addr: six}}, seq: 9}}
			s.take(arrival{peer: from, message: b})
			s.take(arrival{peer: from, message: b, hint: hintHost})
			if e.sum.Up+e.sum.Received+s.stats.Received != 0 {
				t.Errorf("counted: %+v, %+v", *e.sum, s.stats)
			}
		}
	})
}
