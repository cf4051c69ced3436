package logfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/musternet/muster/store"
)

const (
	mostSenders = 4096 // in an index
	unranked    = 8    // one worse than debug
)

// index says what is in a closed segment.
type index struct {
	First    time.Time `json:"first"` // when the line that came first by the clock was received
	Last     time.Time `json:"last"`
	Lines    int64     `json:"lines"`
	Bytes    int64     `json:"bytes"`             // of text
	Odd      int64     `json:"odd,omitempty"`     // lines that cannot be read
	Worst    string    `json:"worst,omitempty"`   // severity
	Senders  []string  `json:"senders,omitempty"` // names of devices and addresses, sorted; none: there are too many
	Complete bool      `json:"complete"`          // false: there are more senders than can be listed
}

// readIndex reads the index of a segment; nil: there is none that is whole.
func readIndex(e *entry) *index {
	if !e.index {
		return nil
	}
	text, err := os.ReadFile(e.indexPath())
	if err != nil {
		return nil
	}
	ix := new(index)
	if json.Unmarshal(text, ix) != nil {
		return nil
	}
	return ix
}

// writeIndex replaces the index of a segment by a rename.
func writeIndex(e *entry, ix *index) error {
	text, err := json.Marshal(ix)
	if err != nil {
		return err
	}
	temp := e.indexPath() + tempEnd
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(temp, e.indexPath())
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}

// indexer learns what is in a segment while its lines pass by.
type indexer struct {
	index
	worst   int
	senders map[string]struct{}
}

func newIndexer() *indexer {
	return &indexer{worst: unranked, senders: make(map[string]struct{})}
}

// add takes whole lines.
func (x *indexer) add(lines []byte) {
	x.Bytes += int64(len(lines))
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n')
		if end < 0 {
			end = len(lines) - 1
		}
		x.addLine(bytes.TrimSuffix(lines[:end+1], []byte("\n")))
		lines = lines[end+1:]
	}
}

func (x *indexer) addLine(line []byte) {
	x.Lines++
	received, timed := receivedOf(line)
	device, named := member(line, memberDevice)
	source, sourced := member(line, memberSource)
	severity, ranked := member(line, memberSeverity)
	if isShaped(line) && timed && named && sourced && ranked {
		x.note(received, string(severity), device, source)
		return
	}
	l, err := decode(line)
	if err != nil {
		x.Odd++
		return
	}
	from := ""
	if l.Source.IsValid() {
		from = l.Source.String()
	}
	x.note(l.Received, l.Severity, []byte(l.Device), []byte(from))
}

func (x *indexer) note(received time.Time, severity string, device, source []byte) {
	if x.First.IsZero() || received.Before(x.First) {
		x.First = received
	}
	if x.Last.IsZero() || received.After(x.Last) {
		x.Last = received
	}
	if rank, ok := store.SeverityRank(severity); ok && rank < x.worst {
		x.worst, x.Worst = rank, severity
	}
	x.noteSender(device)
	x.noteSender(source)
}

func (x *indexer) noteSender(name []byte) {
	if len(name) == 0 || len(x.senders) > mostSenders {
		return
	}
	if _, ok := x.senders[string(name)]; !ok {
		x.senders[string(name)] = struct{}{}
	}
}

// done returns the index of all lines that passed by.
func (x *indexer) done() *index {
	if x.Complete = len(x.senders) <= mostSenders; x.Complete {
		x.Senders = slices.Sorted(maps.Keys(x.senders))
	}
	return &x.index
}

// makeIndex reads a closed segment and writes its index.
func (k *keeper) makeIndex(e *entry, step func() error) error {
	t, err := openText(e)
	if err != nil {
		return err
	}
	defer t.close()
	x := newIndexer()
	for _, b := range t.blocks() {
		if err := step(); err != nil {
			return err
		}
		lines, offset, err := b.load(&k.scratch, k.decoder())
		if err != nil { // there is no more to know: readers will say the same
			err = &LineError{File: t.name, Offset: offset, Err: err}
			k.archive.log.Warn("a part of a segment of the syslog archive cannot be read", "err", err)
			x.Odd++
			continue
		}
		x.add(lines)
	}
	if err := writeIndex(e, x.done()); err != nil {
		return fmt.Errorf("write index of %s: %w", e.name(), err)
	}
	return nil
}
