package probe

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"strings"
	"time"
	"unicode/utf8"
)

// The bytes of telnet (RFC 854) that are told from text.
const (
	telnetSE   = 240
	telnetSB   = 250
	telnetWILL = 251
	telnetDONT = 254
	telnetIAC  = 255
)

// banner waits for what a server says by itself, and ends the connection. It tells whether the server said anything.
func banner(ctx context.Context, conn net.Conn, wait time.Duration) (line string, spoke bool) {
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	release := until(bounded, conn)
	defer release()
	in := greetingOf(conn)
	line, spoke = readBanner(in)
	if strings.HasPrefix(line, "SSH-") {
		farewell(conn, in)
	}
	return line, spoke
}

// readBanner reads the first line that is not blank. A prompt, which does not end, is one when the time is over.
func readBanner(in *bufio.Reader) (line string, spoke bool) {
	var text []byte
	for len(text) < maxLine {
		c, err := in.ReadByte()
		if err != nil {
			break
		}
		spoke = true
		switch {
		case c == telnetIAC:
			text = append(text, skipTelnet(in)...)
		case c != '\n':
			text = append(text, c)
		case len(bytes.TrimSpace(text)) > 0:
			return clean(text), true
		default:
			text = text[:0]
		}
	}
	return clean(text), spoke
}

// skipTelnet reads on behind an IAC. It returns the byte that was text after all: a doubled IAC.
func skipTelnet(in *bufio.Reader) []byte {
	c, _ := in.ReadByte()
	switch {
	case c == telnetIAC:
		return []byte{telnetIAC}
	case c >= telnetWILL && c <= telnetDONT:
		_, _ = in.Discard(1) // the option
	case c == telnetSB:
		skipSub(in)
	}
	return nil
}

// skipSub reads on to the end of a subnegotiation.
func skipSub(in *bufio.Reader) {
	last := byte(0)
	for {
		c, err := in.ReadByte()
		if err != nil || last == telnetIAC && c == telnetSE {
			return
		}
		last = c
	}
}

// clean makes a line of what was read: valid UTF-8 of at most maxLine bytes, empty where all of it is blank.
func clean(text []byte) string {
	line := strings.ToValidUTF8(strings.TrimRight(string(text), "\r"), "\uFFFD")
	for len(line) > maxLine {
		_, size := utf8.DecodeLastRuneInString(line)
		line = line[:len(line)-size]
	}
	if strings.TrimSpace(line) == "" {
		return ""
	}
	return line
}
