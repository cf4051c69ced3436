package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible returns one line of s in which everything that a terminal would obey or hide stands as an escape: control
// characters, ANSI sequences, bidirectional and zero-width characters, bytes that are not UTF-8. A device says what it
// likes; it must not move the cursor, rename the window or turn the text around.
func visible(s string) string { return escape(s, "") }

// visibleText is visible for text of several lines: line feeds and tabs stay.
func visibleText(s string) string { return escape(s, "\n\t") }

func escape(s, keep string) string {
	if !needsEscape(s, keep) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			b.WriteString(escapeRune(r))
		}
		i += n
	}
	return b.String()
}

func needsEscape(s, keep string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			_, n := utf8.DecodeRuneInString(s[i:])
			if n == 1 {
				return true
			}
		}
		if !unicode.IsPrint(r) && !strings.ContainsRune(keep, r) {
			return true
		}
	}
	return false
}

func escapeRune(r rune) string {
	switch r {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	switch {
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}
