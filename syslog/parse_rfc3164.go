package syslog

// legacy reads a message with a header that is not RFC 5424's: of RFC 3164, or a Cisco's.
func (r *reader) legacy(i int) bool {
	i = skipSpaces(r.b, i)
	var c clock
	end := c.read(r.b, i)
	if end < 0 || c.up || colonFollows(r.b, end) {
		return r.cisco(i, false)
	}
	if end < len(r.b) && r.b[end] != ' ' {
		return false
	}
	r.clock = c
	r.rfc3164(skipSpaces(r.b, end))
	return true
}

// rfc3164 reads what is behind the time: host, tag and text, each of which may be missing.
func (r *reader) rfc3164(i int) {
	r.m.Format = FormatRFC3164
	b := r.b
	if i = r.zoneBeforeHost(i); i < len(b) && b[i] == '%' && r.mnemonic(i) {
		return
	}
	if app, proc, end := tag(b, i); end > 0 {
		if proc == nil && r.cisco(i, false) {
			return
		}
		r.tagged(app, proc, end)
		return
	}
	end := hostEnd(b, i)
	if end == i {
		r.text(i)
		return
	}
	r.m.Host = b[i:end]
	i = skipSpaces(b, end)
	if r.cisco(i, true) || r.named(i) {
		return
	}
	if app, proc, end := tag(b, i); end > 0 {
		r.tagged(app, proc, end)
		return
	}
	r.text(i)
}

// zoneBeforeHost reads the name of a zone in front of a host. In front of a tag the same word would be a host.
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
	next := skipSpaces(b, end)
	if _, _, tagged := tag(b, next); tagged > 0 && !(tagged < len(b) && b[tagged] == '%') {
		return i
	}
	r.clock = c
	return next
}

// named reads a mnemonic right behind a host, as NX-OS and ASA have it.
func (r *reader) named(i int) bool {
	if i < len(r.b) && r.b[i] == ':' {
		i = skipSpaces(r.b, i+1)
	}
	return i < len(r.b) && r.b[i] == '%' && r.mnemonic(i)
}

// tagged takes the tag of a message and reads on.
func (r *reader) tagged(app, proc []byte, i int) {
	r.m.App, r.m.ProcID = app, proc
	if i < len(r.b) && r.b[i] == '%' && r.mnemonic(i) {
		return
	}
	r.text(i)
}

// tag reads "app: " or "app[123]: " and returns where the text begins: 0 if there is none. Without a process id, only a colon with
// a space or the end behind it ends a tag: "10:20" is none.
func tag(b []byte, i int) (app, proc []byte, next int) {
	const longest = 128
	j := i
	for j < len(b) && b[j]-'!' <= '~'-'!' && b[j] != ':' && b[j] != '[' {
		j++
	}
	if j == i || j-i > longest || j == len(b) {
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
	for j < len(b) && hostByte(b[j]) {
		j++
	}
	if j-i > 255 || j < len(b) && b[j] != ' ' {
		return i
	}
	return j
}

// hostByte is what names and addresses of hosts are made of; ASA writes the context behind a slash, IPv6 a zone behind a percent sign.
func hostByte(c byte) bool {
	switch c {
	case '-', '.', '_', ':', '/', '%', '@', '+', '~':
		return true
	}
	return isAlnum(c)
}
