package logfile

import (
	"errors"
	"os"
	"time"
)

// forget removes segments whose newest line is too old, and of the others the oldest while all together are too large. It returns
// those that are left.
func (k *keeper) forget(closed []*entry) []*entry {
	left := closed[:0]
	for _, e := range closed {
		if !k.isOld(e) || !k.drop(e, "it is too old") {
			left = append(left, e)
		}
	}
	most := k.archive.options.MaxBytes
	if most <= 0 {
		return left
	}
	total := k.openBytes()
	for _, e := range left {
		total += e.size
	}
	for len(left) > 0 && total > most && k.drop(left[0], "the archive is too large") {
		total -= left[0].size
		left = left[1:]
	}
	return left
}

func (k *keeper) openBytes() int64 {
	k.archive.mu.Lock()
	defer k.archive.mu.Unlock()
	return k.archive.written
}

func (k *keeper) isOld(e *entry) bool {
	most := k.archive.options.Retention
	return most > 0 && k.archive.options.Now().Sub(k.newestOf(e)) > most
}

// newestOf returns when the newest line of a segment was received; where that is unknown, when its file was written.
func (k *keeper) newestOf(e *entry) time.Time {
	if k.indexed(e) && !k.newest[e.base].IsZero() {
		return k.newest[e.base]
	}
	path := e.packedPath()
	if e.plain {
		path = e.plainPath()
	}
	info, err := os.Stat(path)
	if err != nil {
		return k.archive.options.Now() // it is looked at again
	}
	return info.ModTime()
}

// indexed tells whether a segment has an index that is whole, and remembers of it what forget needs.
func (k *keeper) indexed(e *entry) bool {
	if !e.index {
		return false
	}
	if _, ok := k.newest[e.base]; ok {
		return true
	}
	ix := readIndex(e)
	if ix == nil {
		return false
	}
	k.newest[e.base] = ix.Last
	return true
}

// drop removes a segment, its index last: an index without its segment is known for a leftover.
func (k *keeper) drop(e *entry, why string) bool {
	err := errors.Join(remove(e.packedPath()), remove(e.plainPath()), remove(e.indexPath()))
	if err != nil {
		k.archive.log.Warn("a segment of the syslog archive could not be forgotten", "err", err)
		return false
	}
	delete(k.newest, e.base)
	delete(k.failed, e.base)
	k.archive.log.Debug("a segment of the syslog archive is forgotten", "file", e.name(), "why", why)
	return true
}
