package syslogtest

import (
	"bytes"
	"strconv"
)

// Form writes message n in the form of some kind of sender.
type Form func(b []byte, n int) []byte

// Cisco is what an IOS switch says of its interfaces, numbered as Cisco's counter.
func Cisco(b []byte, n int) []byte {
	b = append(b, "<189>"...)
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, ": sw1: *Mar  1 18:46:11.123: %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/1, changed state to up"...)
}

// RFC3164 is what a Linux daemon says, with its number in the text.
func RFC3164(b []byte, n int) []byte {
	b = append(b, "<30>Nov 29 04:08:48 host1 sshd[4711]: Connection closed by 192.0.2.7 port 51234 number "...)
	return strconv.AppendInt(b, int64(n), 10)
}

// RFC5424 is the same in the other form, with its number as sequenceId.
func RFC5424(b []byte, n int) []byte {
	b = append(b, `<30>1 2026-11-29T04:08:48.123456Z host1 sshd 4711 - [meta sequenceId="`...)
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, `"] Connection closed by 192.0.2.7 port 51234`...)
}

// Number finds the number of a message of RFC3164 in its text.
func Number(text []byte) (int, bool) {
	i := bytes.LastIndexByte(text, ' ')
	n, err := strconv.Atoi(string(text[i+1:]))
	return n, err == nil && i > 0
}
