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
	ErrNotFound  = errors.New("not found")
	ErrDiskFull  = errors.New("no space left on device")
	ErrAmbiguous = errors.New("more than one fits")      // a prefix of several revisions
	ErrTooOld    = errors.New("older than what is kept") // samples
	ErrQuery     = errors.New("query")                   // an expression that is no PromQL, or that asks too much
)

// Commit is one new text of one device.
type Commit struct {
	Device  string
	Path    string // <group>/<device>.cfg
	OldPath string // where the text before lies, if not at Path: it is removed there; else empty
	Text    []byte
	Time    time.Time // kept to the second
	Author  string    // a person's name as the device told it; empty: muster
	Run     string
	Trigger string
	New     bool // the first text of this device
	Added   int  // lines, against the text before
	Removed int  // lines, against the text before
}

// History keeps every text ever stored, in the order of the commits.
type History interface {
	// Append stores the commits in order and returns their ids when all of them are durable. On an error none of
	// them counts as stored, though some may be: Recover, then Newest tells which.
	Append(ctx context.Context, commits []Commit) (ids []string, err error)
	// Text returns the text a blob holds. ErrNotFound.
	Text(ctx context.Context, blob string) ([]byte, error)
	// Texts returns the texts of many blobs in the order asked for, reading ahead little.
	Texts(ctx context.Context, blobs iter.Seq[string]) iter.Seq2[[]byte, error]
	// Newest yields the commits from the newest to the oldest, whole Revisions as Index keeps them. Commits that no
	// Append made are left out.
	Newest(ctx context.Context) iter.Seq2[muster.Revision, error]
	// Head returns the id of the newest commit, empty if there is none. Cheap.
	Head(ctx context.Context) (string, error)
	// Recover removes what a killed or failed Append left behind. It waits until no writer of another process is at
	// work any more. Cheap where nothing was left.
	Recover(ctx context.Context) error
	// Maintain ends the writing of a run and packs what needs packing; cheap where nothing does.
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
	Finished time.Time // zero: it did not finish

	Total, New, Changed, Unchanged, Failed int // Total as announced, the others as recorded
}

// Outcome is one device's result with what the session learnt, as Index records it.
type Outcome struct {
	Result   muster.Result
	Facts    muster.Facts
	Session  SessionFacts
	Revision *muster.Revision // a new one; nil: none was made
}

// State says how far History and Index are known to agree.
type State struct {
	Head  string // the newest commit up to which every commit has its row; empty: none is known to
	Clean bool   // the last run ended in order
}

// Index keeps the rows. What a method wrote is durable when it returns.
type Index interface {
	// StartRun writes the run's row and sets State.Clean to false. A run that is there already goes on.
	StartRun(ctx context.Context, job muster.Job, total int) error
	FinishRun(ctx context.Context, run string, at time.Time) error
	// Record writes the outcomes of some devices of a run in one transaction. The last new revision among them
	// becomes State.Head: the caller sees to it that those before have their rows.
	Record(ctx context.Context, run string, outcomes []Outcome) error

	State(ctx context.Context) (State, error)
	// SetClean sets State.Clean to true.
	SetClean(ctx context.Context) error
	// AddRevisions writes the rows of all commits after State.Head, given oldest first, and moves State.Head to the
	// last of them. Rows already there keep their values and are put in that order.
	AddRevisions(ctx context.Context, revs []muster.Revision) error
	// RetainRevisions removes the rows of all revisions that exists denies, and points their devices at the newest one
	// left. It returns how many rows it removed.
	RetainRevisions(ctx context.Context, exists func(id string) bool) (removed int, err error)
	// Latest returns the newest revision of each device that has one, by name.
	Latest(ctx context.Context) ([]muster.Revision, error)

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
	// ErrNotFound, ErrAmbiguous.
	Revision(ctx context.Context, device, prefix string) (muster.Revision, error)
	// HasRevision tells whether a commit has its row.
	HasRevision(ctx context.Context, id string) (bool, error)
	Close() error
}
