package syslog

// zones are the abbreviations that mean one offset, in minutes east of UTC. An abbreviation that the time zone database has (or
// has had in this century) for two offsets is not among them: CST, IST, BST, AST, CDT, PST and others could be half a day wrong.
var zones = map[string]int32{
	"UTC": 0, "GMT": 0, "Z": 0, "UCT": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120, "EET": 120, "EEST": 180,
	"MSK": 180, "TRT": 180, "SAST": 120, "CAT": 120, "EAT": 180, "WAT": 60, "IDT": 180,
	"EST": -300, "EDT": -240, "MST": -420, "MDT": -360, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "NST": -210, "NDT": -150,
	"BRT": -180, "PKT": 300, "WIB": 420, "WITA": 480, "WIT": 540, "HKT": 480, "SGT": 480, "JST": 540, "KST": 540,
	"AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
}

// vagueZones are zones too, but nobody can tell which.
var vagueZones = map[string]bool{
	"CST": true, "CDT": true, "IST": true, "BST": true, "AST": true, "ADT": true, "PST": true, "SST": true, "GST": true, "ECT": true,
}

// readZone reads a zone behind a time where nothing else can be meant: Z or an offset, and a name if a colon follows. It returns
// where it ends: i if there is none.
func (c *clock) readZone(b []byte, i int) int {
	if i >= len(b) || b[i] == ':' {
		return i
	}
	j := skipSpaces(b, i)
	if j == len(b) {
		return i
	}
	switch {
	case b[j] == 'Z' && j == i && (j+1 == len(b) || !isAlnum(b[j+1])):
		c.hasZone = true
		return j + 1
	case b[j] == '+' || b[j] == '-':
		if end := c.readOffset(b, j); end > j {
			return skipDST(b, end)
		}
	case j > i && isUpper(b[j]):
		if end := c.readZoneName(b, j); end > j && colonFollows(b, end) {
			return end
		}
	}
	return i
}

// readZoneName reads the name of a zone: CEST, UTC+07:30. Of one that could be several it is known only that it is a zone.
func (c *clock) readZoneName(b []byte, i int) int {
	end := i
	for end < len(b) && isUpper(b[end]) {
		end++
	}
	if end-i > 4 {
		return i
	}
	minutes, known := zones[string(b[i:end])]
	if !known {
		if vagueZones[string(b[i:end])] {
			return end
		}
		return i
	}
	c.offset, c.hasZone = minutes*60, true
	if minutes == 0 && end < len(b) && (b[end] == '+' || b[end] == '-') {
		return c.readOffset(b, end)
	}
	return end
}

// readOffset reads +02:00, +0200, +02 or +2.
func (c *clock) readOffset(b []byte, i int) int {
	n, end := number(b, i+1)
	hours, minutes := int32(n), int32(0)
	switch end - i {
	case 2, 3:
		if end+3 <= len(b) && b[end] == ':' && digits(b[end+1:end+3]) >= 0 {
			minutes = int32(digits(b[end+1 : end+3]))
			end += 3
		}
	case 5:
		hours, minutes = int32(n)/100, int32(n)%100
	default:
		return i
	}
	if hours > 23 || minutes > 59 || end < len(b) && isAlnum(b[end]) {
		return i
	}
	c.offset, c.hasZone = hours*3600+minutes*60, true
	if b[i] == '-' {
		c.offset = -c.offset
	}
	return end
}

// skipDST skips Huawei's "DST" behind an offset, which has the hour of the summer in it.
func skipDST(b []byte, i int) int {
	if i+5 <= len(b) && string(b[i:i+5]) == " DST " {
		return i + 4
	}
	return i
}

func colonFollows(b []byte, i int) bool {
	i = skipSpaces(b, i)
	return i < len(b) && b[i] == ':'
}

// colonEnds says that a colon at i is not in the middle of a word.
func colonEnds(b []byte, i int) bool {
	return i < len(b) && b[i] == ':' && (i+1 == len(b) || b[i+1] == ' ')
}
