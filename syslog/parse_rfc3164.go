package syslog

import (
	"unicode"
	"unicode/utf8"
)

// legacy reads a message with a header that is not RFC 5424's: of RFC 3164, or a Cisco's.
func (r *reader) legacy(i int) bool {
	i = skipSpaces(r.b, i)
	var c clock
	end := c.read(r.b, i)
	if end < 0 || c.up || colonFollows(r.b, end) {
		return r.cisco(i, false) || r.counted(i)
	}
	return r.timed(&c, end)
}

// timed reads on behind a time that ends where a word ends.
func (r *reader) timed(c *clock, end int) bool {
	if end < len(r.b) && r.b[end] != ' ' {
		return false
	}
	r.clock = *c
	r.rfc3164(skipSpaces(r.b, end))
	return true
}

// counted reads Cisco's counter in front of a header of RFC 3164.
func (r *reader) counted(i int) bool {
	n, end := number(r.b, i)
	if end == i || !colonEnds(r.b, end) {
		return false
	}
	var c clock
	end = c.read(r.b, skipSpaces(r.b, end+1))
	if end < 0 || c.up || !r.timed(&c, end) {
		return false
	}
	r.m.Counter = n
	return true
}

// rfc3164 reads what is behind the time: host, tag and text, each of which may be missing.
func (r *reader) rfc3164(i int) {
	r.m.Format = FormatRFC3164
	b := r.b
	i = r.zoneBeforeHost(i)
	if app, proc, end := tag(b, i); end > 0 {
		if proc != nil || !r.cisco(i, false) {
			r.tagged(app, proc, end)
		}
		return
	}
	end := hostEnd(b, i)
	if end == i {
		r.body(i)
		return
	}
	r.m.Host = wordOrNone(unbracketed(b[i:end]))
	i = skipSpaces(b, end)
	if r.cisco(i, true) || r.message(i) || r.inner(i) {
		return
	}
	if app, proc, end := tag(b, i); end > 0 {
		r.tagged(app, proc, end)
		return
	}
	if i < len(b) && b[i] == ':' { // ASA: "asa1 : %ASA-6-..."
		i = skipSpaces(b, i+1)
	}
	r.body(i)
}

// zoneBeforeHost reads the name of a zone in front of a host, and a year (RFC 3164, 5.4). In front of a tag the same word would be
// a host.
func (r *reader) zoneBeforeHost(i int) int {
	b := r.b
	if i >= len(b) || !isUpper(b[i]) {
		return i
	}
	c := r.clock
	end := c.readZoneName(b, i)
	if end == i || end >= len(b) || b[end] != ' ' {
		return i
	}
	next := c.readLateYear(b, end)
	c.check()
	if next = skipSpaces(b, next); tagged(b, next) {
		return i
	}
	r.clock = c
	return next
}

// tagged says that there is a tag at i which is not the host in front of a mnemonic.
func tagged(b []byte, i int) bool {
	_, _, end := tag(b, i)
	return end > 0 && !(end < len(b) && b[end] == '%')
}

// message reads a whole message behind the host of a relay.
func (r *reader) message(i int) bool {
	priority, end := priority(r.b, i)
	if end == 0 || r.nested {
		return false
	}
	relay := r.m.Host
	r.nested, r.m.Host = true, nil
	if !r.rfc5424(end) && !r.legacy(end) {
		r.m.Host = relay
		return false
	}
	r.m.setPriority(priority)
	r.m.Relay = relay
	if r.m.Host == nil {
		r.m.Host = relay
	}
	return true
}

// inner reads a second header of RFC 3164 behind the one that a relay put in front. It takes a tag or a percent sign to tell it
// from a text that begins with a time.
func (r *reader) inner(i int) bool {
	b := r.b
	var c clock
	end := c.read(b, i)
	if r.nested || end < 0 || end == len(b) || c.up || c.iso && b[i+10] != 'T' {
		return false
	}
	next := skipSpaces(b, end)
	if !tagged(b, next) {
		host := hostEnd(b, next)
		behind := skipSpaces(b, host)
		if host == next || behind == len(b) || b[behind] != '%' && !tagged(b, behind) {
			return false
		}
	}
	r.nested, r.clock = true, c
	r.m.Relay = r.m.Host
	r.rfc3164(next)
	return true
}

// tagged takes the tag of a message and reads on.
func (r *reader) tagged(app, proc []byte, i int) {
	r.m.App, r.m.ProcID = app, proc
	if n, end := number(r.b, i); end > i && end+2 < len(r.b) && r.b[end] == ':' && r.b[end+1] == ' ' && r.b[end+2] == '%' {
		r.m.Sequence = n // EOS: "Ebra: 104: %LINEPROTO-5-UPDOWN: ..."
		i = end + 2
	}
	r.body(i)
}

// tag reads "app: " or "app[123]: " and returns where the text begins: 0 if there is none. Without a process id, only a colon with
// a space or the end behind it ends a tag: "10:20" is none.
func tag(b []byte, i int) (app, proc []byte, next int) {
	const longest = 128
	j := i
	for j < len(b) && b[j]-'!' <= '~'-'!' && b[j] != ':' && b[j] != '[' {
		j++
	}
	if j == i || j-i > longest || j == len(b) || b[i] == '%' || digits(b[i:j]) >= 0 {
		return nil, nil, 0
	}
	app = b[i:j]
	if b[j] == '[' {
		end := j + 1
		for end < len(b) && b[end]-'!' <= '~'-'!' && b[end] != ']' {
			end++
		}
		if end+1 >= len(b) || b[end] != ']' || b[end+1] != ':' {
			return nil, nil, 0
		}
		return app, b[j+1 : end], skipSpaces(b, end+2)
	}
	if b[j] != ':' || j+1 < len(b) && b[j+1] != ' ' {
		return nil, nil, 0
	}
	return app, nil, skipSpaces(b, j+1)
}

// hostEnd is where the host ends that begins at i: i if what is there cannot be one.
func hostEnd(b []byte, i int) int {
	j := i
	for j < len(b) && (hostByte(b[j]) || b[j] >= utf8.RuneSelf) {
		j++
	}
	if j-i > 255 || j < len(b) && b[j] != ' ' || !printable(b[i:j]) {
		return i
	}
	return j
}

// hostByte is what names and addresses of hosts are made of; ASA writes the context behind a slash, IPv6 the zone behind a percent
// sign, ArubaOS brackets around an address.
func hostByte(c byte) bool {
	switch c {
	case '-', '.', '_', ':', '/', '%', '@', '+', '~', '[', ']':
		return true
	}
	return isAlnum(c)
}

// printable says that b is UTF-8 of which every character leaves a mark: a name that is not may be meant for a terminal.
func printable(b []byte) bool {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			if b[i]-'!' > '~'-'!' {
				return false
			}
			i++
			continue
		}
		c, size := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError || !unicode.IsGraphic(c) || unicode.IsSpace(c) {
			return false
		}
		i += size
	}
	return true
}

// unbracketed is a host without brackets around it.
func unbracketed(host []byte) []byte {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1]
	}
	return host
}
