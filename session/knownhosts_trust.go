package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// TrustKey makes key the only one on record for addr in a known_hosts file, which is replaced as a whole. Lines of
// other hosts stay as they are, and so does what is marked as revoked.
func TrustKey(file, addr string, key ssh.PublicKey) error {
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("trust host key: %w", err)
	}
	name := hostName(addr)
	if err := checkHostName(name); err != nil {
		return fmt.Errorf("trust host key of %s: %w", quote(addr), err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(data)) {
		out.WriteString(strings.TrimRight(without(line, name), "\n"))
		if without(line, name) != "" {
			out.WriteByte('\n')
		}
	}
	out.WriteString(hostLine(name, key))
	return replaceFile(file, out.String())
}

// without takes a name off a line; an empty line is left where it was the only one.
func without(line, name string) string {
	names, _, marker, ok := parseHostLine(line)
	if !ok || marker != "" || !matchNames(names, name) {
		return line
	}
	rest := slices.DeleteFunc(strings.Split(names, ","), func(p string) bool {
		return strings.EqualFold(p, name) || strings.HasPrefix(p, "|") && matchName(p, name)
	})
	if len(rest) == 0 {
		return ""
	}
	return strings.Replace(line, names, strings.Join(rest, ","), 1)
}

func replaceFile(file, text string) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".known_hosts-*") // created with mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(text)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
