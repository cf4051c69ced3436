package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxBytes bounds what a file or a command may give as a secret.
const maxBytes = 64 << 10

// openFile reads file:/path. The file belongs to its owner alone; one line end at its end is not part of the secret.
func openFile(o *Opener, path string) (reader, error) {
	if err := checkPath("file", path); err != nil {
		return nil, err
	}
	return held(o, func(context.Context) (Secret, error) {
		s, err := readFile(path)
		if err != nil {
			return Secret{}, fmt.Errorf("file:%s: %w", path, err)
		}
		return s, nil
	}), nil
}

// checkPath says whether a reference names a file.
func checkPath(scheme, path string) error {
	if path == "" {
		return fmt.Errorf("%s: wants a path after it", scheme)
	}
	if !filepath.IsAbs(path) && path != "~" && !strings.HasPrefix(path, "~/") {
		return fmt.Errorf("%s: wants a path that begins with / or ~/", scheme)
	}
	return nil
}

func readFile(path string) (Secret, error) {
	data, err := readPrivate(path, maxBytes)
	if err != nil {
		return Secret{}, err
	}
	return oneSecret(data)
}

// readPrivate reads a file that its owner alone may read: at most a byte more than limit.
func readPrivate(path string, limit int) ([]byte, error) { return readRegular(path, limit, checkMode) }

// readRegular reads a file that check approves of.
func readRegular(path string, limit int, check func(fs.FileInfo) error) ([]byte, error) {
	path, err := expandHome(path)
	if err != nil {
		return nil, err
	}
	// Looked at before it is opened too: opening a named pipe waits for its writer without an end.
	if info, err := os.Stat(path); err != nil {
		return nil, errors.Unwrap(err)
	} else if err := check(info); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	if err := check(info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	return data, nil
}

// checkRegular refuses what is no file.
func checkRegular(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	return nil
}

// checkMode refuses what is no file and what others may read.
func checkMode(info fs.FileInfo) error {
	if err := checkRegular(info); err != nil {
		return err
	}
	if perm := info.Mode().Perm(); runtime.GOOS != "windows" && perm&0o077 != 0 {
		return fmt.Errorf("others than its owner may read it (mode %04o): chmod 600 it", perm)
	}
	return nil
}

func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the home directory: %w", err)
	}
	return filepath.Join(home, rest), nil
}

// oneSecret makes a Secret of what a file or a command gave.
func oneSecret(data []byte) (Secret, error) {
	if len(data) > maxBytes {
		return Secret{}, fmt.Errorf("it gives more than %d KiB, which is no secret", maxBytes>>10)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if text == "" {
		return Secret{}, errors.New("it is empty")
	}
	return New(text), nil
}
