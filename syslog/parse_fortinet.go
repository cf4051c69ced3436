package syslog

import "bytes"

// fortinet reads a line of key=value pairs as FortiOS writes it. All of it is the text, for a person needs the pairs to know what
// happened to whom; the logid, which the vendor's reference is sorted by, is the mnemonic.
func (r *reader) fortinet(i int) bool {
	b := r.b
	if !fortinetBegins(b[i:]) {
		return false
	}
	var f fortinetLine
	if first, _, _ := plainPair(r.m.App, 0); first.Name != nil { // a relay took it for the program
		f.take(first.Name, first.Value)
	}
	const most = 20 // pairs: what is looked for is in front
	for n, j := 0, i; n < most && j < len(b) && !f.complete(r.m.Prioritized); n++ {
		p, _, next := plainPair(b, j)
		f.take(p.Name, p.Value)
		j = next
	}
	if f.id == nil || f.device == nil {
		return false
	}
	m := r.m
	m.Format, m.Mnemonic, m.App, m.Data = FormatFortiOS, f.id, nil, b[i:]
	if f.host != nil {
		if !bytes.Equal(m.Host, f.host) { // FortiOS writes headers of RFC 5424 too
			m.Relay = m.Host
		}
		m.Host = f.host
	}
	if !m.Prioritized && f.leveled {
		m.Severity = f.severity
	}
	if c, ok := f.clock(); ok {
		r.clock = c
	}
	r.text(i)
	return true
}

// fortinetBegins looks at the first key: the others are looked for only behind one of these.
func fortinetBegins(b []byte) bool {
	end := run(b, 0, inName)
	if end == len(b) || b[end] != '=' {
		return false
	}
	switch string(b[:end]) {
	case "date", "logver", "devname", "devid", "eventtime", "timestamp", "itime", "time", "type":
		return true
	}
	return false
}

// fortinetLine is what is looked for in the pairs.
type fortinetLine struct {
	date, time, zone, epoch []byte
	host, device, id        []byte
	severity                Severity
	leveled                 bool // there was a severity
}

// complete says that nothing is left to be looked for.
func (f *fortinetLine) complete(prioritized bool) bool {
	return f.host != nil && f.id != nil && f.epoch != nil && (prioritized || f.leveled)
}

func (f *fortinetLine) take(name, value []byte) {
	switch string(name) {
	case "date":
		f.date = value
	case "time":
		f.time = value
	case "tz":
		f.zone = value
	case "eventtime":
		f.epoch = value
	case "devname":
		if f.device = value; len(value) > 0 && printable(value) {
			f.host = value
		}
	case "devid":
		f.device = value
	case "logid", "log_id":
		if len(value) > 0 && printable(value) {
			f.id = value
		}
	case "type":
		if f.id == nil && len(value) > 0 && printable(value) {
			f.id = value
		}
	case "level", "pri":
		f.severity, f.leveled = fortinetSeverity(value), true
	}
}

// clock is eventtime, or date, time and tz. The first is in seconds, or since FortiOS 6.2 in nanoseconds.
func (f *fortinetLine) clock() (clock, bool) {
	if n, end := number(f.epoch, 0); end > 0 && end == len(f.epoch) {
		c := clock{year: 1970, month: 1, day: 1, date: true, hasYear: true, hasZone: true}
		switch end {
		case 10:
			c.second = int64(n)
			return c, true
		case 13:
			c.second, c.nsec, c.digits = int64(n/1e3), int32(n%1e3)*1e6, 3
			return c, true
		case 16:
			c.second, c.nsec, c.digits = int64(n/1e6), int32(n%1e6)*1e3, 6
			return c, true
		case 19:
			c.second, c.nsec, c.digits = int64(n/1e9), int32(n%1e9), 9
			return c, true
		}
	}
	var c clock
	if len(f.date) != 10 || f.date[4] != '-' || f.date[7] != '-' || c.readTime(f.time, 0) != len(f.time) {
		return c, false
	}
	month, day := two(f.date, 5), two(f.date, 8)
	if !c.takeYear(f.date, 0) || month > 99 || day > 99 {
		return c, false
	}
	c.month, c.day = uint8(month), uint8(day)
	c.check()
	zone := f.zone
	if len(zone) > 3 && string(zone[:3]) == "UTC" {
		zone = zone[3:]
	}
	if len(zone) > 1 && (zone[0] == '+' || zone[0] == '-') {
		c.readOffset(zone, 0)
	}
	return c, true
}

func fortinetSeverity(level []byte) Severity {
	switch string(level) {
	case "emergency":
		return Emergency
	case "alert":
		return Alert
	case "critical":
		return Critical
	case "error":
		return Error
	case "warning":
		return Warning
	case "information":
		return Info
	case "debug":
		return Debug
	}
	return Notice
}
