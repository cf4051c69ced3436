package inventory

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName leaves room for an extension within the 255 bytes that file systems allow for one name.
const maxName = 240

// reserved are words that selectors use in the place of a group's name.
var reserved = []string{"all", "failed", "stale"}

// CheckName says whether a name can be a device's or a group's. Names become file names (configs/<group>/<device>.cfg)
// and paths in git, on any system, so a name is 1 to 240 bytes of UTF-8: letters and digits of any script, and . _ - : +
// in between. It begins with a letter, a digit, _ or :, and does not end in "." or ".lock".
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case len(name) > maxName:
		return fmt.Errorf("the name is longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return errors.New("the name is not UTF-8: save the file as UTF-8")
	case strings.ContainsAny(name[:1], ".-+"):
		return fmt.Errorf("the name %q begins with %q: a name begins with a letter or a digit", name, name[:1])
	case strings.HasSuffix(name, "."):
		return fmt.Errorf("the name %q ends in a dot", name)
	case strings.HasSuffix(strings.ToLower(name), ".lock"):
		return fmt.Errorf("the name %q ends in .lock, which git keeps for itself", name)
	case strings.Contains(name, ".."):
		return fmt.Errorf("the name %q holds two dots in a row", name)
	}
	for _, r := range name {
		if !nameRune(r) {
			return fmt.Errorf("the name %q holds %q: a name is letters, digits and . _ - : +", name, r)
		}
	}
	return nil
}

func nameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-:+", r)
}

// CheckGroup says whether a name can be a group's: as CheckName, and not a word that selectors use (all, failed, stale).
func CheckGroup(name string) error {
	for _, r := range reserved {
		if name == r {
			return fmt.Errorf("a group cannot be named %q: @%s has its own meaning", name, name)
		}
	}
	if err := CheckName(name); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	return nil
}

// checkAddress says whether a text can be an address: an IP address or a host name.
func checkAddress(addr string) error {
	if _, err := netip.ParseAddr(addr); err == nil {
		return nil
	}
	switch {
	case addr == "":
		return errors.New("the address is empty")
	case len(addr) > 253:
		return errors.New("the address is longer than 253 bytes")
	case strings.ContainsRune(addr, '/'):
		return fmt.Errorf("the address %q has a prefix length: give the address alone", addr)
	case strings.Trim(addr, "0123456789.") == "":
		return fmt.Errorf("the address %q is no IPv4 address", addr)
	case addr[0] == '-' || addr[0] == '.':
		return fmt.Errorf("the address %q begins with %q", addr, addr[:1])
	}
	for _, r := range addr {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r) {
			return fmt.Errorf("the address %q is neither an IP address nor a host name", addr)
		}
	}
	return nil
}
