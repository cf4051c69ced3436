//go:build !linux

package app

import (
	"fmt"
	"path/filepath"
)

// mostSocketPath is how long the path of a socket may be: the systems keep 104 bytes and more for it.
const mostSocketPath = 103

// socketPath is how to name the socket of a data directory, until release.
func socketPath(dir string) (path string, release func() error, err error) {
	path = filepath.Join(dir, serveDir, socketFile)
	if len(path) > mostSocketPath {
		return "", nil, fmt.Errorf("a socket cannot have a path as long as %s: name a shorter data directory with --data-dir", path)
	}
	return path, func() error { return nil }, nil
}
