package syslog

import "time"

// clock is a time stamp as it is written.
type clock struct {
	second     int64 // of the day
	uptime     time.Duration
	offset     int32 // seconds east of UTC
	nsec       int32
	year       int16
	month, day uint8
	digits     uint8
	date       bool // there is a date, and the calendar has it
	hasYear    bool
	hasZone    bool
	unsynced   bool
	up         bool // uptime, and no date
	yearFirst  bool // 2024 Jan 15: NX-OS
	iso        bool // 2024-01-15
}

// clockBegins says that a time stamp may begin with c.
func clockBegins(c byte) bool { return class[c]&inUpper != 0 || c == '*' || c == '.' }

// read reads a time stamp in any of the forms that devices use, with its zone where that is sure to be one, and returns where it
// ends: -1 if there is none; then c is good for nothing.
func (c *clock) read(b []byte, i int) int {
	if i < len(b) && (b[i] == '*' || b[i] == '.') {
		i++
		c.unsynced = true
	}
	if i+5 > len(b) {
		return -1
	}
	switch {
	case isUpper(b[i]):
		return c.readMonth(b, i)
	case !isDigit(b[i]):
		return -1
	case b[i+4] == '-' || b[i+4] == '/':
		return c.readISO(b, i)
	case b[i+4] == ' ':
		return c.readYear(b, i)
	}
	return c.readUptime(b, i)
}

// readMonth reads "Mar  1 18:46:11.123", with a year behind the day or behind the time.
func (c *clock) readMonth(b []byte, i int) int {
	if len(b) < i+15 || b[i+3] != ' ' {
		return -1
	}
	if c.month = month(b, i); c.month == 0 {
		return -1
	}
	i += 4
	if b[i] == ' ' {
		i++
	}
	for digits := 0; digits < 2 && isDigit(b[i]); digits++ {
		c.day = c.day*10 + b[i] - '0'
		i++
	}
	if b[i] != ' ' || b[i-1] == ' ' {
		return -1
	}
	if i++; !c.hasYear && i+4 < len(b) && b[i+4] == ' ' {
		if !c.takeYear(b, i) {
			return -1
		}
		i += 5
	}
	if i = c.readTime(b, i); i < 0 {
		return -1
	}
	i = c.readLateYear(b, i)
	c.check()
	return c.readZone(b, i)
}

// takeYear reads the four digits at i.
func (c *clock) takeYear(b []byte, i int) bool {
	century, year := two(b, i), two(b, i+2)
	c.year, c.hasYear = int16(century*100+year), true
	return century < 100 && year < 100
}

// readLateYear reads a year behind the time, where Junos, ArubaOS and Comware have it.
func (c *clock) readLateYear(b []byte, i int) int {
	if i+5 > len(b) || c.hasYear || b[i] != ' ' || b[i+1] != '1' && b[i+1] != '2' {
		return i
	}
	if i+5 < len(b) && b[i+5] != ' ' && !colonEnds(b, i+5) {
		return i // 2001:db8::1 is a host
	}
	if after := *c; after.takeYear(b, i+1) && after.year >= 1900 && after.year < 2200 {
		*c = after
		return i + 5
	}
	return i
}

// readYear reads NX-OS's "2024 Mar  1 18:46:11".
func (c *clock) readYear(b []byte, i int) int {
	if !c.takeYear(b, i) {
		return -1
	}
	c.yearFirst = true
	return c.readMonth(b, i+5)
}

// readISO reads "2024-01-15T10:20:30.123456+02:00", also with a space for the T and slashes for the hyphens.
func (c *clock) readISO(b []byte, i int) int {
	if len(b) < i+19 || b[i+7] != b[i+4] || b[i+10] != 'T' && b[i+10] != ' ' {
		return -1
	}
	month, day := two(b, i+5), two(b, i+8)
	if !c.takeYear(b, i) || month > 99 || day > 99 {
		return -1
	}
	c.month, c.day, c.iso = uint8(month), uint8(day), true
	if i = c.readTime(b, i+11); i < 0 {
		return -1
	}
	c.check()
	return c.readZone(b, i)
}

// readTime reads "18:46:11" and a fraction of any length, of which nanoseconds are kept.
func (c *clock) readTime(b []byte, i int) int {
	if len(b) < i+8 || b[i+2] != ':' || b[i+5] != ':' {
		return -1
	}
	hour, minute, second := two(b, i), two(b, i+3), two(b, i+6)
	if hour > 99 || minute > 99 || second > 99 {
		return -1
	}
	c.second = int64(hour*3600 + minute*60 + second)
	c.date = hour <= 23 && minute <= 59 && second <= 60 // a leap second is one
	i += 8
	if i+1 >= len(b) || b[i] != '.' && !comwareFraction(b, i) || !isDigit(b[i+1]) {
		return i
	}
	unit := int32(100_000_000)
	for i++; i < len(b) && isDigit(b[i]); i++ {
		if unit > 0 {
			c.nsec += int32(b[i]-'0') * unit
			c.digits++
			unit /= 10
		}
	}
	return i
}

// comwareFraction says that there is ":123 ", as H3C writes milliseconds.
func comwareFraction(b []byte, i int) bool {
	return b[i] == ':' && i+5 <= len(b) && b[i+4] == ' ' && digits(b[i+1:i+4]) >= 0
}

// readUptime reads how long a Cisco is up: "00:00:12", "5d21h", "1w2d", "2y10w". It is nothing else only if a colon follows.
func (c *clock) readUptime(b []byte, i int) int {
	if end := c.readTime(b, i); end > 0 {
		c.uptime, c.date, c.up = time.Duration(c.second)*time.Second+time.Duration(c.nsec), false, true
		if !colonEnds(b, end) {
			return -1
		}
		return end
	}
	const day = 24 * time.Hour
	units := [...]struct {
		letter byte
		length time.Duration
	}{{'y', 365 * day}, {'w', 7 * day}, {'d', day}, {'h', time.Hour}}
	next := 0
	for next < len(units) {
		n, end := number(b, i)
		if end == i || end > i+4 || end >= len(b) {
			return -1
		}
		for next < len(units) && units[next].letter != b[end] {
			next++
		}
		if next == len(units) {
			return -1
		}
		c.uptime += time.Duration(n) * units[next].length
		c.up = true
		i = end + 1
		if i < len(b) && b[i] == ':' {
			return i
		}
	}
	return -1
}

// check finds out whether the calendar has the date. Without a year, it has a February 29.
func (c *clock) check() {
	if c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 {
		c.date = false
		return
	}
	last := monthDays[c.month-1]
	if c.month == 2 && (!c.hasYear || leap(int(c.year))) {
		last = 29
	}
	c.date = c.date && c.day <= last
}

// month is the number of the English month of three letters at i: 0 if there is none.
func month(b []byte, i int) uint8 {
	if i+3 > len(b) {
		return 0
	}
	switch string(b[i : i+3]) {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}
