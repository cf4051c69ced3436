package store

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// PersonName makes a name that can stand as an author in git of what a device says a user is called. That is not
// trusted: angle brackets and line ends would forge headers. A name of which nothing is left is "muster".
func PersonName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || strings.ContainsRune("<>", r) {
			return ' '
		}
		return r
	}, name)
	name = strings.Trim(name, " .,:;\"'\\")
	if len(name) > 200 {
		name = strings.Trim(strings.ToValidUTF8(name[:200], ""), " .,:;\"'\\")
	}
	if name == "" {
		return "muster"
	}
	return name
}
