package muster

import "time"

// Job is one piece of work over some devices: one backup run, one command sent to many.
type Job struct {
	Run     string // id of the run, sortable by time
	Kind    string // "backup", "run"
	Trigger string // "manual", "schedule", "syslog"
	Started time.Time
}

// Status says how one device's part of a backup ended.
type Status string

// The statuses of a backup Result.
const (
	StatusNew       Status = "new"       // the first revision of this device was stored
	StatusChanged   Status = "changed"   // a revision that differs from the one before was stored
	StatusUnchanged Status = "unchanged" // the stored revision is still true
	StatusFailed    Status = "failed"    // nothing was stored; Failure says why
)

// Result is how one device's part of a job ended. A failure is data, never an error of the run.
type Result struct {
	Index    int    // place of the device in the job's input
	Device   Device // with the platform as detected, where it was not given
	Status   Status
	Revision string // the revision that holds the device's text now; empty if there is none
	Added    int
	Removed  int
	Line     int    // of the text, from 1: the first that is new in a changed configuration; 0: lines only went
	Taste    string // that line with secrets masked, for people
	Bytes    int
	Attempts int
	Elapsed  time.Duration
	Author   string   // who made the change that the backup was asked for, as the device says; empty: not known
	Warning  string   // what a person should look at although it succeeded; empty if nothing
	Failure  *Failure // set exactly when Status is StatusFailed
}
