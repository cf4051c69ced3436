package app

import (
	"fmt"
	"os"
	"path/filepath"
)

// mostSocketPath is how long the path of a socket may be: the system keeps 108 bytes for it, with the one that ends it.
const mostSocketPath = 107

// socketPath is how to name the socket of a data directory, until release. A directory that lies too deep is named by a
// descriptor.
func socketPath(dir string) (path string, release func() error, err error) {
	path = filepath.Join(dir, serveDir, socketFile)
	if len(path) <= mostSocketPath {
		return path, func() error { return nil }, nil
	}
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketFile), f.Close, nil
}
