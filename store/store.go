// Package store says what is kept, as interfaces: History for the texts (git), Index for devices, runs and revisions
// (SQL); and joins both in Store, so that a configuration is in both or in neither.
package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/musternet/muster"
)

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("not found")
	ErrDiskFull = errors.New("no space left on device")
)

// LockedError says which process holds the data directory.
type LockedError struct {
	Dir     string
	PID     int
	Command string
}

func (e *LockedError) Error() string { return "" }

// Commit is one new text of one device.
type Commit struct {
	Device  string
	Path    string // <group>/<device>.cfg
	Text    []byte
	Time    time.Time
	Author  string // a person's name as the device told it, or "muster"
	Run     string
	Trigger string
}

// History keeps every text ever stored, in the order of the commits.
type History interface {
	// Append stores the commits in order and returns their ids when all of them are durable. On an error none of
	// them counts as stored.
	Append(ctx context.Context, commits []Commit) (ids []string, err error)
	// Text returns the text a blob holds. ErrNotFound.
	Text(ctx context.Context, blob string) ([]byte, error)
	// Texts returns the texts of many blobs in the order asked for, reading ahead little.
	Texts(ctx context.Context, blobs iter.Seq[string]) iter.Seq2[[]byte, error]
	// Newest yields the commits from the newest to the oldest; recovery stops at the first one it knows.
	Newest(ctx context.Context) iter.Seq2[muster.Revision, error]
	// Maintain packs what needs packing; cheap where nothing does.
	Maintain(ctx context.Context) error
	Close() error
}

// Device is what is known of a device beside its inventory entry.
type Device struct {
	Name       string
	Address    string
	Port       int
	Group      string
	Platform   string // as given or detected
	Facts      muster.Facts
	Session    SessionFacts
	LastRun    string // the last backup run it was part of
	LastTry    time.Time
	LastGood   time.Time // when its configuration was last read whole; zero: never
	Revision   string    // of its latest text; empty: none
	LastStatus muster.Status
	Failure    *muster.Failure // of the last try, if it failed; with its masked transcript
}

// SessionFacts is what was negotiated with the device.
type SessionFacts struct {
	ServerVersion, Kex, HostKey, Cipher, MAC, Fingerprint string
	Weak                                                  []string
	Credential                                            string
}

// Run is one finished or unfinished run.
type Run struct {
	muster.Job
	Finished                               time.Time // zero: it did not finish
	Total, New, Changed, Unchanged, Failed int
}

// Outcome is one device's result with what the session learnt, as Index records it.
type Outcome struct {
	Result   muster.Result
	Facts    muster.Facts
	Session  SessionFacts
	Revision *muster.Revision // a new one; nil: none was made
}

// Index keeps the rows.
type Index interface {
	StartRun(ctx context.Context, job muster.Job, total int) error
	FinishRun(ctx context.Context, run string, at time.Time) error
	// Record writes the outcomes of some devices of a run in one transaction.
	Record(ctx context.Context, run string, outcomes []Outcome) error
	// AddRevisions writes revisions that a crash left without rows; those already there are left alone.
	AddRevisions(ctx context.Context, revs []muster.Revision) error

	Device(ctx context.Context, name string) (Device, error)
	Devices(ctx context.Context) ([]Device, error)
	RemoveDevice(ctx context.Context, name string) error // the rows of its state; its history stays
	SetPlatform(ctx context.Context, device, platform string) error
	Runs(ctx context.Context, limit int) ([]Run, error) // newest first; 0: all
	// RunDevices returns the names of a run's devices with that status, in order of input.
	RunDevices(ctx context.Context, run string, status muster.Status) ([]string, error)

	// Revisions of one device, newest first. limit 0: all.
	Revisions(ctx context.Context, device string, limit int) ([]muster.Revision, error)
	// RevisionsSince returns the revisions of all devices since t, oldest first.
	RevisionsSince(ctx context.Context, t time.Time) ([]muster.Revision, error)
	// Revision finds one by a unique prefix of its id (4 digits at least), of one device or of any ("").
	Revision(ctx context.Context, device, prefix string) (muster.Revision, error)
	// HasRevision tells whether a commit has its row.
	HasRevision(ctx context.Context, id string) (bool, error)
	Close() error
}
