package ise

import (
	"strings"
	"unicode"
)

// clip makes one line of what a server says: printable characters, single spaces, at most limit runes. What comes from the
// network may reach a terminal, a page or a log only through it.
func clip(s string, limit int) string {
	if len(s) > 8*limit { // the rest cannot be shown anyway
		s = s[:8*limit]
	}
	var b strings.Builder
	runes, space := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			space = b.Len() > 0
			continue
		case runes >= limit:
			return b.String() + "..."
		}
		if space {
			b.WriteByte(' ')
			runes++
			space = false
		}
		b.WriteRune(r)
		runes++
	}
	return b.String()
}

// scrub removes secrets from what a server says: some quote the value that they refuse.
func scrub(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			s = strings.ReplaceAll(s, secret, masked)
		}
	}
	return s
}

// minSecret is the length from which a secret is looked for in a text: a shorter one is found in every other word.
const minSecret = 4
