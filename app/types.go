package app

import (
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// Selection is what selectors chose.
type Selection struct {
	Devices  []muster.Device
	Warnings []string // bad rows, terms that match nothing, a readable secret: one sentence each
	Bad      int      // all were asked for, and so many rows of the inventory were left out because they are wrong
	Shrunk   error    // all were asked for, and a source gives less than half of what it gave at the last backup
}

// RunOptions are the flags of backup and run.
type RunOptions struct {
	Limit   int                 // 0: the settings', or adaptive
	Timeout time.Duration       // per device in all; 0: the settings', or 5 min
	Retries int                 // -1: the settings', or 1
	Trigger string              // empty: "manual"
	Authors map[string]string   // who changed the configuration of a device, by the name of the device; none: not known
	Started func(muster.Device) // hears each device as it gets its place; called from many tasks
}

// Summary is the end of a run.
type Summary struct {
	Total, New, Changed, Unchanged, Failed int
	Duration                               time.Duration
	Run                                    string
}

// Answer is what one device said to one command.
type Answer struct {
	Index      int
	Device     muster.Device
	Command    string
	Output     string
	Stderr     string
	ExitStatus int // -1: the platform has none
	Attempts   int
	Elapsed    time.Duration
	Failure    *muster.Failure
}

// Diff is the difference between two texts.
type Diff struct {
	From, To muster.Revision
	Unified  string // unified diff with the configuration section in each hunk's head; empty: no difference
	Added    int
	Removed  int
}

// Match is one line that grep found.
type Match struct {
	Device   string   `json:"device"`
	Revision string   `json:"revision"`
	Line     int      `json:"line"`
	Text     string   `json:"text"`
	Section  []string `json:"section,omitempty"` // the headers it stands under, outermost first
}

// State is a device with what is known of it.
type State struct {
	Device muster.Device
	Known  store.Device  // zero: nothing yet
	Age    time.Duration // since the last good backup; -1: never
	Stale  bool          // older than asked for, or never
}

// Step is one stage of a device test.
type Step struct {
	Stage   string
	Took    time.Duration
	Detail  string // what was found: the address, the algorithms, the prompt
	Failure *muster.Failure
}

// Finding is one thing that Doctor or CheckSettings looked at.
type Finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what was found
	Try  string `json:"try,omitempty"`
}
