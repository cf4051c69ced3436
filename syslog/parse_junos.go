package syslog

import "bytes"

// junos reads "UI_COMMIT: ", the tag that Junos puts in front of a text. Its kernel is /kernel or kernel; on others the same place
// may hold the prefix of a packet filter.
func (r *reader) junos(i int) bool {
	end := junosTag(r.b, i)
	if end == i || end+1 >= len(r.b) || r.b[end] != ':' || r.b[end+1] != ' ' {
		return false
	}
	name := r.b[i:end]
	if string(r.m.App) == "kernel" && !bytes.HasPrefix(name, []byte("KERN_")) {
		return false
	}
	r.m.Format, r.m.Mnemonic = FormatJunos, name
	r.text(skipSpaces(r.b, end+1))
	return true
}

// junosPriority reads "%DAEMON-3-CHASSISD_PARSE_COMPLETE: " or "%DAEMON-3: ", which Junos writes with explicit-priority. The
// mnemonic is the same as without it.
func (r *reader) junosPriority(i int) bool {
	b := r.b
	end := i + 1
	for end < len(b) && (isUpper(b[end]) || isDigit(b[end])) {
		end++
	}
	if !junosFacilities[string(b[i+1:end])] || end+3 > len(b) || b[end] != '-' || b[end+1]-'0' > 7 {
		return false
	}
	severity := Severity(b[end+1] - '0')
	name := end + 3
	switch b[end+2] {
	case '-':
		if end = junosTag(b, name); end == name || end == len(b) || b[end] != ':' {
			return false
		}
		r.m.Mnemonic = b[name:end]
	case ':':
		end += 2
	default:
		return false
	}
	r.m.Format = FormatJunos
	if !r.m.Prioritized {
		r.m.Severity = severity
	}
	r.text(skipSpaces(b, end+1))
	return true
}

// junosFacilities are those of syslog as Junos writes them; Arista and Cisco have others, but for DAEMON, USER and AUTH, which NX-OS
// writes without a program in front.
var junosFacilities = map[string]bool{
	"KERN": true, "USER": true, "DAEMON": true, "AUTH": true, "SYSLOG": true, "FTP": true, "NTP": true, "DFC": true, "CONFLICT": true,
	"CHANGE": true, "FIREWALL": true, "INTERACT": true, "PFE": true, "EXTERNAL": true, "LOCAL0": true, "LOCAL1": true, "LOCAL2": true,
	"LOCAL3": true, "LOCAL4": true, "LOCAL5": true, "LOCAL6": true, "LOCAL7": true,
}

// junosTag is where a tag such as UI_COMMIT ends that begins at i: i if there is none. It has at least one underscore.
func junosTag(b []byte, i int) int {
	j, underscores := i, 0
	for j < len(b) && (isUpper(b[j]) || isDigit(b[j]) || b[j] == '_') {
		if b[j] == '_' {
			underscores++
		}
		j++
	}
	if underscores == 0 || !isUpper(b[i]) {
		return i
	}
	return j
}

// junosElement says that structured data is Juniper's: 2636 is its enterprise number.
func junosElement(data []byte) bool {
	return bytes.HasPrefix(data, []byte("[junos@2636."))
}
