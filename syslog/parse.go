package syslog

import "time"

// Parse reads a message as one that comes now from a device whose clock shows UTC where it does not say its zone. It keeps b.
func Parse(b []byte) Message {
	var p Parser
	return p.Parse(b, time.Now())
}

// Parser reads messages. The zero Parser is ready; one may be used by many at once.
type Parser struct {
	Location *time.Location // of clocks that do not tell their zone; nil: UTC
}

// Parse reads a message. A time without a year is of the last one in which it is not more than a month after received. The slices of the Message
// are parts of b; the fields that a receiver knows (Received, Source, Transport, Peer, Truncated) are not set.
func (p *Parser) Parse(b []byte, received time.Time) Message {
	var m Message
	p.ParseInto(&m, b, received)
	return m
}

// ParseInto is Parse into a Message that is used again: all that a message says is set anew, what a receiver knows is left as
// it is. It does not allocate.
func (p *Parser) ParseInto(m *Message, b []byte, received time.Time) {
	reset(m, b)
	r := reader{m: m, b: trimEnd(b)}
	i := r.priority()
	if !r.rfc5424(i) && !r.legacy(i) {
		r.bare(i)
	}
	m.setTime(&r.clock, received, p.Location)
}

// reset makes m a message of which nothing is understood. It sets field by field: a struct literal would be built aside and copied.
func reset(m *Message, raw []byte) {
	m.Format, m.Facility, m.Severity, m.Prioritized = FormatText, User, Notice, false
	m.Host, m.Relay, m.Time, m.Quality, m.Uptime = nil, nil, time.Time{}, TimeQuality{}, 0
	m.Counter, m.Sequence = 0, 0
	m.App, m.ProcID, m.MsgID, m.Mnemonic, m.Data, m.Text = nil, nil, nil, nil, nil, nil
	m.Raw = raw
}

// reader goes over one message from its beginning to its end. What its methods are given and return are places in b; a method
// that does not find what it looks for leaves the Message as it is.
type reader struct {
	m      *Message
	b      []byte // the message without what trails it
	clock  clock
	nested bool // it is a message within a message
}

// priority reads <PRI> and returns where it ends: 0 if there is none.
func (r *reader) priority() int {
	pri, end := priority(r.b, 0)
	if end > 0 {
		r.m.setPriority(pri)
	}
	return end
}

func (m *Message) setPriority(pri int) {
	m.Facility, m.Severity, m.Prioritized = Facility(pri>>3), Severity(pri&7), true
}

// priority reads <0> to <191>. Leading zeros make it text (RFC 3164, 4.3.3); end is 0 if there is none.
func priority(b []byte, i int) (pri, end int) {
	if i >= len(b) || b[i] != '<' {
		return 0, 0
	}
	for j := i + 1; j < len(b) && j <= i+4; j++ {
		c := b[j] - '0'
		switch {
		case b[j] == '>' && j > i+1 && pri <= 191:
			return pri, j + 1
		case c > 9, j > i+1 && pri == 0:
			return 0, 0
		}
		pri = pri*10 + int(c)
	}
	return 0, 0
}

// bare reads a message without any header of its own. If nobody writes so, the text is all of it, with its first space.
func (r *reader) bare(i int) {
	start := skipSpaces(r.b, i)
	if start < len(r.b) && r.vendor(start) {
		return
	}
	if app, proc, end := tag(r.b, start); end > 0 && r.m.Prioritized {
		r.m.Format = FormatRFC3164
		r.tagged(app, proc, end)
		return
	}
	r.plain(i)
}

// body reads what is behind the header, as the vendors write it. If none of them does, all of it is text.
func (r *reader) body(i int) {
	if i == len(r.b) || !r.vendor(i) {
		r.plain(i)
	}
}

// plain makes all from i on the text, and the data too if it is pairs.
func (r *reader) plain(i int) {
	r.text(i)
	if r.m.Data == nil && pairsBegin(r.m.Text) {
		r.m.Data = r.m.Text
	}
}

func (r *reader) vendor(i int) bool {
	tagged := r.m.App != nil
	switch c := r.b[i]; {
	case c == '%':
		return tagged && r.junosPriority(i) || r.mnemonic(i) || r.huawei(i)
	case c == '[':
		return tagged && r.frr(i)
	case c == '<':
		return r.arubaOS(i)
	case isDigit(c):
		return r.panOS(i) || r.arubaSwitch(i)
	case isUpper(c):
		return r.arubaCX(i) || tagged && r.junos(i)
	}
	return !tagged && (r.fortinet(i) || r.routerOS(i))
}

// text makes all from i on the text.
func (r *reader) text(i int) {
	r.m.Text = trimMark(r.b[i:])
}
