package logfile

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the names of the files end in.
const (
	plainEnd  = ".jsonl"
	packedEnd = ".jsonl.zst"
	indexEnd  = ".index.json"
	tempEnd   = ".tmp"
)

// entry is a segment as its directory shows it.
type entry struct {
	number uint64
	base   string // the path of its files without their ends
	plain  bool   // there is the file as it was written
	packed bool   // there is the compressed one; beside the plain one after a crash
	index  bool
	size   int64 // of its files; for the keeper
}

func (e *entry) plainPath() string  { return e.base + plainEnd }
func (e *entry) packedPath() string { return e.base + packedEnd }
func (e *entry) indexPath() string  { return e.base + indexEnd }
func (e *entry) name() string       { return filepath.Base(e.base) }

// readable tells whether there are any lines to read.
func (e *entry) readable() bool { return e.plain || e.packed }

// baseOf returns the path of a segment's files without their ends.
func baseOf(dir string, number uint64, first time.Time) string {
	return filepath.Join(dir, fmt.Sprintf("%010d-%s", number, first.UTC().Format("20060102T150405Z")))
}

// cutName takes the name of a file apart.
func cutName(name string) (base, end string, number uint64, ok bool) {
	digits, _, ok := strings.Cut(name, "-")
	if !ok {
		return "", "", 0, false
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return "", "", 0, false
	}
	base, _, _ = strings.Cut(name, ".")
	return base, name[len(base):], number, true
}

// list returns the segments of a directory in their order, and the temporary files in it. Other files are not touched.
func list(dir string) (all []*entry, temps []string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	byBase := make(map[string]*entry)
	for _, f := range files {
		base, end, number, ok := cutName(f.Name())
		if !ok {
			continue
		}
		if strings.HasSuffix(end, tempEnd) {
			temps = append(temps, filepath.Join(dir, f.Name()))
			continue
		}
		if end != plainEnd && end != packedEnd && end != indexEnd {
			continue
		}
		e := byBase[base]
		if e == nil {
			e = &entry{number: number, base: filepath.Join(dir, base)}
			byBase[base] = e
			all = append(all, e)
		}
		e.plain = e.plain || end == plainEnd
		e.packed = e.packed || end == packedEnd
		e.index = e.index || end == indexEnd
	}
	slices.SortStableFunc(all, func(a, b *entry) int { return cmp.Compare(a.number, b.number) })
	return all, temps, nil
}

// readables returns the segments that have lines.
func readables(dir string) ([]*entry, error) {
	all, _, err := list(dir)
	return slices.DeleteFunc(all, func(e *entry) bool { return !e.readable() }), err
}
