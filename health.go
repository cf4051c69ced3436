package muster

import "time"

// Health is what a monitor thinks of a device.
type Health string

// The states of health. Unknown is no verdict of the device: nothing was asked yet, its parent is down, or it is this machine
// that cannot be heard.
const (
	HealthUnknown  Health = "unknown"
	HealthUp       Health = "up"
	HealthDegraded Health = "degraded" // some of its probes fail, not all; or it loses many
	HealthDown     Health = "down"
)

// Transition is a change of a device's health.
type Transition struct {
	Time   time.Time
	Device string // empty: the way of this machine to the network, whose health is up or down
	From   Health
	To     Health
	Reason string // in words: "3 of the last 3 pings had no reply"
	// Quiet says that nobody should be alarmed: a maintenance window, a parent that is down, or flapping, which was told once.
	Quiet bool
}
