package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

var errGone = errors.New("the file was removed")

// segment is the file that is written.
type segment struct {
	file   *os.File
	info   os.FileInfo
	flush  func(*os.File) error // datasync, or that of a test
	number uint64
	period time.Time // the time by Options.SegmentAge in which it was begun
	end    int64     // of what was written whole
	synced int64     // of what is durable
}

// createSegment makes the file of a segment, and its name durable.
func createSegment(dir string, number uint64, first, period time.Time) (*segment, error) {
	path := baseOf(dir, number, first) + plainEnd
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s, err := newSegment(f, number, period)
	if err = errors.Join(err, syncDir(dir)); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return s, nil
}

// reopenSegment goes on with a segment that is empty.
func reopenSegment(e *entry, period time.Time) (*segment, error) {
	f, err := os.OpenFile(e.plainPath(), os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	s, err := newSegment(f, e.number, period)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

func newSegment(f *os.File, number uint64, period time.Time) (*segment, error) {
	info, err := f.Stat()
	return &segment{file: f, info: info, flush: datasync, number: number, period: period}, err
}

// write appends whole lines or nothing. What a failure leaves behind the end is overwritten by the next write, should the disk
// refuse even to cut it off.
func (s *segment) write(lines []byte) error {
	if _, err := s.file.WriteAt(lines, s.end); err != nil {
		_ = s.file.Truncate(s.end)
		return err
	}
	s.end += int64(len(lines))
	return nil
}

// sync makes durable what was written. When that fails nobody knows what of it is on the disk, so that all of it has to be
// written again.
func (s *segment) sync() error {
	if s.synced == s.end {
		return nil
	}
	if err := s.flush(s.file); err != nil {
		s.end = s.synced
		_ = s.file.Truncate(s.end)
		return err
	}
	s.synced = s.end
	return nil
}

// there fails when somebody removed the file or put another in its place: what is written to it is lost when it is closed.
func (s *segment) there() error {
	info, err := os.Stat(s.file.Name())
	if err == nil && !os.SameFile(info, s.info) || errors.Is(err, os.ErrNotExist) {
		return errGone
	}
	return err
}

// close closes the file of a segment; what was written to it has been synced.
func (s *segment) close() error { return s.file.Close() }

// cutTorn cuts a file off behind its last line feed, and returns how much is left and how much was cut.
func cutTorn(path string) (left, torn int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, 0, err
	}
	left, err = endOfLines(f, size)
	if err != nil || left == size {
		return left, 0, err
	}
	return left, size - left, errors.Join(f.Truncate(left), f.Sync())
}

// endOfLines returns where the last whole line of a file of that size ends.
func endOfLines(f io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for end := size; end > 0; {
		from := max(0, end-int64(len(buf)))
		part := buf[:end-from]
		if _, err := f.ReadAt(part, from); err != nil {
			return 0, fmt.Errorf("look for the last line: %w", err)
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}
