package syslog

import "bytes"

// arubaCX reads AOS-CX's "Event|6801|LOG_INFO|AMM|-|text": the number of the event is the mnemonic.
func (r *reader) arubaCX(i int) bool {
	b := r.b
	if !bytes.HasPrefix(b[i:], []byte("Event|")) {
		return false
	}
	start := i + len("Event|")
	_, end := number(b, start)
	if end == start || end == len(b) || b[end] != '|' {
		return false
	}
	level := end + 1
	next := pipe(b, level)
	if next < 0 {
		return false
	}
	severity, found := arubaSeverity(b[level : next-1])
	if !found {
		return false
	}
	for range 2 { // the role of the management module, and the module
		if after := pipe(b, next); after > 0 {
			next = after
		}
	}
	r.takeAruba(b[start:end], severity, next)
	return true
}

// pipe is the place behind the next pipe character: -1 if there is none.
func pipe(b []byte, i int) int {
	n := bytes.IndexByte(b[i:], '|')
	if n < 0 {
		return -1
	}
	return i + n + 1
}

// arubaOS reads "<522008> <NOTI> " of a controller or an access point, from ArubaOS 8 on with the process id between the two.
func (r *reader) arubaOS(i int) bool {
	b := r.b
	start := i + 1
	_, end := number(b, start)
	next := skipAngle(b, end)
	if end-start < 5 || next < 0 {
		return false
	}
	level := next + 1
	if _, proc := number(b, level); proc > level {
		if next = skipAngle(b, proc); next < 0 {
			return false
		}
		level = next + 1
	}
	if level+5 > len(b) || b[next] != '<' {
		return false
	}
	severity, found := arubaSeverity(b[level : level+4])
	if !found || b[level+4] != '>' {
		return false
	}
	r.takeAruba(b[start:end], severity, level+5)
	return true
}

// skipAngle skips "> " in front of a "<": -1 if that is not what is there.
func skipAngle(b []byte, i int) int {
	if i >= len(b) || b[i] != '>' {
		return -1
	}
	if i = skipSpaces(b, i+1); i >= len(b) || b[i] != '<' {
		return -1
	}
	return i
}

// arubaSwitch reads ArubaOS-Switch's "00076 ports: ": the number of the event and the subsystem.
func (r *reader) arubaSwitch(i int) bool {
	b := r.b
	_, end := number(b, i)
	if end != i+5 || end == len(b) || b[end] != ' ' || r.m.App != nil || r.m.Host == nil {
		return false
	}
	app, proc, next := tag(b, end+1)
	if next == 0 || proc != nil {
		return false
	}
	r.m.App = app
	r.takeAruba(b[i:end], r.m.Severity, next)
	return true
}

func (r *reader) takeAruba(event []byte, severity Severity, next int) {
	r.m.Format, r.m.Mnemonic = FormatAruba, event
	if !r.m.Prioritized {
		r.m.Severity = severity
	}
	r.text(skipSpaces(r.b, next))
}

func arubaSeverity(word []byte) (Severity, bool) {
	switch string(word) {
	case "LOG_EMER", "LOG_EMERG", "EMRG":
		return Emergency, true
	case "LOG_ALERT", "ALRT":
		return Alert, true
	case "LOG_CRIT", "CRIT":
		return Critical, true
	case "LOG_ERR", "ERRS":
		return Error, true
	case "LOG_WARN", "WARN":
		return Warning, true
	case "LOG_NOTICE", "NOTI":
		return Notice, true
	case "LOG_INFO", "INFO":
		return Info, true
	case "LOG_DEBUG", "DBUG":
		return Debug, true
	}
	return 0, false
}
