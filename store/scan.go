package store

import (
	"context"
	"time"

	"github.com/musternet/muster"
)

// Scan is what a finished scan asked and found.
type Scan struct {
	ID       string // as those of runs: it begins with the time
	Targets  string // the canonical text of the set that was asked: equal sets have equal texts
	Label    string // the targets as a person gave them
	Ports    []int  // asked of every target
	Ping     bool   // every target was pinged
	Identify bool   // hosts were asked who they are
	Started  time.Time
	Elapsed  time.Duration

	// Up is the canonical text of the set of addresses that were up: "198.18.0.1-198.18.0.40, 198.18.1.0/24".
	Up string
	// Hosts are those of Up of which more is known, in any order. What they are and say is kept: Filtered, Ports,
	// Platform, LoggedIn, Hostname, Name, MAC, Vendor and Device. How the asking went is not. A byte of what a host said
	// that is not UTF-8 is kept as U+FFFD.
	Hosts []muster.Host
}

// Scans keeps the last scans. Any process may keep and read at any time: no lock of the data directory is needed.
type Scans interface {
	// KeepScan writes a scan, durable when it returns. Of scans with the same Targets the 10 that started last stay, of
	// all scans 1,000; the others go in the same transaction. An ID that is there already is an error.
	KeepScan(ctx context.Context, s Scan) error
	// LastScan returns the scan of these Targets that started last. ErrNotFound.
	LastScan(ctx context.Context, targets string) (Scan, error)
	// Scans returns the scans without Up and Hosts, the one that started last first. limit 0: all.
	Scans(ctx context.Context, limit int) ([]Scan, error)
}

// How many scans a Scans keeps.
const (
	MaxScansOfTargets = 10
	MaxScans          = 1000
)
