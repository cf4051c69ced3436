package logfile

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/musternet/muster"
)

// ErrCrash is what a crash of a test returns.
var ErrCrash = errCrash

// LiteralOf is what is looked for before a line is decoded.
var LiteralOf = literalOf

// ToLower makes small letters of capitals.
var ToLower = toLower

// CrashAt has the keeper end at a step as if the process had been killed there.
func (a *Archive) CrashAt(step string) {
	a.at = func(s string) error {
		if s == step {
			return errCrash
		}
		return nil
	}
}

// Tidy does at once what the keeper does in its own time.
func (a *Archive) Tidy(ctx context.Context) error {
	k := &keeper{archive: a, newest: make(map[string]time.Time), failed: make(map[string]time.Time), looked: time.Now()}
	defer k.close()
	var errs []error
	for more := true; more; {
		var err error
		more, err = k.round(ctx)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// QuietBelow has compression wait while more than so many bytes a second are appended.
func (a *Archive) QuietBelow(rate float64) { a.quiet = rate }

// Commit writes at once what waits in memory.
func (a *Archive) Commit() error { return a.commitNow() }

// SyncWith has the open segment made durable by f.
func (a *Archive) SyncWith(f func(*os.File) error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	a.segment.flush = f
}

// Datasync makes a file durable.
var Datasync = datasync

// Turn closes the open segment.
func (a *Archive) Turn() error {
	a.writing.Lock()
	defer a.writing.Unlock()
	return a.turn()
}

// Frames finds the frames of a compressed text and tells where it cannot.
func Frames(t interface {
	ReadAt([]byte, int64) (int, error)
}, size int64) (ends []int64, err error) {
	for from := int64(0); from < size; {
		_, to, err := frameAt(t, from)
		if err != nil {
			return ends, err
		}
		ends = append(ends, to)
		from = to
	}
	return ends, nil
}

// Decode reads a line.
var Decode = decode

// DecodesQuickly tells whether encoding/json is not needed for a line.
func DecodesQuickly(line []byte) bool {
	var l muster.LogLine
	r := reader{line: line}
	return r.object(&l)
}
