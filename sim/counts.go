package sim

import "sync/atomic"

// Counts is what a fleet has seen since its start.
type Counts struct {
	Connections int64 // accepted
	Logins      int64 // accepted
	Rejected    int64 // rejected: one a connection, however many methods were tried on it
	Sessions    int64 // connections that are logged in now
	Peak        int64 // the most of them at once
	Commands    int64
	Bytes       int64 // of answers, before encryption
}

// counters are the live Counts.
type counters struct {
	connections, logins, rejected, sessions, peak, commands, bytes atomic.Int64
}

// Counts returns what the fleet has seen so far.
func (f *Fleet) Counts() Counts {
	c := &f.counts
	return Counts{
		Connections: c.connections.Load(), Logins: c.logins.Load(), Rejected: c.rejected.Load(),
		Sessions: c.sessions.Load(), Peak: c.peak.Load(), Commands: c.commands.Load(), Bytes: c.bytes.Load(),
	}
}

// begin counts a session and returns what counts its end.
func (c *counters) begin() (end func()) {
	now := c.sessions.Add(1)
	for peak := c.peak.Load(); now > peak && !c.peak.CompareAndSwap(peak, now); peak = c.peak.Load() {
	}
	return func() { c.sessions.Add(-1) }
}
