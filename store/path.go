package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

const textSuffix = ".cfg"

// TextPath returns where a device's text lies, in the repository and below configs/: <group>/<device>.cfg. It refuses
// names that would leave that place, hide there, or mean something to git.
func TextPath(group, device string) (string, error) {
	if err := checkName(group); err != nil {
		return "", fmt.Errorf("group %q: %w", group, err)
	}
	if err := checkName(device); err != nil {
		return "", fmt.Errorf("device %q: %w", device, err)
	}
	return group + "/" + device + textSuffix, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("a name must not be empty")
	case len(name) > 240:
		return errors.New("a name must be 240 bytes at most")
	case !utf8.ValidString(name):
		return errors.New("a name must be UTF-8")
	case strings.HasPrefix(name, "."):
		return errors.New("a name must not begin with a dot")
	case strings.HasPrefix(strings.ToLower(name), "git~"):
		return errors.New("a name must not begin as git's own short names do")
	case strings.ContainsFunc(name, unsafeRune):
		return errors.New("a name must not hold slashes, control or invisible characters")
	}
	return nil
}

func unsafeRune(r rune) bool {
	return r == '/' || r == '\\' || r == filepath.Separator || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}
