// Package app joins the steps of the line and gives what a face of the product (the command line, later the API) needs:
// one method for each thing a person can ask for. It prints nothing.
package app

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/secret"
	"github.com/musternet/muster/store"
)

// Errors a face branches on, for its exit code. All carry one clear sentence.
var (
	ErrUsage   = errors.New("usage")            // 2: settings, inventory, arguments
	ErrNothing = errors.New("nothing selected") // 3: no device matched
	ErrStore   = errors.New("store")            // 4: data directory, git or database out of reach
)

// Options say where things are and what the caller's flags override.
type Options struct {
	Settings  string   // --config; empty: looked for as DESIGN 8 says
	DataDir   string   // --data-dir; empty: the settings', MUSTER_DATA_DIR, or the default
	Inventory []string // -i FILE, instead of the settings' inventory
	User      string   // --user, for devices named on the command line
	Legacy    bool     // --legacy-crypto, likewise
	AskPass   bool     // --ask-pass: one password for devices that have no credential
	Stdin     io.Reader
	Prompt    func(ctx context.Context, text string) (secret.Secret, error) // without echo; nil: there is nobody to ask
	Log       *slog.Logger
}

// App is one opened settings file, inventory and data directory. It is safe for concurrent use.
type App struct{}

// Open reads settings and inventory. Nothing is created and no device is spoken to.
func Open(ctx context.Context, o Options) (*App, error) { return nil, nil }

// Close frees everything.
func (a *App) Close() error { return nil }

// DataDir returns the data directory in use.
func (a *App) DataDir() string { return "" }

// Selection is what selectors chose.
type Selection struct {
	Devices  []muster.Device
	Warnings []string // bad rows, terms that match nothing, a readable secret: one sentence each
}

// Select applies selectors (UX.md) to the inventory; no terms means all. Names that no inventory knows are tried as ssh
// would. ErrNothing where nothing is selected.
func (a *App) Select(ctx context.Context, terms []string) (Selection, error) { return Selection{}, nil }

// SelectOne is Select for commands that take exactly one device.
func (a *App) SelectOne(ctx context.Context, name string) (muster.Device, []string, error) {
	return muster.Device{}, nil, nil
}

// RunOptions are the flags of backup and run.
type RunOptions struct {
	Limit   int                 // 0: adaptive
	Timeout time.Duration       // per device in all; 0: the settings', or 5 min
	Retries int                 // -1: the settings', or 1
	Trigger string              // empty: "manual"
	MaxAge  time.Duration       // for @stale
	Started func(muster.Device) // hears each device as it gets its place; called from many tasks
}

// Summary is the end of a run.
type Summary struct {
	Total, New, Changed, Unchanged, Failed int
	Duration                               time.Duration
	Run                                    string
}

// Backup backs devices up and yields the results as they are complete; one for each device. The second value is not
// nil only once, at the end, where the run as a whole could not be kept: ErrStore. Summary is right after the loop.
func (a *App) Backup(ctx context.Context, devices []muster.Device, o RunOptions, sum *Summary) iter.Seq2[muster.Result, error] {
	return nil
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

// Command runs a command on devices and yields the answers as they come.
func (a *App) Command(ctx context.Context, devices []muster.Device, command string, o RunOptions) iter.Seq2[Answer, error] {
	return nil
}

// History returns the revisions of a device, newest first; limit 0: all.
func (a *App) History(ctx context.Context, device string, limit int) ([]muster.Revision, error) {
	return nil, nil
}

// Text returns the stored text of a device, byte for byte. rev is a revision's id or unique prefix, "~N" for N before
// the latest, or empty for the latest.
func (a *App) Text(ctx context.Context, device, rev string) (muster.Revision, []byte, error) {
	return muster.Revision{}, nil, nil
}

// Diff is the difference between two texts.
type Diff struct {
	From, To muster.Revision
	Unified  string // unified diff with the configuration section as context in each hunk's head; empty: no difference
	Added    int
	Removed  int
}

// Diff compares two revisions of a device. With no revision: the latest and the one before; with one: that and the latest.
func (a *App) Diff(ctx context.Context, device string, revs ...string) (Diff, error) {
	return Diff{}, nil
}

// DiffDevices compares the latest texts of two devices.
func (a *App) DiffDevices(ctx context.Context, one, other string) (Diff, error) { return Diff{}, nil }

// Match is one line that grep found.
type Match struct {
	Device   string   `json:"device"`
	Revision string   `json:"revision"`
	Line     int      `json:"line"`
	Text     string   `json:"text"`
	Section  []string `json:"section,omitempty"`
}

// Grep searches the latest texts of devices, or all their revisions, for a regular expression (RE2).
func (a *App) Grep(ctx context.Context, devices []muster.Device, pattern string, all, ignoreCase bool) iter.Seq2[Match, error] {
	return nil
}

// State is a device with what is known of it.
type State struct {
	Device muster.Device
	Known  store.Device  // zero: nothing yet
	Age    time.Duration // since the last good backup; -1: never
	Stale  bool          // older than maxAge, or never
}

// Status returns the state of each device, in the order given.
func (a *App) Status(ctx context.Context, devices []muster.Device, maxAge time.Duration) ([]State, error) {
	return nil, nil
}

// Changes yields the diff of every revision since t that has one before it, oldest first.
func (a *App) Changes(ctx context.Context, since time.Time) iter.Seq2[Diff, error] { return nil }

// Step is one stage of a device test.
type Step struct {
	Stage   string
	Took    time.Duration
	Detail  string // what was found: the address, the algorithms, the prompt...
	Failure *muster.Failure
}

// Test goes through a device stage by stage, the configuration included, and stores nothing but a detected platform
// and the host key. The last step is the failure, if there is one.
func (a *App) Test(ctx context.Context, dev muster.Device, o RunOptions) iter.Seq[Step] { return nil }

// Trust fetches the host key of a device and, unless dryRun, puts it on record in place of the old one.
func (a *App) Trust(ctx context.Context, dev muster.Device, dryRun bool) (old, now string, err error) {
	return "", "", nil
}

// AddDevice writes a device to devices.yaml; RemoveDevice takes it out. The history stays.
func (a *App) AddDevice(ctx context.Context, dev muster.Device, dryRun bool) (file string, err error) {
	return "", nil
}

// RemoveDevice takes a device out of devices.yaml.
func (a *App) RemoveDevice(ctx context.Context, name string, dryRun bool) (file string, err error) {
	return "", nil
}

// Record talks to a device and returns the conversation as a recording, masked.
func (a *App) Record(ctx context.Context, dev muster.Device, o RunOptions) ([]byte, error) {
	return nil, nil
}

// Finding is one thing that Doctor or CheckSettings looked at.
type Finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what was found
	Try  string `json:"try,omitempty"`
}

// Doctor looks at this machine: git, descriptors, data directory, clock, sockets.
func (a *App) Doctor(ctx context.Context) []Finding { return nil }

// CheckSettings reads a settings file (empty: the one in use) and returns all that is wrong with it.
func CheckSettings(ctx context.Context, o Options) []Finding { return nil }

// Init writes a commented settings file and makes the data directory; it never overwrites. It returns the files made.
func Init(ctx context.Context, o Options, dryRun bool) ([]string, error) { return nil, nil }
