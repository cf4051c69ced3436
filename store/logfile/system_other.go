//go:build !linux

package logfile

import "os"

// datasync makes what was written to a file durable.
func datasync(f *os.File) error { return f.Sync() }

// diskSize says that it is unknown how large the disk is.
func diskSize(string) int64 { return 0 }
