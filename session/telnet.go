package session

import (
	"bytes"
	"net"
)

// Telnet's bytes (RFC 854) and the options that matter (RFC 857, 858, 1091, 1073).
const (
	telnetSE   = 240
	telnetSB   = 250
	telnetWILL = 251
	telnetWONT = 252
	telnetDO   = 253
	telnetDONT = 254
	telnetIAC  = 255

	optionEcho = 1
	optionSGA  = 3
	optionType = 24
	optionSize = 31
)

// telnet is the text of a telnet connection: it takes the protocol's own bytes out and answers them. It lets the
// device echo and suppress go-ahead, names its terminal and the size of it, and refuses all else.
type telnet struct {
	net.Conn
	term          string
	width, height int

	state  byte   // the command begun: 0, IAC, WILL..., SB
	sub    []byte // of a subnegotiation
	told   [256]byte
	asked  [256]byte
	halved bool // an IAC inside of a subnegotiation
}

// maxSub bounds a subnegotiation.
const maxSub = 256

// Read reads text; bytes of the protocol only give 0 bytes and no error.
func (t *telnet) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	out := p[:0]
	var answer []byte
	for _, c := range p[:n] {
		if t.state == 0 && c != telnetIAC {
			out = append(out, c)
			continue
		}
		if t.step(c, &answer) {
			out = append(out, telnetIAC)
		}
	}
	if len(answer) > 0 {
		if _, lost := t.Conn.Write(answer); lost != nil && err == nil {
			err = lost
		}
	}
	return len(out), err
}

// step takes one byte of the protocol; it reports a doubled IAC, which is text.
func (t *telnet) step(c byte, answer *[]byte) (text bool) {
	switch t.state {
	case 0:
		t.state = telnetIAC
	case telnetIAC:
		t.state = 0
		switch c {
		case telnetWILL, telnetWONT, telnetDO, telnetDONT:
			t.state = c
		case telnetSB:
			t.state, t.sub, t.halved = telnetSB, nil, false
		case telnetIAC:
			return true
		}
	case telnetSB:
		t.inSub(c, answer)
	default:
		t.negotiate(t.state, c, answer)
		t.state = 0
	}
	return false
}

func (t *telnet) inSub(c byte, answer *[]byte) {
	if t.halved && c == telnetSE {
		t.state = 0
		if bytes.Equal(t.sub, []byte{optionType, 1}) {
			*answer = append(*answer, telnetIAC, telnetSB, optionType, 0)
			*answer = append(append(*answer, t.term...), telnetIAC, telnetSE)
		}
		return
	}
	if t.halved = c == telnetIAC && !t.halved; t.halved {
		return
	}
	if t.sub = append(t.sub, c); len(t.sub) > maxSub {
		t.state = 0
	}
}

// negotiate answers a wish once: an answer that says what was said before is no news and could go on for ever.
func (t *telnet) negotiate(wish, option byte, answer *[]byte) {
	say := byte(0)
	said := &t.told[option]
	switch wish {
	case telnetWILL, telnetWONT:
		said = &t.asked[option]
		say = telnetDONT
		if wish == telnetWILL && (option == optionEcho || option == optionSGA) {
			say = telnetDO
		}
	case telnetDO, telnetDONT:
		say = telnetWONT
		if wish == telnetDO && (option == optionType || option == optionSize || option == optionSGA) {
			say = telnetWILL
		}
	}
	if *said == say {
		return
	}
	*said = say
	*answer = append(*answer, telnetIAC, say, option)
	if say == telnetWILL && option == optionSize {
		size := []byte{byte(t.width >> 8), byte(t.width), byte(t.height >> 8), byte(t.height)}
		*answer = append(*answer, telnetIAC, telnetSB, optionSize)
		*answer = append(*answer, bytes.ReplaceAll(size, []byte{telnetIAC}, []byte{telnetIAC, telnetIAC})...)
		*answer = append(*answer, telnetIAC, telnetSE)
	}
}

// Write doubles what the protocol would take for its own.
func (t *telnet) Write(b []byte) (int, error) {
	_, err := t.Conn.Write(bytes.ReplaceAll(b, []byte{telnetIAC}, []byte{telnetIAC, telnetIAC}))
	return len(b), err
}
