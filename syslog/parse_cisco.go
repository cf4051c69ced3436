package syslog

// ciscoHeader is what a Cisco puts in front of a mnemonic: "123: sw1: 000104: *Mar  1 18:46:11.123: ". Each part may be missing or
// be there twice.
type ciscoHeader struct {
	counter, sequence uint64
	host, app, proc   []byte
	clock             clock
	timed             bool // the clock is read
	colon             bool // a colon was behind the time
	counted           bool // the place of the counter is behind us
	numbered          bool // there was a number in front of the host
	node              bool // IOS-XR's RP/0/RP0/CPU0:
	spaced            bool // a space, and no colon, was behind the host
	mustTime          bool // without a time it is none
}

// cisco reads a header of Cisco's with a mnemonic, or with a time and a colon (a debug message has no mnemonic). Behind the header
// of a relay it takes a number or a time of its own: "host word: %FAC-5-MNEM:" is a header of Arista's.
func (r *reader) cisco(i int, relayed bool) bool {
	var h ciscoHeader
	return r.ciscoFrom(&h, i, relayed)
}

// ciscoFrom goes on with a header of which the first part may have been read.
func (r *reader) ciscoFrom(h *ciscoHeader, i int, relayed bool) bool {
	b := r.b
	for range 9 {
		i = skipSpaces(b, i)
		if i == len(b) || b[i] == '%' || b[i] == '#' {
			break
		}
		next := h.part(b, i)
		if next < 0 {
			break
		}
		i = next
	}
	n, found := readMnemonic(b, i)
	switch {
	case !found && !h.colon:
		return false
	case !relayed || h.timed || h.numbered && !h.mustTime:
	case !found || !h.spaced || h.mustTime:
		return false
	case n.format(h) != FormatASA: // EOS's program, behind which a relay that read RFC 5424 wrote no colon
		h.host, h.app, relayed = nil, h.host, false
	}
	r.takeCisco(h, relayed)
	if !found {
		r.trace(i, h.node)
		return true
	}
	r.takeMnemonic(n)
	if r.m.Format = n.format(h); h.spaced && h.app != nil && r.m.Format == FormatIOS {
		r.m.Format = FormatEOS
	}
	return true
}

// trace reads a message without a mnemonic. IOS-XR names the process in front of it.
func (r *reader) trace(i int, node bool) {
	r.m.Format = FormatIOS
	if node {
		r.m.Format = FormatIOSXR
		if app, proc, next := tag(r.b, i); proc != nil {
			r.m.App, r.m.ProcID, i = app, proc, next
		}
	}
	r.text(i)
}

// takeCisco puts the header into the Message. What a relay put in front is overruled; where there is no other, the name that the
// relay has for the device is the host.
func (r *reader) takeCisco(h *ciscoHeader, relayed bool) {
	m := r.m
	m.Counter, m.Sequence = h.counter, h.sequence
	m.App, m.ProcID = h.app, h.proc
	if relayed {
		m.Relay = m.Host
	}
	if h.host != nil {
		m.Host = h.host
	}
	if h.timed {
		r.clock = h.clock
	}
}

// part reads one part of the header and returns where it ends: -1 if there is none.
func (h *ciscoHeader) part(b []byte, i int) int {
	if b[i] == ':' && (i+1 == len(b) || b[i+1] != ':') { // ::1 is a host
		h.counted = true
		return i + 1
	}
	if isDigit(b[i]) {
		if next := h.readNumber(b, i); next > 0 {
			return next
		}
	}
	if !h.timed && clockBegins(b[i]) {
		if end := h.clock.read(b, i); end > 0 && (!h.clock.up || colonFollows(b, end)) {
			h.timed = true
			return h.afterTime(b, end)
		}
		h.clock = clock{}
	}
	return h.readWord(b, i)
}

// readNumber reads "123: ". The first one is the counter of the messages to this receiver, unless it is padded to six digits as
// those of "service sequence-numbers" are, or it is behind the counter's place.
func (h *ciscoHeader) readNumber(b []byte, i int) int {
	n, end := number(b, i)
	if end == i || end+1 >= len(b) || b[end] != ':' || b[end+1] != ' ' {
		return -1
	}
	if padded := b[i] == '0' && end-i >= 6; padded || h.counted {
		h.sequence = n
	} else {
		h.counter = n
	}
	h.counted = true
	h.numbered = h.numbered || h.host == nil
	return end + 2
}

// afterTime reads the colon behind a time, with a zone that nobody else has heard of in front of it.
func (h *ciscoHeader) afterTime(b []byte, i int) int {
	if colonFollows(b, i) {
		h.colon = true
		return skipSpaces(b, i) + 1
	}
	if i == len(b) || b[i] != ' ' {
		return -1
	}
	end := skipSpaces(b, i)
	start := end
	for end < len(b) && isUpper(b[end]) {
		end++
	}
	sure := h.numbered || h.host != nil || h.clock.unsynced || h.node
	if sure && end > start && end-start <= 8 && end < len(b) && b[end] == ':' {
		h.colon = true
		return end + 1
	}
	return i
}

// readWord reads a host, IOS-XR's node or the name of a process.
func (h *ciscoHeader) readWord(b []byte, i int) int {
	if end := nodeEnd(b, i); end > 0 {
		h.node, h.counted = true, true
		return end
	}
	if h.timed && h.app == nil {
		if app, proc, next := tag(b, i); next > 0 && next < len(b) && b[next] == '%' {
			if proc == nil && h.host == nil && !h.node {
				h.host = app
			} else {
				h.app, h.proc = app, proc
			}
			return next
		}
	}
	if b[i] == '*' { // AireOS: "*spamApTask2: "
		if app, _, next := tag(b, i); next > 0 && len(app) > 1 {
			h.app = app[1:]
			return next
		}
	}
	end := run(b, i, inHost)
	if end == i || end == len(b) || end-i > 255 || b[end] != ' ' || h.colon {
		return -1
	}
	switch next := skipSpaces(b, end); {
	case b[end-1] == ':' && end-1 > i:
		if h.timed {
			return -1
		}
		h.host, h.counted = b[i:end-1], true
	case next < len(b) && (b[next] == '%' || b[next] == ':' || nodeEnd(b, next) > 0):
		h.host, h.spaced = b[i:end], true
	default:
		return -1
	}
	return end
}

// nodeEnd is the end of IOS-XR's name of a card, "RP/0/RP0/CPU0:", in front of the time: 0 if there is none.
func nodeEnd(b []byte, i int) int {
	slashes := 0
	for i = run(b, i, inUpper); i < len(b) && b[i] == '/'; i = run(b, i+1, inUpper) {
		slashes++
	}
	if slashes < 2 || i == len(b) || b[i] != ':' {
		return 0
	}
	return i + 1
}
