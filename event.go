package muster

import "time"

// EventKind is a stable word for what happened.
type EventKind string

// The kinds of events.
const (
	EventHealth        EventKind = "health"         // a Transition
	EventBackupChanged EventKind = "backup-changed" // a new revision that differs from the one before
	EventBackupNew     EventKind = "backup-new"     // the first revision of a device
	EventBackupFailed  EventKind = "backup-failed"
	EventBackupGood    EventKind = "backup-good" // unchanged: what failed before is well again
	EventRunDone       EventKind = "run-done"    // a whole backup run
	EventLog           EventKind = "log"         // syslog messages that a rule is about
)

// Event is something that happened, for whoever subscribes. Its texts hold no secret.
type Event struct {
	ID     string // the same for the same event, also when it is told again after a restart
	Time   time.Time
	Kind   EventKind
	Device Device // zero: not about one device
	Text   string // one sentence
	Detail string // more lines: a diff, masked

	Transition *Transition // of EventHealth
	Result     *Result     // of the kinds about a backup
	Log        *LogHit     // of EventLog
}

// LogHit is that syslog messages of one sender did what a rule watches for. While more of them come it is told again, with
// what it has become.
type LogHit struct {
	Rule  string    // the name of the rule
	Key   string    // the sender: the name of the device, or of an unknown one its address
	Count int       // so many messages since First
	First time.Time // by the clock that the rule goes by
	Last  time.Time
	Line  LogLine // the last one
}
