package logwatch

import "time"

const (
	replayedAfter = 30 * time.Second // later than the sender's messages usually come
	learnTime     = 10 * time.Minute // a clock that was wrong for that long, always as much, is wrong by that
	zoneStep      = 15 * time.Minute // all time zones are a multiple of it away from each other
)

// clock learns how far a sender's clock is off, and tells messages that were kept for a while before they were sent: those of a
// queue that is played back when the collector is there again.
type clock struct {
	off   time.Duration // arrival minus the sender's time, of messages that come at once
	known bool
	least time.Duration // of arrival minus the sender's time, corrected by off, since began
	began time.Time
}

// replayed tells whether a message is much older than its arrival. zoned says that its time came with its zone.
func (c *clock) replayed(sent, received time.Time, zoned bool) bool {
	lag := received.Sub(sent)
	if !c.known {
		c.known, c.began = true, received
		if !zoned {
			c.off = lag.Round(zoneStep)
		}
		c.least = lag - c.off
	}
	late := lag - c.off
	if late < -replayedAfter { // nothing comes before it was sent
		c.off += late
		c.least, c.began, late = 0, received, 0
	}
	c.least = min(c.least, late)
	if received.Sub(c.began) >= learnTime {
		if c.least > replayedAfter {
			c.off += c.least
			late -= c.least
		}
		c.least, c.began = late, received
	}
	return late > replayedAfter
}
