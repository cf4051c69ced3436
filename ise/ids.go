package ise

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// ids is a set of the ids of objects. They are UUIDs, of which 16 bytes are kept instead of a string: a list of 100,000 is
// looped over in a few megabytes.
type ids map[idKey]struct{}

type idKey [16]byte

// mostIDs bounds what is set aside because a server claims a total.
const mostIDs = 1 << 17

func newIDs(total int) ids { return make(ids, min(max(total, 0), mostIDs)) }

// add reports whether the id is new.
func (s ids) add(id string) bool {
	key := keyOf(id)
	if _, known := s[key]; known {
		return false
	}
	s[key] = struct{}{}
	return true
}

func keyOf(id string) (key idKey) {
	digits := strings.ReplaceAll(id, "-", "")
	if n, err := hex.Decode(key[:], []byte(digits[:min(len(digits), 32)])); err == nil && n == len(key) && len(id) == 36 {
		return key
	}
	sum := sha256.Sum256([]byte(id)) // some of the built-in objects have other ids
	return idKey(sum[:])
}
