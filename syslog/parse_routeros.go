package syslog

// routerOS reads MikroTik's topics, "system,info,account ", which are the mnemonic: what kind of message it is, and how bad.
func (r *reader) routerOS(i int) bool {
	b := r.b
	end, start := i, i
	topics := 0
	var severity Severity
	for ; end < len(b) && end-i < 80; end++ {
		c := b[end]
		if class[c]&inTopic != 0 {
			continue
		}
		if end == start || c != ',' && (c != ' ' && c != ':' || topics == 0) {
			return false
		}
		topics++
		if s, found := routerOSSeverity(b[start:end]); found {
			severity = s + 1
		}
		if c != ',' {
			break
		}
		start = end + 1
	}
	if topics < 2 || severity == 0 || end == len(b) || b[end] != ' ' && b[end] != ':' {
		return false
	}
	r.m.Format, r.m.Mnemonic = FormatRouterOS, b[i:end]
	if !r.m.Prioritized {
		r.m.Severity = severity - 1
	}
	r.text(skipSpaces(b, end+1))
	return true
}

// routerOSSeverity knows the topics of which each message has one.
func routerOSSeverity(topic []byte) (Severity, bool) {
	switch string(topic) {
	case "critical":
		return Critical, true
	case "error":
		return Error, true
	case "warning":
		return Warning, true
	case "info":
		return Info, true
	case "debug", "packet", "raw":
		return Debug, true
	}
	return 0, false
}
