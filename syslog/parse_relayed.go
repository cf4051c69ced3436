package syslog

import "bytes"

// within5424 reads what vendors put into the form of RFC 5424, and what a relay did with a form of theirs.
func (r *reader) within5424(i int) bool {
	m := r.m
	if m.MsgID != nil && junosElement(m.Data) {
		m.Format, m.Mnemonic = FormatJunos, m.MsgID
		r.text(i)
		return true
	}
	start := skipSpaces(r.b, i)
	if m.App != nil && r.misread(start, start > i) {
		return true
	}
	if start < len(r.b) && r.b[start] == ':' {
		start = skipSpaces(r.b, start+1)
	}
	if start == len(r.b) {
		return false
	}
	if m.App == nil && (r.cisco(start, true) || r.message(start) || r.inner(start)) {
		return true
	}
	return r.vendor(r.sequence(start))
}

// misread puts right what relays make of messages that are not RFC 3164's: rsyslog takes their first word for the program. Where
// that ended with a colon and a space, the text still begins with the space.
func (r *reader) misread(i int, spaced bool) bool {
	m := r.m
	if isYear(m.Host) { // behind the time, and so the host is in the place of the program
		m.Host, m.App = m.App, nil
		if app, proc, end := tag(r.b, i); end > 0 {
			r.tagged(app, proc, end)
			return true
		}
		r.body(i)
		return true
	}
	switch c := m.App[0]; {
	case c == '%':
		return r.programMnemonic(i)
	case i == len(r.b):
		return false
	case isDigit(c) && digits(m.App) >= 0:
		return spaced && (r.programNumber(i) || r.programEvent(i))
	case spaced && bytes.IndexByte(m.App, ',') > 0:
		return r.programTopics(i) || r.programDate(i)
	case bytes.IndexByte(m.App, '=') > 0:
		return r.fortinet(i)
	}
	return spaced && clockBegins(r.b[i]) && r.programHost(i)
}

func isYear(word []byte) bool {
	if len(word) != 4 {
		return false
	}
	year := digits(word)
	return year >= 1900 && year < 2200
}

// programMnemonic finds a mnemonic in the place of the program. NX-OS puts it there itself.
func (r *reader) programMnemonic(i int) bool {
	n, found := readMnemonic(r.m.App, 0)
	n.next = i
	if string(r.m.App) == "%$" { // NX-OS's virtual device behind it
		n, found = readMnemonic(r.b, skipVDC(r.b, i))
		n.vdc = true
	}
	if !found {
		return false
	}
	r.m.App = nil
	r.takeMnemonic(n)
	r.m.Format = n.format(&ciscoHeader{clock: r.clock})
	return true
}

// programNumber finds Cisco's counter, or its sequence number, in the place of the program.
func (r *reader) programNumber(i int) bool {
	m := r.m
	relay, app := m.Host, m.App
	if !r.cisco(i, false) {
		return false
	}
	m.Relay = relay
	switch n, _ := number(app, 0); {
	case app[0] != '0' || len(app) < 6:
		if m.Counter != 0 && m.Sequence == 0 { // it was the second of two
			m.Sequence = m.Counter
		}
		m.Counter = n
	case m.Sequence == 0:
		m.Sequence = n
	}
	return true
}

// programEvent finds ArubaOS-Switch's number of an event in the place of the program.
func (r *reader) programEvent(i int) bool {
	m := r.m
	app, proc, end := tag(r.b, i)
	if len(m.App) != 5 || m.App[0] != '0' || end == 0 || proc != nil {
		return false
	}
	event := m.App
	m.App = app
	r.takeAruba(event, m.Severity, end)
	return true
}

// programTopics finds RouterOS's topics in the place of the program.
func (r *reader) programTopics(i int) bool {
	m := r.m
	end, severity, found := topics(m.App, 0)
	if !found || end < len(m.App) {
		return false
	}
	topics := m.App
	m.App = nil
	r.takeTopics(topics, severity, i)
	return true
}

// programDate finds the beginning of a PAN-OS's second value, the rest of which is lost, in the place of the program.
func (r *reader) programDate(i int) bool {
	_, end := number(r.m.App, 0)
	if end == 0 || end == len(r.m.App) || !isYear(r.m.App[end+1:]) || !r.panOSLog(i, panOSValue(r.b, i, 2)) {
		return false
	}
	r.m.App = nil
	return true
}

// programHost finds the name of a Cisco in the place of the program.
func (r *reader) programHost(i int) bool {
	m := r.m
	relay, app := m.Host, m.App
	h := ciscoHeader{counted: true, mustTime: true}
	if !r.ciscoFrom(&h, i, true) {
		return false
	}
	m.Relay = relay
	if h.host == nil && hostEnd(app, 0) == len(app) {
		m.Host = app
	}
	return true
}
