//go:build !unix

package app

import "io/fs"

// openFiles is not limited in a way that this system tells.
func openFiles() (uint64, bool) { return 0, false }

// othersMayRead cannot be told by the mode here.
func othersMayRead(fs.FileInfo) bool { return false }
