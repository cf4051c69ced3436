package muster

import "time"

// Outcome is what one probe of one target said.
type Outcome struct {
	Probe   string        // "icmp", "tcp", "ssh", "http", "dns"
	Up      bool          // it answered as it should
	RTT     time.Duration // from the question to the answer, as the probe defines it; 0: there was no answer
	Detail  string        // what it said, as it came: banner, status line, address
	Failure *Failure      // set exactly when Up is false
}
