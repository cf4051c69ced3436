package syslog

// routerOS reads MikroTik's topics, "system,info,account ", which are the mnemonic: what kind of message it is, and how bad.
func (r *reader) routerOS(i int) bool {
	end, severity, found := topics(r.b, i)
	if !found || end == len(r.b) {
		return false
	}
	r.takeTopics(r.b[i:end], severity, end+1)
	return true
}

func (r *reader) takeTopics(topics []byte, severity Severity, next int) {
	r.m.Format, r.m.Mnemonic = FormatRouterOS, topics
	if !r.m.Prioritized {
		r.m.Severity = severity
	}
	r.text(skipSpaces(r.b, next))
}

// topics are two words or more with commas between them, of which one is a severity; a space or a colon ends them.
func topics(b []byte, i int) (end int, severity Severity, found bool) {
	const longest = 80
	for start := i; ; start = end + 1 {
		end = run(b, start, inTopic)
		last := end == len(b) || b[end] != ','
		if end == start || end-i > longest || last && start == i {
			return end, 0, false
		}
		if s, known := routerOSSeverity(b[start:end]); known {
			severity, found = s, true
		}
		if last {
			return end, severity, found && (end == len(b) || b[end] == ' ' || b[end] == ':')
		}
	}
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
