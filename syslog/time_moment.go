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
		year = c.lastYear(received.Unix(), location)
	}
	return time.Unix(c.unix(year, location), int64(c.nsec)).UTC()
}

// ahead is how far in the future a clock without a year may be: a message was sent before it came, but for clocks that are wrong.
const ahead = 31 * 86400

// lastYear is the last year in which the clock shows a time that is not in the future of a moment. The year of the moment may be
// guessed one too low at the turn of the year, so it begins with the next.
func (c *clock) lastYear(received int64, location *time.Location) int {
	const day = 86400
	year := int(1970+received/(365*day+day/4)) + 1
	for c.month == 2 && c.day == 29 && !leap(year) || c.unix(year, location) > received+ahead {
		year--
	}
	return year
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
