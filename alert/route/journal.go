package route

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
)

// journal keeps one of Alertmanager's states in one file. Alertmanager itself writes snapshots, every quarter of an hour; but
// a snapshot is nothing but records one after the other, of which the last about a thing counts. So each change is appended to
// the last snapshot as the record that a cluster would be told, and Alertmanager reads the file as it is.
type journal struct {
	path   string
	synced bool // each record is on the disk, not only with the kernel, before append returns
	log    *slog.Logger

	replacing sync.Mutex // held while the file is replaced, and taken before mu

	mu       sync.Mutex
	f        *os.File
	size     int64
	snapshot bool     // one is being taken
	since    [][]byte // what was appended meanwhile
	err      error    // why the file lacks something
}

// openJournal opens or makes a file and returns what it holds: all records up to the first that is not whole. What follows
// that one, the trace of a lost disk or of a write cut short, is put aside as PATH.broken.
func openJournal(path string, synced bool, log *slog.Logger) (*journal, []byte, error) {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	j := &journal{path: path, synced: synced, log: log, size: int64(wholeRecords(content))}
	if broken := content[j.size:]; len(broken) > 0 {
		log.Warn("the end of a state file is broken and was put aside", "file", path, "bytes", len(broken))
		if err := os.WriteFile(path+".broken", broken, 0o600); err != nil {
			return nil, nil, err
		}
	}
	if err := j.reopen(); err != nil {
		return nil, nil, err
	}
	if err := j.f.Truncate(j.size); err != nil {
		return nil, nil, errors.Join(err, j.f.Close())
	}
	return j, content[:j.size], nil
}

// wholeRecords is the length of the records at the begin of b that are whole: each is its length and as many bytes.
func wholeRecords(b []byte) int {
	whole := 0
	for whole < len(b) {
		n, head := binary.Uvarint(b[whole:])
		if head <= 0 || n > uint64(len(b)-whole-head) {
			break
		}
		whole += head + int(n)
	}
	return whole
}

func (j *journal) reopen() error {
	f, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	j.f = f
	return err
}

// append writes a record. It is called under the lock of the state that changed, in the order of the changes, and cannot
// refuse: what it could not write is told by kept, and in the file with the next snapshot.
func (j *journal) append(record []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.snapshot {
		j.since = append(j.since, bytes.Clone(record))
	}
	if err := j.write(record); err != nil {
		j.err = err
		j.log.Error("a change of the alerting state could not be written", "file", j.path, "err", err)
	}
}

func (j *journal) write(record []byte) error {
	if j.f == nil {
		return fs.ErrClosed
	}
	if _, err := j.f.Write(record); err != nil {
		// Half a record would make those behind it unreadable.
		return errors.Join(err, j.f.Truncate(j.size))
	}
	j.size += int64(len(record))
	if j.synced {
		return j.f.Sync()
	}
	return nil
}

// lacks tells why the file does not hold all of the state, nil where it does.
func (j *journal) lacks() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// kept returns nil when all of the state is in the file, after another attempt to bring it there.
func (j *journal) kept(snapshot func(io.Writer) (int64, error)) error {
	if j.lacks() == nil {
		return nil
	}
	return j.replace(snapshot)
}

// replace puts a snapshot in the place of the file. The snapshot takes the lock of the state, under which append is called:
// so it is taken without the lock of the journal, and what was appended meanwhile follows it.
func (j *journal) replace(snapshot func(io.Writer) (int64, error)) error {
	j.replacing.Lock()
	defer j.replacing.Unlock()
	j.mu.Lock()
	j.snapshot = true
	j.mu.Unlock()

	temporary := j.path + ".new"
	err := writeSnapshot(temporary, snapshot)

	j.mu.Lock()
	defer j.mu.Unlock()
	since := j.since
	j.snapshot, j.since = false, nil
	if err == nil {
		err = j.swap(temporary, since)
	}
	if err != nil {
		j.err = fmt.Errorf("write %s: %w", j.path, err)
	} else {
		j.err = nil
	}
	return j.err
}

func writeSnapshot(path string, snapshot func(io.Writer) (int64, error)) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = snapshot(f)
	return errors.Join(err, f.Close())
}

// swap ends the temporary file with the records given and puts it in the place of the old one, which is closed first: not
// every system replaces a file that is open.
func (j *journal) swap(temporary string, since [][]byte) error {
	if err := appendSynced(temporary, since); err != nil {
		return err
	}
	if j.f != nil {
		j.f.Close()
		j.f = nil
	}
	err := os.Rename(temporary, j.path)
	if again := j.reopen(); again != nil {
		return errors.Join(err, again)
	}
	info, again := j.f.Stat()
	if again == nil {
		j.size = info.Size()
	}
	return errors.Join(err, again)
}

func appendSynced(path string, records [][]byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(bytes.Join(records, nil))
	return errors.Join(err, f.Sync(), f.Close())
}

// close takes a last snapshot and closes the file; what changes later is not kept.
func (j *journal) close(snapshot func(io.Writer) (int64, error)) error {
	err := j.replace(snapshot)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		return err
	}
	err = errors.Join(err, j.f.Close())
	j.f = nil
	return err
}
