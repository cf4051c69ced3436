package ise

import (
	"fmt"
	"strings"
)

// ParseMAC reads a MAC address in any of the spellings that devices print, and returns it as ISE writes it,
// "AA:BB:CC:DD:EE:FF". It takes twelve hexadecimal digits, alone (aabbccddeeff) or in equal groups of 2, 4 or 6 with the
// same one of ":", "-" and "." between them: aa-bb-cc-dd-ee-ff, aabb.ccdd.eeff, aabb-ccdd-eeff, aabbcc-ddeeff.
func ParseMAC(s string) (string, error) {
	digits, ok := macDigits(strings.TrimSpace(s))
	if !ok {
		return "", fmt.Errorf("%q is no MAC address, such as AA:BB:CC:DD:EE:FF", clip(s, 40))
	}
	var b strings.Builder
	b.Grow(17)
	for i := 0; i < len(digits); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(digits[i : i+2])
	}
	return b.String(), nil
}

// macDigits returns the twelve digits in upper case.
func macDigits(s string) (string, bool) {
	group := len(s)
	if i := strings.IndexAny(s, ":-."); i >= 0 {
		group = i
		if group != 2 && group != 4 && group != 6 {
			return "", false
		}
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case i%(group+1) == group && c == s[group]: // a separator, the same as the first one
		case i%(group+1) == group:
			return "", false
		case c >= '0' && c <= '9' || c >= 'A' && c <= 'F':
			b.WriteByte(c)
		case c >= 'a' && c <= 'f':
			b.WriteByte(c - 'a' + 'A')
		default:
			return "", false
		}
	}
	return b.String(), b.Len() == 12 && len(s) == 12+12/group-1
}
