package syslog

import "bytes"

// mnemonic is FAC-SEV-MNEM as Cisco, Arista and Juniper write it.
type mnemonic struct {
	name     []byte
	severity Severity
	digit    int // the place of the severity in name
	parts    int
	vdc      bool // NX-OS named a virtual device in front
	next     int  // where the text begins
}

// readMnemonic reads "%SYS-5-CONFIG_I: ". The severity is the first part that is one digit, so that facilities may have parts
// (IOS-XR's MGBL-CONFIG-6-DB_COMMIT) and mnemonics hyphens. AireOS writes # for % too.
func readMnemonic(b []byte, i int) (mnemonic, bool) {
	var n mnemonic
	if i < 0 || i >= len(b) || b[i] != '%' && b[i] != '#' {
		return n, false
	}
	if i+1 < len(b) && b[i+1] == '$' {
		if i = skipVDC(b, i); i < 0 {
			return n, false
		}
		n.vdc = true
	}
	name := b[i+1 : run(b, i+1, inMnemonic)]
	n.digit, n.parts = severityPart(name)
	end := i + 1 + len(name)
	next := skipSpaces(b, end)
	switch {
	case n.digit == 0, len(name) <= n.digit+2:
		return n, false
	case next < len(b) && b[next] == ':':
		next = skipSpaces(b, next+1)
	case next == end && next < len(b): // a relay that read RFC 5424 leaves a space
		return n, false
	}
	n.name, n.severity, n.next = name, Severity(name[n.digit]-'0'), next
	return n, true
}

// severityPart is the place of the severity in a name, 0 if it has none, and the number of hyphens.
func severityPart(name []byte) (digit, hyphens int) {
	for i, c := range name {
		if c != '-' {
			continue
		}
		hyphens++
		if digit == 0 && i > 0 && i+2 < len(name) && name[i+1]-'0' <= 7 && name[i+2] == '-' {
			digit = i + 1
		}
	}
	return digit, hyphens
}

// skipVDC skips NX-OS's "%$ VDC-1 %$ ".
func skipVDC(b []byte, i int) int {
	n := bytes.Index(b[min(i+2, len(b)):], []byte("%$ %"))
	if n < 0 || n > 64 {
		return -1
	}
	return i + 2 + n + 3
}

// takeMnemonic puts the mnemonic into the Message, and makes what is behind it the text.
func (r *reader) takeMnemonic(n mnemonic) {
	r.m.Mnemonic = n.name
	if !r.m.Prioritized {
		r.m.Severity = n.severity
	}
	r.text(n.next)
}

// mnemonic reads one behind a header of RFC 3164 or RFC 5424.
func (r *reader) mnemonic(i int) bool {
	n, found := readMnemonic(r.b, i)
	if !found {
		return false
	}
	r.takeMnemonic(n)
	h := ciscoHeader{clock: r.clock, proc: r.m.ProcID}
	switch r.m.Format = n.format(&h); {
	case r.m.App == nil:
	case r.m.Format == FormatIOS:
		r.m.Format = FormatEOS
	case r.m.Format == FormatASA: // it names itself there, and no process
		r.m.Relay, r.m.Host, r.m.App = r.m.Host, r.m.App, nil
	}
	return true
}

// format tells who writes so.
func (n *mnemonic) format(h *ciscoHeader) Format {
	facility := n.name[:n.digit-1]
	if dash := bytes.IndexByte(facility, '-'); dash > 0 {
		facility = facility[:dash]
	}
	switch string(facility) {
	case "ASA", "FTD", "PIX", "FWSM":
		return FormatASA
	}
	switch {
	case h.node, h.proc != nil && n.parts > 2:
		return FormatIOSXR
	case h.clock.yearFirst, n.vdc:
		return FormatNXOS
	}
	return FormatIOS
}
