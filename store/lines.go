package store

import (
	"bytes"
	"strings"

	"github.com/musternet/muster/internal/linediff"
)

// compare returns how many lines a diff from old to text adds and removes, and the number, from 1, of the first line
// of text that it adds; 0: it adds none.
func compare(old, text []byte) (added, removed, first int) {
	if len(old) == 0 { // the first text of a device: nothing to compare
		added = bytes.Count(text, []byte("\n"))
		if !bytes.HasSuffix(text, []byte("\n")) && len(text) > 0 {
			added++
		}
		return added, 0, min(added, 1)
	}
	edits := linediff.Edits(string(old), string(text))
	added, removed = linediff.Count(string(old), edits)
	moved := 0 // how much further on a place of old lies in text
	for _, e := range edits {
		if strings.TrimSpace(e.New) != "" {
			return added, removed, 1 + bytes.Count(text[:e.Start+moved], []byte("\n"))
		}
		moved += len(e.New) - (e.End - e.Start)
	}
	return added, removed, 0
}
