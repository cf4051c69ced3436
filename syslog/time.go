package syslog

import "time"

// clock is a time stamp as it is written.
type clock struct {
	year, month, day int
	second           int64 // of the day
	nsec             int
	offset           int // seconds east of UTC
	uptime           time.Duration
	digits           uint8
	date             bool // there is a date, and the calendar has it
	hasYear          bool
	hasZone          bool
	unsynced         bool
	up               bool // uptime, and no date
	yearFirst        bool // 2024 Jan 15: NX-OS
	iso              bool // 2024-01-15
}

// read reads a time stamp in any of the forms that devices use, with its zone where that is sure to be one, and returns where it
// ends: -1 if there is none.
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
	if c.month = month(b, i); c.month == 0 || len(b) < i+14 || b[i+3] != ' ' {
		return -1
	}
	i += 4
	if b[i] == ' ' {
		i++
	}
	day, end := number(b, i)
	if end == i || end > i+2 || end+8 >= len(b) || b[end] != ' ' {
		return -1
	}
	c.day, i = int(day), end+1
	if !c.hasYear && b[i+4] == ' ' {
		if c.year = digits(b[i : i+4]); c.year < 0 {
			return -1
		}
		c.hasYear = true
		i += 5
	}
	if i = c.readTime(b, i); i < 0 {
		return -1
	}
	i = c.readLateYear(b, i)
	c.check()
	return c.readZone(b, i)
}

// readLateYear reads a year behind the time, where Junos, ArubaOS and Comware have it.
func (c *clock) readLateYear(b []byte, i int) int {
	if c.hasYear || i+5 > len(b) || b[i] != ' ' || i+5 < len(b) && b[i+5] != ' ' && !colonEnds(b, i+5) {
		return i // 2001:db8::1 is a host
	}
	year := digits(b[i+1 : i+5])
	if year < 1900 || year > 2200 {
		return i
	}
	c.year, c.hasYear = year, true
	return i + 5
}

// readYear reads NX-OS's "2024 Mar  1 18:46:11".
func (c *clock) readYear(b []byte, i int) int {
	if c.year = digits(b[i : i+4]); c.year < 0 {
		return -1
	}
	c.hasYear, c.yearFirst = true, true
	return c.readMonth(b, i+5)
}

// readISO reads "2024-01-15T10:20:30.123456+02:00", also with a space for the T and slashes for the hyphens.
func (c *clock) readISO(b []byte, i int) int {
	if len(b) < i+19 || b[i+7] != b[i+4] || b[i+10] != 'T' && b[i+10] != ' ' {
		return -1
	}
	c.year, c.month, c.day = digits(b[i:i+4]), digits(b[i+5:i+7]), digits(b[i+8:i+10])
	if c.year < 0 || c.month < 0 || c.day < 0 {
		return -1
	}
	c.hasYear, c.iso = true, true
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
	h, m, s := digits(b[i:i+2]), digits(b[i+3:i+5]), digits(b[i+6:i+8])
	if h < 0 || m < 0 || s < 0 {
		return -1
	}
	c.second = int64(h*3600 + m*60 + s)
	c.date = h <= 23 && m <= 59 && s <= 60 // a leap second is one
	i += 8
	if i+1 >= len(b) || b[i] != '.' && !comwareFraction(b, i) || !isDigit(b[i+1]) {
		return i
	}
	unit := 100_000_000
	for i++; i < len(b) && isDigit(b[i]); i++ {
		if unit > 0 {
			c.nsec += int(b[i]-'0') * unit
			c.digits++
			unit /= 10
		}
	}
	return i
}

// comwareFraction says that there is ":123 ", as H3C writes milliseconds.
func comwareFraction(b []byte, i int) bool {
	return i+5 <= len(b) && b[i] == ':' && b[i+4] == ' ' && digits(b[i+1:i+4]) >= 0
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
	if c.month < 1 || c.month > 12 || c.day < 1 {
		c.date = false
		return
	}
	last := int(monthDays[c.month-1])
	if c.month == 2 && (!c.hasYear || leap(c.year)) {
		last = 29
	}
	c.date = c.date && c.day <= last
}

// setTime puts into the Message what its clock says.
func (m *Message) setTime(c *clock, received time.Time, location *time.Location) {
	switch {
	case c.up:
		m.Uptime = c.uptime
		m.Quality = TimeQuality{Uptime: true, Unsynced: c.unsynced}
	case c.date:
		m.Time = c.time(received, location)
		m.Quality = TimeQuality{Known: true, Year: c.hasYear, Zone: c.hasZone, Digits: c.digits, Unsynced: c.unsynced}
	}
}

// time is the moment in UTC.
func (c *clock) time(received time.Time, location *time.Location) time.Time {
	if c.hasYear {
		return c.in(c.year, location)
	}
	year := received.UTC().Year()
	if c.month == 2 && c.day == 29 {
		return c.leapDay(year, received, location)
	}
	t := c.in(year, location)
	const nearly = 180 * 24 * time.Hour
	switch away := t.Sub(received); {
	case away > nearly:
		return closer(received, t, c.in(year-1, location))
	case away < -nearly:
		return closer(received, t, c.in(year+1, location))
	}
	return t
}

// leapDay is the closest year's February 29: two of them are up to eight years apart.
func (c *clock) leapDay(year int, received time.Time, location *time.Location) time.Time {
	var best time.Time
	for y := year - 8; y <= year+8; y++ {
		if leap(y) {
			best = closer(received, c.in(y, location), best)
		}
	}
	return best
}

// closer is a, or b if that is closer to t.
func closer(t, a, b time.Time) time.Time {
	if t.Sub(b).Abs() < t.Sub(a).Abs() {
		return b
	}
	return a
}

// in is the moment in that year. The usual case is arithmetic: time.Date takes as long as all the rest of a message.
func (c *clock) in(year int, location *time.Location) time.Time {
	if !c.hasZone && location != nil && location != time.UTC {
		return time.Date(year, time.Month(c.month), c.day, 0, 0, int(c.second), c.nsec, location).UTC()
	}
	return time.Unix(daysSince1970(year, c.month, c.day)*86400+c.second-int64(c.offset), int64(c.nsec)).UTC()
}

// daysSince1970 counts in years that begin in March, so that the leap day is the last one.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return int64(365*year + floor(year, 4) - floor(year, 100) + floor(year, 400) + (153*(month-3)+2)/5 + day - 719469)
}

func floor(a, b int) int {
	if a < 0 {
		return (a - b + 1) / b
	}
	return a / b
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

var monthDays = [12]uint8{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// month is the number of the English month of three letters at i: 0 if there is none.
func month(b []byte, i int) int {
	if i+3 > len(b) {
		return 0
	}
	switch uint32(b[i])<<16 | uint32(b[i+1])<<8 | uint32(b[i+2]) {
	case 'J'<<16 | 'a'<<8 | 'n':
		return 1
	case 'F'<<16 | 'e'<<8 | 'b':
		return 2
	case 'M'<<16 | 'a'<<8 | 'r':
		return 3
	case 'A'<<16 | 'p'<<8 | 'r':
		return 4
	case 'M'<<16 | 'a'<<8 | 'y':
		return 5
	case 'J'<<16 | 'u'<<8 | 'n':
		return 6
	case 'J'<<16 | 'u'<<8 | 'l':
		return 7
	case 'A'<<16 | 'u'<<8 | 'g':
		return 8
	case 'S'<<16 | 'e'<<8 | 'p':
		return 9
	case 'O'<<16 | 'c'<<8 | 't':
		return 10
	case 'N'<<16 | 'o'<<8 | 'v':
		return 11
	case 'D'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}

// digits is the number that all of b is: -1 if not all are digits.
func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
