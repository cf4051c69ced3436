package syslog

import (
	"bytes"
	"unicode/utf8"
)

// legacy reads a message with a header that is not RFC 5424's: of RFC 3164, or a Cisco's.
func (r *reader) legacy(i int) bool {
	i = skipSpaces(r.b, i)
	var h ciscoHeader
	if end := h.clock.read(r.b, i); end > 0 && !h.clock.up {
		if !colonFollows(r.b, end) {
			return r.timed(&h.clock, end)
		}
		h.timed = true
		return r.ciscoFrom(&h, h.afterTime(r.b, end), false)
	}
	return r.cisco(i, false) || r.counted(i)
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
	if i = r.zoneBeforeHost(i); i < len(b) && month(b, i) > 0 && r.inner(i) { // a relay that named no host
		return
	}
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
	if r.clock.iso && isYear(b[i:end]) && end < len(b) { // a relay that did not know what it was
		i = skipSpaces(b, end)
		end = hostEnd(b, i)
	}
	r.m.Host = wordOrNone(unbracketed(b[i:end]))
	i = skipSpaces(b, end)
	app, proc, end := tag(b, i)
	switch {
	case end > 0 && (proc != nil || end == len(b) || !clockBegins(b[end]) && !isDigit(b[i])): // no header of a Cisco goes on like this
		r.tagged(app, proc, end)
	case r.cisco(i, true), r.message(i), r.inner(i):
	case end > 0:
		r.tagged(app, proc, end)
	case i+1 < len(b) && b[i] == ':': // ASA: "asa1 : %ASA-6-..."
		r.body(skipSpaces(b, i+1))
	case i+2 < len(b) && b[i] == '-' && b[i+1] == ' ' && r.vendor(i+2): // no program, by a relay that read RFC 5424
	default:
		r.body(i)
	}
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
	if proc == nil && bytes.IndexByte(app, ',') > 0 && r.programTopics(i) {
		return
	}
	r.body(r.sequence(i))
}

// sequence reads EOS's number in front of a mnemonic, "104: %LINEPROTO-5-UPDOWN: ...".
func (r *reader) sequence(i int) int {
	n, end := number(r.b, i)
	if end == i || end+2 >= len(r.b) || r.b[end] != ':' || r.b[end+1] != ' ' || r.b[end+2] != '%' {
		return i
	}
	r.m.Sequence = n
	return end + 2
}

// tag reads "app: " or "app[123]: " and returns where the text begins: 0 if there is none. Without a process id, only a colon with
// a space or the end behind it ends a tag: "10:20" is none. Behind a process id there may be no colon, where a relay read RFC 5424.
func tag(b []byte, i int) (app, proc []byte, next int) {
	const longest = 128
	j := run(b, i, inTag)
	if j == i || j-i > longest || j == len(b) || b[i] == '%' || b[i] == '<' || isDigit(b[i]) && digits(b[i:j]) >= 0 {
		return nil, nil, 0
	}
	app = b[i:j]
	if b[j] == ':' && (j+1 == len(b) || b[j+1] == ' ') {
		return app, nil, skipSpaces(b, j+1)
	}
	if b[j] != '[' {
		return nil, nil, 0
	}
	end := j + 1
	for end < len(b) && class[b[end]]&inWord != 0 && b[end] != ']' {
		end++
	}
	proc = b[j+1 : min(end, len(b))]
	if end+1 >= len(b) || b[end] != ']' || b[end+1] != ':' && (b[end+1] != ' ' || len(proc) == 0 || digits(proc) < 0) {
		return nil, nil, 0
	}
	return app, proc, skipSpaces(b, end+2)
}

// hostEnd is where the host ends that begins at i: i if what is there cannot be one. ArubaOS has brackets around an address.
func hostEnd(b []byte, i int) int {
	j := i
	if j < len(b) && b[j] == '[' {
		j++
	}
	j = run(b, j, inHost)
	ascii := true
	for j < len(b) && b[j] >= utf8.RuneSelf {
		j = run(b, j+1, inHost)
		ascii = false
	}
	if j < len(b) && b[j] == ']' {
		j++
	}
	if j == i || j-i > 255 || j < len(b) && b[j] != ' ' || !ascii && !printable(b[i:j]) {
		return i
	}
	return j
}

// unbracketed is a host without brackets around it.
func unbracketed(host []byte) []byte {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1]
	}
	return host
}
