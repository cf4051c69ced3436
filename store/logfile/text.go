package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"
)

const (
	blockBytes = 512 << 10 // text that is read, compressed and searched at once
	mostFrame  = 1 << 30   // text in one frame that is read, should somebody have compressed a segment anew
)

// LineError is that a line, or from there on the rest of a file, could not be read.
type LineError struct {
	File   string // its name in the directory
	Offset int64  // in the text of the segment, in bytes; -1: unknown
	Err    error
}

// Error names the place: `zstdcat FILE | tail -c +OFFSET | head -1` shows it.
func (e *LineError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("read %s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("read %s at byte %d of its text: %v", e.File, e.Offset+1, e.Err)
}

// Unwrap gives the cause.
func (e *LineError) Unwrap() error { return e.Err }

// text is a segment that is open for reading. What was opened stays readable, whatever becomes of its name.
type text struct {
	file   *os.File
	name   string
	packed bool
	end    int64 // where the part of a plain file ends that is read
	users  int   // who may still read; for the one who counts them
}

// openText opens a segment in whichever form it is there: it may be compressed at any moment. A segment that was forgotten
// meanwhile is os.ErrNotExist.
func openText(e *entry) (*text, error) {
	for _, path := range []string{e.packedPath(), e.plainPath(), e.packedPath()} {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		size, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &text{file: f, name: filepath.Base(path), packed: path == e.packedPath(), end: size}, nil
	}
	return nil, &os.PathError{Op: "open", Path: e.plainPath(), Err: os.ErrNotExist}
}

// wholeLines ends a plain text behind its last line feed: what is behind that is being written.
func (t *text) wholeLines() (err error) {
	if !t.packed {
		t.end, err = endOfLines(t.file, t.end)
	}
	return err
}

func (t *text) close() { _ = t.file.Close() } // it was only read

// block is a part of a segment: of a plain one the lines that begin within a range of bytes, of a compressed one a frame.
type block struct {
	text     *text
	from, to int64 // in the file
	offset   int64 // where that is in the text; -1: unknown
	err      error // why nothing can be read from here on
}

// blocks returns the parts of a segment in their order.
func (t *text) blocks() []block {
	if t.packed {
		return t.frames()
	}
	var all []block
	for from := int64(0); from < t.end; from += blockBytes {
		all = append(all, block{text: t, from: from, to: min(from+blockBytes, t.end), offset: from})
	}
	return all
}

// scratch is memory for reading, used again and again.
type scratch struct{ packed, plain, lower, text []byte }

// load reads the lines of a block, and tells where in the text they begin. They are in the scratch.
func (b block) load(s *scratch, d *zstd.Decoder) (lines []byte, offset int64, err error) {
	if b.err != nil {
		return nil, b.offset, b.err
	}
	if b.text.packed {
		lines, err = b.unpack(s, d)
		return lines, b.offset, err
	}
	return b.lines(s)
}

func (b block) unpack(s *scratch, d *zstd.Decoder) (lines []byte, err error) {
	s.packed = sized(s.packed, int(b.to-b.from))
	if _, err := b.text.file.ReadAt(s.packed, b.from); err != nil {
		return nil, err
	}
	s.plain, err = d.DecodeAll(s.packed, s.plain[:0])
	return s.plain, err
}

// lines reads the lines that begin in the block: the first one may lie across its beginning and belong to the block before, the
// last one lies across its end. Where the file ends sooner than it did, its writer took back what it could not sync.
func (b block) lines(s *scratch) (lines []byte, offset int64, err error) {
	from := max(0, b.from-1) // with the byte before: a line begins behind a line feed
	s.plain = s.plain[:0]
	for end := from; ; {
		more := b.to - from // and then to the end of the line
		if end > from {
			more = 4096
		}
		had := len(s.plain)
		s.plain = slices.Grow(s.plain, int(more))[:had+int(min(more, b.text.end-end))]
		n, err := b.text.file.ReadAt(s.plain[had:], end)
		if errors.Is(err, io.EOF) {
			s.plain = s.plain[:bytes.LastIndexByte(s.plain[:had+n], '\n')+1]
			break
		}
		if err != nil {
			return nil, b.from, err
		}
		if i := bytes.IndexByte(s.plain[had:], '\n'); i >= 0 && had > 0 {
			s.plain = s.plain[:had+i+1]
		}
		end += int64(n)
		if end >= b.text.end || s.plain[len(s.plain)-1] == '\n' {
			break
		}
	}
	if b.from == 0 {
		return s.plain, 0, nil
	}
	first := bytes.IndexByte(s.plain, '\n') + 1
	if first == 0 {
		return nil, b.from, nil // all of it is of one line that began before
	}
	return s.plain[first:], from + int64(first), nil
}

// sized returns a slice of that length, in the memory of buf if there is enough.
func sized(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}

// newDecoder makes what decompresses frames, for so many at a time. It starts no goroutine.
func newDecoder(atOnce int) *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(atOnce), zstd.WithDecoderMaxMemory(mostFrame))
	if err != nil {
		panic(err) // an option is wrong
	}
	return d
}
