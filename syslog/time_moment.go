package syslog

import "time"

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
	if c.hasZone || location == time.UTC {
		location = nil
	}
	year := int(c.year)
	if !c.hasYear {
		year = c.closestYear(received.Unix(), location)
	}
	return time.Unix(c.unix(year, location), int64(c.nsec)).UTC()
}

// closestYear is the year that brings the clock closest to a moment. Where that is need not be known exactly, for the years around
// it are tried too when they matter: in the half of a year that is furthest away, and always for a leap day, of which two can be
// eight years apart.
func (c *clock) closestYear(received int64, location *time.Location) int {
	const day, half = 86400, 180 * 86400
	year := int(1970 + received/(365*day+day/4))
	if c.month == 2 && c.day == 29 {
		return c.closestLeapYear(year, received, location)
	}
	switch away := c.unix(year, location) - received; {
	case away > half && c.unix(year-1, location)-received > -away:
		return year - 1
	case away < -half && c.unix(year+1, location)-received < -away:
		return year + 1
	}
	return year
}

func (c *clock) closestLeapYear(year int, received int64, location *time.Location) int {
	best, away := 0, int64(0)
	for y := year - 9; y <= year+9; y++ {
		if !leap(y) {
			continue
		}
		if d := c.unix(y, location) - received; best == 0 || max(d, -d) < away {
			best, away = y, max(d, -d)
		}
	}
	return best
}

// unix is the moment in that year, in seconds. Without a location to look into, it is arithmetic: time.Date takes as long as half
// of all the rest of a message.
func (c *clock) unix(year int, location *time.Location) int64 {
	if location != nil {
		return time.Date(year, time.Month(c.month), int(c.day), 0, 0, int(c.second), 0, location).Unix()
	}
	return daysSince1970(year, int(c.month), int(c.day))*86400 + c.second - int64(c.offset)
}

// daysSince1970 counts from 400 years before the year 0, so that nothing is negative.
func daysSince1970(year, month, day int) int64 {
	days := daysBefore[month-1] + day
	if month > 2 && leap(year) {
		days++
	}
	y := uint(year + 399) // whole years
	return int64(365*y+y/4-y/100+y/400) + int64(days) - 719163 - 146097
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

var monthDays = [12]uint8{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// daysBefore are the days of a year before each month.
var daysBefore = [12]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}
