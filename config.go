package muster

import "time"

// Config is a device's configuration text and nothing else: LF lines, volatile lines removed, complete.
// What is incomplete never becomes a Config.
type Config struct {
	Device   string
	Platform string // canonical name of the platform it was read as
	Text     []byte
	Facts    Facts
}

// Facts are what a device says of itself beside its configuration. Unknown ones are empty.
type Facts struct {
	Hostname string `json:"hostname,omitempty"`
	Model    string `json:"model,omitempty"`
	Version  string `json:"version,omitempty"`
	Serial   string `json:"serial,omitempty"`
}

// Revision is one stored version of one device's configuration.
type Revision struct {
	ID      string    `json:"revision"` // the git commit, 40 hexadecimal digits
	Blob    string    `json:"blob"`     // the git object of the text
	Device  string    `json:"device"`
	Path    string    `json:"path"` // in the repository: <group>/<device>.cfg
	Time    time.Time `json:"time"`
	Author  string    `json:"author"`  // who changed it, where known; else "muster"
	Trigger string    `json:"trigger"` // why it was fetched: "manual", "schedule", "syslog"
	Run     string    `json:"run"`
	Added   int       `json:"added"`   // lines, against the revision before
	Removed int       `json:"removed"` // lines, against the revision before
	Bytes   int       `json:"bytes"`
}
